// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package genai describes calls of language models over HTTP: the APIs of OpenAI and of
// those compatible with it, of Anthropic, and of Ollama.
package genai // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/genai"

import (
	"bytes"
	"net/http"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/sse"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// Protocol is the application.Protocol of these APIs.
type Protocol struct{}

// Info implements application.Protocol.
func (Protocol) Info() dissect.Info { return dissect.Info{Name: "genai"} }

// Describe follows the semantic conventions for generative AI. Whether a call is of one
// of these APIs is known from its request's path and body.
func (Protocol) Describe(_ dissect.Side, req *httpmessage.Request, resp *httpmessage.Response, out dissect.Attributes, s dissect.Summary) (dissect.Summary, bool) {
	if req == nil || req.Method != http.MethodPost || !jsonvalue.IsMediaType(req.Message.Content.MediaType) {
		return s, false
	}
	a := apiOf(req.Target.Path)
	if a == nil {
		return s, false
	}
	var asked question
	asked.add(jsonvalue.Of(req.Message.Content.Body))
	if asked.model == "" && !asked.prompted {
		return s, false
	}
	out.Str("gen_ai.operation.name", a.operation)
	out.Str("gen_ai.provider.name", a.providerAt(req.Target.Host()))
	if a.kind != "" {
		out.Str("openai.api.type", a.kind)
	}
	asked.describe(out)
	s.Name = a.operation
	if asked.model != "" {
		s.Name += " " + asked.model
	}
	if resp != nil {
		answerOf(a, resp.Message).describe(resp.Status, out, &s)
	}
	return s, true
}

// answerOf puts an answer together, whether it came as a whole or in pieces.
func answerOf(a *api, m *dissect.Message) *answer {
	answered := new(answer)
	body := m.Content.Body
	switch mediaType := m.Content.MediaType; {
	case mediaType == sse.MediaType:
		for data := range sse.Data(body) {
			answered.add(a, jsonvalue.Of(data))
		}
	case mediaType == "application/x-ndjson" || jsonvalue.IsMediaType(mediaType):
		for len(body) > 0 {
			v := jsonvalue.Of(body)
			if !v.IsObject() {
				break
			}
			answered.add(a, v)
			_, body, _ = bytes.Cut(body[bytes.IndexByte(body, '{')+len(v):], []byte{'\n'})
		}
	}
	return answered
}
