// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package genai

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"
)

// api is one kind of call that a provider offers.
type api struct {
	path      string // at the end of the request's
	operation string // gen_ai.operation.name
	provider  string // gen_ai.provider.name, unless the server's name says another
	kind      string // openai.api.type
	add       func(*answer, jsonvalue.Value)
}

// apis has longer paths before those that they end with.
var apis = []api{
	{"/chat/completions", "chat", "openai", "chat_completions", addCompletion},
	{"/completions", "text_completion", "openai", "", addCompletion},
	{"/responses", "chat", "openai", "responses", addResponse},
	{"/v1/messages", "chat", "anthropic", "", addAnthropic},
	{"/api/chat", "chat", "ollama", "", addOllama},
	{"/api/generate", "text_completion", "ollama", "", addOllama},
	{"/api/embed", "embeddings", "ollama", "", addOllama},
	{"/api/embeddings", "embeddings", "ollama", "", addOllama},
	{"/embeddings", "embeddings", "openai", "", addCompletion},
}

// apiOf is the one that a path is of, or nil.
func apiOf(path string) *api {
	for i := range apis {
		if strings.HasSuffix(path, apis[i].path) {
			return &apis[i]
		}
	}
	return nil
}

// providers are those that offer OpenAI's API, by the name of their server.
var providers = []struct{ host, name string }{
	{"openai.azure.com", "azure.ai.openai"},
	{"cognitiveservices.azure.com", "azure.ai.openai"},
	{"services.ai.azure.com", "azure.ai.inference"},
	{"api.groq.com", "groq"},
	{"api.deepseek.com", "deepseek"},
	{"api.mistral.ai", "mistral_ai"},
	{"api.perplexity.ai", "perplexity"},
	{"api.x.ai", "x_ai"},
	{"generativelanguage.googleapis.com", "gcp.gemini"},
	{"api.cohere.ai", "cohere"},
}

// providerAt is the provider at a host.
func (a *api) providerAt(host string) string {
	if a.provider == "openai" {
		host, _, _ = strings.Cut(host, ":")
		for _, p := range providers {
			if strings.HasSuffix(host, p.host) {
				return p.name
			}
		}
	}
	return a.provider
}
