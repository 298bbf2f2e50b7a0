// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package genai

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"

// addOllama reads an answer of Ollama, or a line of one.
func addOllama(a *answer, v jsonvalue.Value) {
	for name, member := range v.Members() {
		switch string(name) {
		case "model":
			setText(&a.model, member)
		case "message":
			a.at(0).addMessage(member)
		case "response":
			a.at(0).part("text", 0).write(member.Text())
		case "thinking":
			a.at(0).part("reasoning", 0).write(member.Text())
		case "done_reason":
			a.at(0).finish(member.Text())
		case "prompt_eval_count":
			a.input.set(member)
		case "eval_count":
			a.output.set(member)
		}
	}
}
