// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package genai

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"

// addAnthropic reads a message, or an event of a stream.
func addAnthropic(a *answer, v jsonvalue.Value) {
	index, _ := v.Get("index").Int()
	switch v.Get("type").Text() {
	case "message":
		a.addAnthropicMessage(v)
	case "message_start":
		a.addAnthropicMessage(v.Get("message"))
	case "content_block_start":
		a.at(0).addBlock(v.Get("content_block"), index)
	case "content_block_delta":
		a.at(0).addDelta(v.Get("delta"), index)
	case "message_delta":
		a.addAnthropicUsage(v.Get("usage"))
		a.at(0).finish(v.Get("delta", "stop_reason").Text())
	}
}

func (a *answer) addAnthropicMessage(v jsonvalue.Value) {
	setText(&a.id, v.Get("id"))
	setText(&a.model, v.Get("model"))
	a.addAnthropicUsage(v.Get("usage"))
	o, index := a.at(0), int64(0)
	for block := range v.Get("content").Elements() {
		o.addBlock(block, index)
		index++
	}
	o.finish(v.Get("stop_reason").Text())
}

// addAnthropicUsage reads how many tokens there were. By the conventions those from and
// to caches are input too, which Anthropic counts apart.
func (a *answer) addAnthropicUsage(v jsonvalue.Value) {
	a.output.set(v.Get("output_tokens"))
	a.cached.set(v.Get("cache_read_input_tokens"))
	a.created.set(v.Get("cache_creation_input_tokens"))
	var fresh count
	if fresh.set(v.Get("input_tokens")); fresh.known {
		a.input = count{fresh.n + a.cached.n + a.created.n, true}
	}
}

// addBlock reads a content block, whose text may come later.
func (o *output) addBlock(v jsonvalue.Value, index int64) {
	switch v.Get("type").Text() {
	case "text":
		o.part("text", index).write(v.Get("text").Text())
	case "thinking":
		o.part("reasoning", index).write(v.Get("thinking").Text())
	case "tool_use":
		p := o.part("tool_call", index)
		if p == nil {
			return
		}
		setText(&p.ID, v.Get("id"))
		setText(&p.Name, v.Get("name"))
		if input := v.Get("input"); len(input) > len("{}") {
			p.write(string(input))
		}
	}
}

func (o *output) addDelta(v jsonvalue.Value, index int64) {
	switch v.Get("type").Text() {
	case "text_delta":
		o.part("text", index).write(v.Get("text").Text())
	case "thinking_delta":
		o.part("reasoning", index).write(v.Get("thinking").Text())
	case "input_json_delta":
		o.part("tool_call", index).write(v.Get("partial_json").Text())
	}
}
