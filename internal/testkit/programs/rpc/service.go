// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const fileName = "wirespan/test/echo.proto"

// The schema, for server reflection.
func init() {
	value := new(".google.protobuf.StringValue")
	method := func(name string, client, server bool) *descriptorpb.MethodDescriptorProto {
		return &descriptorpb.MethodDescriptorProto{
			Name: &name, InputType: value, OutputType: value, ClientStreaming: &client, ServerStreaming: &server,
		}
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: new(fileName), Package: new("wirespan.test"), Syntax: new("proto3"),
		Dependency: []string{"google/protobuf/wrappers.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: new("Echo"), Method: []*descriptorpb.MethodDescriptorProto{
			method("Say", false, false), method("Many", false, true), method("Collect", true, false), method("Chat", true, true),
		}}},
	}, protoregistry.GlobalFiles)
	if err == nil {
		err = protoregistry.GlobalFiles.RegisterFile(file)
	}
	if err != nil {
		log.Fatal(err)
	}
}

var service = grpc.ServiceDesc{
	ServiceName: "wirespan.test.Echo",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Say", Handler: say}},
	Streams: []grpc.StreamDesc{
		{StreamName: "Many", Handler: many, ServerStreams: true},
		{StreamName: "Collect", Handler: collect, ClientStreams: true},
		{StreamName: "Chat", Handler: chat, ServerStreams: true, ClientStreams: true},
	},
	Metadata: fileName,
}

func incoming(ctx context.Context, method string) *call {
	md, _ := metadata.FromIncomingContext(ctx)
	return &call{Name: strings.Join(md.Get("x-call"), ","), Method: method}
}

// largeSize is that of a message that does not fit into one frame, or one window.
const largeSize = 4 << 20

//nolint:revive // the order of the arguments is grpc's
func say(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	c := incoming(ctx, "Say")
	defer c.tell()
	in := new(wrapperspb.StringValue)
	if err := decode(in); err != nil {
		return nil, err
	}
	c.Request = []string{in.GetValue()}
	text := in.GetValue()
	switch text {
	case "missing":
		c.Code = codes.NotFound.String()
		s, err := status.New(codes.NotFound, "nothing here: 100 %").WithDetails(wrapperspb.String("a detail"))
		if err != nil {
			return nil, err
		}
		return nil, s.Err()
	case "slow":
		<-ctx.Done()
		time.Sleep(10 * time.Millisecond)
		c.Code = codes.DeadlineExceeded.String()
		return nil, status.FromContextError(ctx.Err()).Err()
	case "large":
		text = strings.Repeat("0123456789abcdef", largeSize/16)
	}
	c.Code, c.Response = codes.OK.String(), []string{text}
	return wrapperspb.String(text), nil
}

// many answers one message with five.
func many(_ any, s grpc.ServerStream) error {
	c := incoming(s.Context(), "Many")
	defer c.tell()
	if err := c.take(s); err != nil {
		return err
	}
	for i := range 5 {
		if err := c.give(s, fmt.Sprintf("%s, answer %d", c.Name, i)); err != nil {
			return err
		}
	}
	c.Code = codes.OK.String()
	return nil
}

// collect answers all messages with one.
func collect(_ any, s grpc.ServerStream) error {
	c := incoming(s.Context(), "Collect")
	defer c.tell()
	for {
		if err := c.take(s); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	c.Code = codes.OK.String()
	return c.give(s, strings.Join(c.Request, "; "))
}

// chat answers each message.
func chat(_ any, s grpc.ServerStream) error {
	c := incoming(s.Context(), "Chat")
	defer c.tell()
	for {
		if err := c.take(s); errors.Is(err, io.EOF) {
			c.Code = codes.OK.String()
			return nil
		} else if err != nil {
			return err
		}
		if err := c.give(s, "re: "+c.Request[len(c.Request)-1]); err != nil {
			return err
		}
	}
}

func (c *call) take(s grpc.ServerStream) error {
	in := new(wrapperspb.StringValue)
	if err := s.RecvMsg(in); err != nil {
		return err
	}
	c.Request = append(c.Request, in.GetValue())
	return nil
}

func (c *call) give(s grpc.ServerStream, text string) error {
	c.Response = append(c.Response, text)
	return s.SendMsg(wrapperspb.String(text))
}
