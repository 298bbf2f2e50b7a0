// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package genai

import (
	"unicode/utf8"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"
)

const (
	maxName  = 256 // bytes of a name or an id that becomes an attribute
	maxStops = 16  // stop sequences
)

// question is a request: its parameters as they stand in it.
type question struct {
	model    string
	prompted bool // it has something that a model can answer
	stops    []string

	maxTokens, temperature, topP, topK, frequency, presence jsonvalue.Value
	seed, choices, stream, dimensions, format, tier         jsonvalue.Value
	encoding                                                jsonvalue.Value
}

// add reads a request's body. Ollama has parameters in an object of their own.
func (q *question) add(v jsonvalue.Value) {
	for name, member := range v.Members() {
		switch string(name) {
		case "model":
			q.model = clip(member.Text(), maxName)
		case "messages", "input", "prompt":
			q.prompted = true
		case "options":
			q.add(member)
		case "stop", "stop_sequences":
			q.addStops(member)
		case "max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict":
			q.maxTokens = member
		case "temperature":
			q.temperature = member
		case "top_p":
			q.topP = member
		case "top_k":
			q.topK = member
		case "frequency_penalty":
			q.frequency = member
		case "presence_penalty":
			q.presence = member
		case "seed":
			q.seed = member
		case "n":
			q.choices = member
		case "stream":
			q.stream = member
		case "dimensions":
			q.dimensions = member
		case "response_format", "format":
			q.format = member
		case "text":
			q.format = member.Get("format")
		case "service_tier":
			q.tier = member
		case "encoding_format":
			q.encoding = member
		}
	}
}

func (q *question) addStops(v jsonvalue.Value) {
	if v.IsString() {
		q.stops = []string{clip(v.Text(), maxName)}
	}
	for e := range v.Elements() {
		if len(q.stops) < maxStops && e.IsString() {
			q.stops = append(q.stops, clip(e.Text(), maxName))
		}
	}
}

func (q *question) describe(out dissect.Attributes) {
	if q.model != "" {
		out.Str("gen_ai.request.model", q.model)
	}
	if n, ok := q.maxTokens.Int(); ok {
		out.Int("gen_ai.request.max_tokens", n)
	}
	if n, ok := q.seed.Int(); ok {
		out.Int("gen_ai.request.seed", n)
	}
	if n, ok := q.choices.Int(); ok && n != 1 {
		out.Int("gen_ai.request.choice.count", n)
	}
	if n, ok := q.dimensions.Int(); ok {
		out.Int("gen_ai.embeddings.dimension.count", n)
	}
	if stream, ok := q.stream.Bool(); ok {
		out.Bool("gen_ai.request.stream", stream)
	}
	q.describeSampling(out)
	if len(q.stops) > 0 {
		out.Strs("gen_ai.request.stop_sequences", q.stops)
	}
	if format := formatOf(q.format); format != "" {
		out.Str("gen_ai.output.type", format)
	}
	if encoding := q.encoding.Text(); encoding != "" {
		out.Strs("gen_ai.request.encoding_formats", []string{clip(encoding, maxName)})
	}
	if tier := q.tier.Text(); tier != "" && tier != "auto" {
		out.Str("openai.request.service_tier", clip(tier, maxName))
	}
}

// describeSampling tells how the model chooses among tokens.
func (q *question) describeSampling(out dissect.Attributes) {
	if f, ok := q.temperature.Float(); ok {
		out.Float("gen_ai.request.temperature", f)
	}
	if f, ok := q.topP.Float(); ok {
		out.Float("gen_ai.request.top_p", f)
	}
	if f, ok := q.topK.Float(); ok {
		out.Float("gen_ai.request.top_k", f)
	}
	if f, ok := q.frequency.Float(); ok {
		out.Float("gen_ai.request.frequency_penalty", f)
	}
	if f, ok := q.presence.Float(); ok {
		out.Float("gen_ai.request.presence_penalty", f)
	}
}

// formatOf is gen_ai.output.type of what an API calls a format: "json", a schema, or an
// object whose type says so.
func formatOf(v jsonvalue.Value) string {
	kind := v.Get("type").Text()
	switch {
	case v.Text() == "json", kind == "json_object", kind == "json_schema", kind == "object":
		return "json"
	case kind == "text":
		return "text"
	}
	return ""
}

// clip cuts a text between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
