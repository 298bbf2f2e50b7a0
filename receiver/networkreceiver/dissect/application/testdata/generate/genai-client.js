// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Uses language models with their providers' libraries. The first argument is the
// provider, the second the port.
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import { Ollama } from 'ollama';

const [what, port] = process.argv.slice(2);
const base = `http://127.0.0.1:${port}`;
const drain = async (stream) => {
  for await (const _ of stream);
};
const messages = [{ role: 'user', content: 'Hello' }];
const ignore = () => {};

const uses = {
  async openai() {
    const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: 'sk-secret', maxRetries: 0 });
    await client.chat.completions.create({ model: 'gpt-4o', messages, n: 2, temperature: 0.7, top_p: 0.9, max_completion_tokens: 100, seed: 7, stop: ['END'], response_format: { type: 'json_object' }, service_tier: 'default' });
    await drain(await client.chat.completions.create({ model: 'gpt-4o', messages, stream: true, stream_options: { include_usage: true } }));
    await client.chat.completions.create({ model: 'none', messages }).catch(ignore);
    await client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'Once', max_tokens: 4, presence_penalty: 0.5, frequency_penalty: -0.5 });
    await client.embeddings.create({ model: 'text-embedding-3-small', input: 'a text', dimensions: 2, encoding_format: 'float' });
    await client.responses.create({ model: 'gpt-4.1', input: 'Hello', max_output_tokens: 50 });
    await drain(await client.responses.create({ model: 'gpt-4.1', input: 'Hello', stream: true }));
  },
  async anthropic() {
    const client = new Anthropic({ baseURL: base, apiKey: 'sk-ant-secret', maxRetries: 0 });
    const asked = { model: 'claude-sonnet-4-20250514', max_tokens: 1024, messages, temperature: 0.2, top_k: 40, stop_sequences: ['END'] };
    await client.messages.create(asked);
    await drain(await client.messages.create({ ...asked, stream: true }));
    await client.messages.create({ ...asked, model: 'busy' }).catch(ignore);
    await drain(await client.messages.create({ ...asked, model: 'fails', stream: true })).catch(ignore);
  },
  async ollama() {
    const client = new Ollama({ host: base });
    await client.chat({ model: 'llama3.2', messages, stream: false, options: { temperature: 0.1, num_predict: 30, seed: 1 } });
    await drain(await client.chat({ model: 'llama3.2', messages, stream: true }));
    await drain(await client.generate({ model: 'llama3.2', prompt: 'Hello', stream: true, format: 'json' }));
    await client.embed({ model: 'llama3.2', input: 'a text' });
    await client.chat({ model: 'none', messages }).catch(ignore);
  },
};
await uses[what]();
