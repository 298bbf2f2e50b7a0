// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package genai

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"
)

// answer is a response, put together from its pieces.
type answer struct {
	id, model, tier, fingerprint string
	outputs                      []output

	input, output, cached, created, reasoning count // tokens

	failure, failureText string // error.type, and for people
}

// count is a number that may be missing.
type count struct {
	n     int64
	known bool
}

func (c *count) set(v jsonvalue.Value) {
	if n, ok := v.Int(); ok && n >= 0 {
		c.n, c.known = n, true
	}
}

// add adds a whole answer, or a piece of one.
func (a *answer) add(from *api, v jsonvalue.Value) {
	if failure := v.Get("error"); !failure.IsNull() {
		a.fail(failure)
	}
	from.add(a, v)
}

// fail notes an error. Providers give it as an object, or as a text.
func (a *answer) fail(v jsonvalue.Value) {
	a.failure, a.failureText = "_OTHER", clip(v.Text(), maxName)
	if v.IsObject() {
		a.failureText = clip(v.Get("message").Text(), maxName)
		for _, name := range [...]string{"code", "type"} {
			if text := v.Get(name).Text(); text != "" {
				a.failure = clip(text, maxName)
				break
			}
		}
	}
}

func setText(to *string, v jsonvalue.Value) {
	if v.IsString() {
		*to = clip(v.Text(), maxName)
	}
}

func (a *answer) describe(status int, out dissect.Attributes, s *dissect.Summary) {
	if a.id != "" {
		out.Str("gen_ai.response.id", a.id)
	}
	if a.model != "" {
		out.Str("gen_ai.response.model", a.model)
	}
	if a.tier != "" {
		out.Str("openai.response.service_tier", a.tier)
	}
	if a.fingerprint != "" {
		out.Str("openai.response.system_fingerprint", a.fingerprint)
	}
	a.describeUsage(out)
	a.describeOutputs(out)
	if a.failure != "" {
		a.describeFailure(status, out, s)
	}
}

func (a *answer) describeUsage(out dissect.Attributes) {
	if a.input.known {
		out.Int("gen_ai.usage.input_tokens", a.input.n)
	}
	if a.output.known {
		out.Int("gen_ai.usage.output_tokens", a.output.n)
	}
	if a.cached.known {
		out.Int("gen_ai.usage.cache_read.input_tokens", a.cached.n)
	}
	if a.created.known {
		out.Int("gen_ai.usage.cache_creation.input_tokens", a.created.n)
	}
	if a.reasoning.known {
		out.Int("gen_ai.usage.reasoning.output_tokens", a.reasoning.n)
	}
}

// describeFailure gives an error its provider's name. Whether a refused request is an
// error at the server's end is for HTTP to say; one in a stream is, whatever the status.
func (a *answer) describeFailure(status int, out dissect.Attributes, s *dissect.Summary) {
	if a.failureText != "" {
		out.Str("wirespan.gen_ai.error.message", a.failureText)
	}
	if s.Error && a.failure == "_OTHER" {
		return
	}
	if s.Error || status == 0 || status/100 == 2 {
		s.Error, s.ErrorType = true, a.failure
		out.Str("error.type", a.failure)
	}
	s.Status = a.failureText
}
