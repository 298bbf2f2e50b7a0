// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command rpc is a gRPC server and client of all kinds of calls. Both print what they
// did, one JSON object for each call.
//
//	rpc serve ADDR
//	rpc send ADDR NAME COUNT [KIND...]
//	rpc step ADDR NAME COUNT [KIND...]   sends once for each line of its standard input
//	rpc hold ADDR NAME
//	rpc reflect ADDR
//
// They speak TLS if TLS_CERTIFICATE and TLS_KEY, or TLS_AUTHORITY, name files.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	reflectpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// call is what an end has seen of a call.
type call struct {
	Name     string   `json:"name"` // "KIND-NAME-NUMBER"
	Method   string   `json:"method"`
	Code     string   `json:"code"`
	Request  []string `json:"request"`
	Response []string `json:"response"`
}

var out = struct {
	sync.Mutex
	*bufio.Writer
}{Writer: bufio.NewWriter(os.Stdout)}

func (c *call) tell() {
	line, err := json.Marshal(c)
	if err != nil {
		log.Fatal(err)
	}
	out.Lock()
	defer out.Unlock()
	_, _ = out.Write(append(line, '\n'))
	_ = out.Flush()
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: rpc serve|send|step|hold|reflect ADDR ...")
	}
	switch os.Args[1] {
	case "serve":
		serve(os.Args[2])
	case "send", "step":
		count, err := strconv.Atoi(os.Args[4])
		if err != nil {
			log.Fatal(err)
		}
		send(os.Args[2], os.Args[3], count, os.Args[5:], os.Args[1] == "step")
	case "hold":
		kinds = held
		send(os.Args[2], os.Args[3], 1, nil, false)
	case "reflect":
		ask(os.Args[2])
	}
}

func serve(addr string) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(shown()), grpc.MaxRecvMsgSize(8<<20), grpc.MaxSendMsgSize(8<<20))
	s.RegisterService(&service, nil)
	reflection.Register(s)
	log.Fatal(s.Serve(listener))
}

// shown is what the server shows: nothing, if TLS_CERTIFICATE and TLS_KEY name no files.
func shown() credentials.TransportCredentials {
	certificate := os.Getenv("TLS_CERTIFICATE")
	if certificate == "" {
		return insecure.NewCredentials()
	}
	c, err := credentials.NewServerTLSFromFile(certificate, os.Getenv("TLS_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// trusted is whom the client trusts: everybody, if TLS_AUTHORITY names no file.
func trusted() credentials.TransportCredentials {
	authority := os.Getenv("TLS_AUTHORITY")
	if authority == "" {
		return insecure.NewCredentials()
	}
	c, err := credentials.NewClientTLSFromFile(authority, "")
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// send makes count calls of each kind, or of those named, over one connection: once, or
// once for each line of the standard input.
func send(addr, name string, count int, only []string, step bool) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(trusted()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(8<<20), grpc.MaxCallSendMsgSize(8<<20)))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if !step {
		round(conn, name, count, only)
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	for n := 0; lines.Scan(); n++ {
		round(conn, name+strconv.Itoa(n), count, only)
	}
}

func round(conn *grpc.ClientConn, name string, count int, only []string) {
	var calls sync.WaitGroup
	for i := range count {
		for kind, start := range kinds {
			if len(only) == 0 || slices.Contains(only, kind) {
				calls.Go(func() { start(conn, kind+"-"+name+"-"+strconv.Itoa(i)) })
			}
		}
		if i%8 == 7 {
			calls.Wait()
		}
	}
	calls.Wait()
}

var kinds = map[string]func(*grpc.ClientConn, string){
	"unary": func(c *grpc.ClientConn, name string) { unary(c, name, "hello "+name) },
	"gzip": func(c *grpc.ClientConn, name string) {
		unary(c, name, strings.Repeat("again ", 200), grpc.UseCompressor(gzip.Name))
	},
	"missing": func(c *grpc.ClientConn, name string) { unary(c, name, "missing") },
	"slow":    func(c *grpc.ClientConn, name string) { unary(c, name, "slow") },
	"large":   func(c *grpc.ClientConn, name string) { unary(c, name, "large") },
	"server":  func(c *grpc.ClientConn, name string) { stream(c, name, "Many", 1) },
	"client":  func(c *grpc.ClientConn, name string) { stream(c, name, "Collect", 5) },
	"bidi":    func(c *grpc.ClientConn, name string) { stream(c, name, "Chat", 5) },
}

// held are other kinds: streams that stay open for a while after their messages.
var held = map[string]func(*grpc.ClientConn, string){
	"talk":   func(c *grpc.ClientConn, name string) { stream(c, name, "Chat", 3) },
	"upload": func(c *grpc.ClientConn, name string) { stream(c, name, "Collect", 3) },
}

// hold is for how long.
const hold = 3 * time.Second

const prefix = "/wirespan.test.Echo/"

func outgoing(name string) (context.Context, context.CancelFunc) {
	bound := 30 * time.Second
	if strings.HasPrefix(name, "slow") {
		bound = 500 * time.Millisecond // or a busy machine would not even send it
	}
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	return metadata.AppendToOutgoingContext(ctx, "x-call", name), cancel
}

func unary(conn *grpc.ClientConn, name, text string, options ...grpc.CallOption) {
	ctx, cancel := outgoing(name)
	defer cancel()
	reply := new(wrapperspb.StringValue)
	err := conn.Invoke(ctx, prefix+"Say", wrapperspb.String(text), reply, options...)
	done := call{Name: name, Method: "Say", Code: status.Code(err).String(), Request: []string{text}}
	if err == nil {
		done.Response = []string{reply.GetValue()}
	}
	done.tell()
}

// stream sends so many messages, and takes what comes back.
func stream(conn *grpc.ClientConn, name, method string, messages int) {
	ctx, cancel := outgoing(name)
	defer cancel()
	desc := &grpc.StreamDesc{ServerStreams: method != "Collect", ClientStreams: method != "Many"}
	s, err := conn.NewStream(ctx, desc, prefix+method)
	if err != nil {
		log.Fatal(err)
	}
	done := call{Name: name, Method: method}
	for i := range messages {
		text := fmt.Sprintf("%s message %d", name, i)
		if err := s.SendMsg(wrapperspb.String(text)); err != nil {
			log.Fatal(err)
		}
		done.Request = append(done.Request, text)
		if method == "Chat" {
			done.receive(s)
		}
	}
	if strings.HasPrefix(name, "talk") || strings.HasPrefix(name, "upload") {
		time.Sleep(hold)
	}
	_ = s.CloseSend()
	for done.Code == "" {
		done.receive(s)
	}
	done.tell()
}

func (c *call) receive(s grpc.ClientStream) {
	reply := new(wrapperspb.StringValue)
	switch err := s.RecvMsg(reply); {
	case errors.Is(err, io.EOF):
		c.Code = codes.OK.String()
	case err != nil:
		c.Code = status.Code(err).String()
	default:
		c.Response = append(c.Response, reply.GetValue())
	}
}

// ask lets the server tell its schema.
func ask(addr string) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(trusted()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := reflectpb.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		log.Fatal(err)
	}
	request := &reflectpb.ServerReflectionRequest{
		MessageRequest: &reflectpb.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "wirespan.test.Echo"},
	}
	if err := s.Send(request); err != nil {
		log.Fatal(err)
	}
	if _, err := s.Recv(); err != nil {
		log.Fatal(err)
	}
	_ = s.CloseSend()
	if _, err := s.Recv(); !errors.Is(err, io.EOF) {
		log.Fatal(err)
	}
}
