// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package genai

import (
	"encoding/json"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	maxOutputs = 16 // choices of an answer
	maxParts   = 64 // parts of one
	// maxText bounds the text of all parts together that becomes an attribute.
	maxText = 8 << 10
)

// output is one message that a model has given: gen_ai.output.messages.
type output struct {
	Role   string  `json:"role"`
	Parts  []*part `json:"parts"`
	Finish string  `json:"finish_reason,omitempty"`
}

// part is a text, what a model has thought, or a call of a tool.
type part struct {
	Type      string `json:"type"` // text, reasoning or tool_call
	Content   string `json:"content,omitempty"`
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	Arguments any    `json:"arguments,omitempty"`

	index int64  // in the stream
	text  []byte // content or arguments, as they come
}

// at is the output with a number, or nil if there are too many.
func (a *answer) at(i int64) *output {
	if i < 0 || i >= maxOutputs {
		return nil
	}
	for int64(len(a.outputs)) <= i {
		a.outputs = append(a.outputs, output{Role: "assistant"})
	}
	return &a.outputs[i]
}

// part is the one of a type with a number, a new one if there is none yet. It is nil if
// there are too many.
func (o *output) part(kind string, index int64) *part {
	if o == nil {
		return nil
	}
	for _, p := range o.Parts {
		if p.Type == kind && p.index == index {
			return p
		}
	}
	if len(o.Parts) == maxParts {
		return nil
	}
	p := &part{Type: kind, index: index}
	o.Parts = append(o.Parts, p)
	return p
}

// write adds to a part's text.
func (p *part) write(text string) {
	if p != nil {
		p.text = append(p.text, clip(text, maxText-min(len(p.text), maxText))...)
	}
}

// finish sets why an output ended.
func (o *output) finish(reason string) {
	if o != nil && reason != "" {
		o.Finish = clip(reason, maxName)
	}
}

func (a *answer) describeOutputs(out dissect.Attributes) {
	var reasons []string
	room := maxText
	for i := range a.outputs {
		if o := &a.outputs[i]; o.Finish != "" {
			reasons = append(reasons, o.Finish)
		}
		for _, p := range a.outputs[i].Parts {
			room -= p.settle(room)
		}
	}
	if len(reasons) > 0 {
		out.Strs("gen_ai.response.finish_reasons", reasons)
	}
	if len(a.outputs) > 0 && room < maxText {
		if text, err := json.Marshal(a.outputs); err == nil {
			out.Payload("gen_ai.output.messages", "application/json", string(text))
		}
	}
}

// settle gives a part its final form in at most room bytes of text.
func (p *part) settle(room int) int {
	text := clip(string(p.text), room)
	switch {
	case p.Type != "tool_call":
		p.Content = text
	case len(text) == len(p.text) && json.Valid(p.text):
		p.Arguments = json.RawMessage(p.text)
	case text != "":
		p.Arguments = text
	}
	return len(text) + len(p.Name)
}
