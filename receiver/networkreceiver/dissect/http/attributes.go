// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

var _ httpmessage.Requester = (*RequestInfo)(nil)

// Describe follows the stable semantic conventions for HTTP spans.
func (d Dissector) Describe(side dissect.Side, req, resp *dissect.Message, out dissect.Attributes) dissect.Summary {
	var request httpmessage.Request
	var response httpmessage.Response
	var asked *httpmessage.Request
	var answered *httpmessage.Response
	if info, ok := protocolOf[RequestInfo](req); ok {
		request = info.HTTPRequest(req)
		asked = &request
	}
	if info, ok := protocolOf[ResponseInfo](resp); ok {
		response = httpmessage.Response{Status: info.Status, Reason: info.Reason, Version: info.Version, Message: resp}
		answered = &response
	}
	s := d.Applications.Describe(side, asked, answered, out)
	if a, ok := protocolOf[TLSAlert](resp); ok {
		describeAlert(a, out, &s)
	}
	return s
}

func protocolOf[T any](m *dissect.Message) (info *T, ok bool) {
	if m == nil {
		return nil, false
	}
	info, ok = m.Protocol.(*T)
	return info, ok
}

// HTTPRequest implements httpmessage.Requester.
func (r *RequestInfo) HTTPRequest(m *dissect.Message) httpmessage.Request {
	t := httpmessage.ParseTarget(r.Method, r.Target)
	if t.Scheme == "" {
		t.Scheme = "http"
		if m.Encrypted {
			t.Scheme = "https"
		}
	}
	if t.Authority == "" {
		t.Authority = r.Host
	}
	return httpmessage.Request{Method: r.Method, Target: t, Raw: r.Target, Version: r.Version, Message: m}
}
