// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package genai

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"

// addCompletion reads a chat completion, a chunk of one, a completion, or embeddings.
func addCompletion(a *answer, v jsonvalue.Value) {
	for name, member := range v.Members() {
		switch string(name) {
		case "id":
			setText(&a.id, member)
		case "model":
			setText(&a.model, member)
		case "service_tier":
			setText(&a.tier, member)
		case "system_fingerprint":
			setText(&a.fingerprint, member)
		case "usage":
			a.addUsage(member)
		case "choices":
			for choice := range member.Elements() {
				a.addChoice(choice)
			}
		}
	}
}

func (a *answer) addUsage(v jsonvalue.Value) {
	for name, member := range v.Members() {
		switch string(name) {
		case "prompt_tokens", "input_tokens":
			a.input.set(member)
		case "completion_tokens", "output_tokens":
			a.output.set(member)
		case "prompt_tokens_details", "input_tokens_details":
			a.cached.set(member.Get("cached_tokens"))
		case "completion_tokens_details", "output_tokens_details":
			a.reasoning.set(member.Get("reasoning_tokens"))
		}
	}
}

// addChoice reads a choice. In a chunk its message is called delta.
func (a *answer) addChoice(v jsonvalue.Value) {
	index, _ := v.Get("index").Int()
	o := a.at(index)
	if o == nil {
		return
	}
	for name, member := range v.Members() {
		switch string(name) {
		case "message", "delta":
			o.addMessage(member)
		case "text":
			o.part("text", 0).write(member.Text())
		case "finish_reason":
			o.finish(member.Text())
		}
	}
}

func (o *output) addMessage(v jsonvalue.Value) {
	for name, member := range v.Members() {
		switch string(name) {
		case "role":
			setText(&o.Role, member)
		case "content", "refusal":
			if text := member.Text(); text != "" {
				o.part("text", 0).write(text)
			}
		case "reasoning_content", "reasoning", "thinking":
			if text := member.Text(); text != "" {
				o.part("reasoning", 0).write(text)
			}
		case "tool_calls":
			at := int64(0)
			for call := range member.Elements() {
				o.addCall(call, at)
				at++
			}
		}
	}
}

// addCall reads the call of a tool, the at-th of its message if it does not say which.
// OpenAI gives arguments as a text, Ollama as an object.
func (o *output) addCall(v jsonvalue.Value, at int64) {
	if n, ok := v.Get("index").Int(); ok {
		at = n
	}
	p := o.part("tool_call", at)
	if p == nil {
		return
	}
	setText(&p.ID, v.Get("id"))
	function := v.Get("function")
	setText(&p.Name, function.Get("name"))
	if arguments := function.Get("arguments"); arguments.IsObject() {
		p.write(string(arguments))
	} else {
		p.write(arguments.Text())
	}
}

// addResponse reads a response of the API "responses", or an event of one. Its last
// event has all of it; until that has come, the texts that were told count.
func addResponse(a *answer, v jsonvalue.Value) {
	switch kind := v.Get("type").Text(); kind {
	case "":
		a.addWhole(v)
	case "response.created", "response.completed", "response.incomplete", "response.failed":
		a.addWhole(v.Get("response"))
	case "response.output_text.delta":
		if index, ok := v.Get("content_index").Int(); ok {
			a.at(0).part("text", index).write(v.Get("delta").Text())
		}
	case "error":
		a.fail(v)
	}
}

func (a *answer) addWhole(v jsonvalue.Value) {
	status := ""
	for name, member := range v.Members() {
		switch string(name) {
		case "id":
			setText(&a.id, member)
		case "model":
			setText(&a.model, member)
		case "service_tier":
			setText(&a.tier, member)
		case "usage":
			a.addUsage(member)
		case "status":
			status = member.Text()
		case "error":
			if member.IsObject() {
				a.fail(member)
			}
		case "output":
			if member.First() != nil {
				a.outputs = nil
				a.addItems(member)
			}
		}
	}
	if status != "" && status != "in_progress" && status != "queued" {
		if reason := v.Get("incomplete_details", "reason").Text(); reason != "" {
			status = reason
		}
		a.at(0).finish(status)
	}
}

// addItems reads the output of a response: messages and calls of tools, which together
// are one message by the conventions.
func (a *answer) addItems(v jsonvalue.Value) {
	o, at := a.at(0), int64(0)
	for item := range v.Elements() {
		switch item.Get("type").Text() {
		case "message":
			for content := range item.Get("content").Elements() {
				o.part("text", at).write(content.Get("text").Text())
				at++
			}
		case "function_call":
			if p := o.part("tool_call", at); p != nil {
				setText(&p.ID, item.Get("call_id"))
				setText(&p.Name, item.Get("name"))
				p.write(item.Get("arguments").Text())
			}
			at++
		}
	}
}
