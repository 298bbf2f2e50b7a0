// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package grpc

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// Describe follows the semantic conventions for RPC spans. The method's name is the one
// on the wire: nobody knows here which names a server has.
func (Protocol) Describe(side dissect.Side, req *httpmessage.Request, resp *httpmessage.Response, out dissect.Attributes, s dissect.Summary) (dissect.Summary, bool) {
	var k kind
	if req != nil {
		k = kindOf(req.Message)
	}
	if resp != nil && k.flavour == none {
		if k = kindOf(resp.Message); k.flavour == connectUnary {
			return s, false
		}
	}
	if k.flavour == none {
		return s, false
	}
	system := "grpc"
	if k.flavour == connectStream || k.flavour == connectUnary {
		system = "connectrpc"
	}
	out.Str("rpc.system.name", system)
	s.Name = system
	if req != nil {
		describeRequest(req, out, &s)
	}
	if resp == nil {
		return s, true
	}
	if n := resp.Message.Events; n > 0 {
		out.Int("wirespan.rpc.response.messages", int64(n))
	}
	describeEnd(side, statusOf(k, resp.Message, resp.Status), out, &s)
	return s, true
}

func describeRequest(req *httpmessage.Request, out dissect.Attributes, s *dissect.Summary) {
	if method := strings.TrimPrefix(req.Target.Path, "/"); method != "" {
		out.Str("rpc.method", method)
		s.Name, s.Route = method, dissect.Route{}
	}
	if n := req.Message.Events; n > 0 {
		out.Int("wirespan.rpc.request.messages", int64(n))
	}
	if timeout := first(field(req.Message, "grpc-timeout"), field(req.Message, "Connect-Timeout-Ms")); timeout != "" {
		out.Str("wirespan.rpc.timeout", timeout)
	}
}

// describeEnd tells the status. HTTP's own is 200 also where a call has failed.
func describeEnd(side dissect.Side, end status, out dissect.Attributes, s *dissect.Summary) {
	if end.code == "" {
		return
	}
	out.Str("rpc.response.status_code", end.code)
	if end.message != "" {
		out.Str("wirespan.rpc.status_message", end.message)
	}
	s.Status = end.message
	if end.isError(side) {
		s.Error, s.ErrorType = true, end.code
	} else {
		s.Error, s.ErrorType = false, ""
	}
}
