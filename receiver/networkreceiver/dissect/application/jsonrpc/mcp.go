// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package jsonrpc

import (
	"net/http"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/sse"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

const (
	sessionField = "Mcp-Session-Id"
	versionField = "MCP-Protocol-Version"
)

// describeMCP adds what the conventions for MCP say, if the call is one of it: it has
// one of its header fields, or begins a session.
func describeMCP(asked, answered *message, req *httpmessage.Request, resp *httpmessage.Response, out dissect.Attributes, s *dissect.Summary) {
	session, version := session(req, resp), field(req, versionField)
	if asked.method == methodInitialize {
		version = first(answered.result.Get("protocolVersion").Text(), asked.params.Get("protocolVersion").Text())
	}
	if session == "" && version == "" {
		return
	}
	putSession(session, version, out)
	describeMCPCall(asked, answered, out, s)
}

// methodInitialize is the method that begins a session.
const methodInitialize = "initialize"

// describeMCPCall tells of a call of MCP, however it is carried.
func describeMCPCall(asked, answered *message, out dissect.Attributes, s *dissect.Summary) {
	if asked.method == "" {
		return
	}
	out.Str("mcp.method.name", asked.method)
	target := ""
	switch asked.method {
	case "tools/call":
		target = clip(asked.params.Get("name").Text())
		out.Str("gen_ai.operation.name", "execute_tool")
		out.Str("gen_ai.tool.name", target)
	case "prompts/get":
		target = clip(asked.params.Get("name").Text())
		out.Str("gen_ai.prompt.name", target)
	case "resources/read", "resources/subscribe", "resources/unsubscribe", "notifications/resources/updated":
		out.Str("mcp.resource.uri", clip(asked.params.Get("uri").Text()))
	}
	if target != "" {
		s.Name = asked.method + " " + target
	}
	if failed, _ := answered.result.Get("isError").Bool(); failed {
		s.Error, s.ErrorType = true, "tool_error"
		out.Str("error.type", "tool_error")
	}
}

// describeStream tells of calls of MCP that carry no message of their own: the stream
// that a client opens for what the server has to say, and the end of a session.
func describeStream(req *httpmessage.Request, resp *httpmessage.Response, out dissect.Attributes) bool {
	if req == nil || req.Method != http.MethodDelete && (resp == nil || resp.Message.Content.MediaType != sse.MediaType) {
		return false
	}
	id := session(req, resp)
	if id == "" {
		return false
	}
	putSession(id, field(req, versionField), out)
	return true
}

func putSession(session, version string, out dissect.Attributes) {
	if session != "" {
		out.Str("mcp.session.id", session)
	}
	if version != "" {
		out.Str("mcp.protocol.version", version)
	}
}

// session is the id of the session that the call is of, or begins.
func session(req *httpmessage.Request, resp *httpmessage.Response) string {
	if id := field(req, sessionField); id != "" || resp == nil {
		return id
	}
	return httpmessage.Field(resp.Message, sessionField)
}

func field(req *httpmessage.Request, name string) string {
	if req == nil {
		return ""
	}
	return httpmessage.Field(req.Message, name)
}
