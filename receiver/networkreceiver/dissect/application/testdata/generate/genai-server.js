// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Answers as the APIs of OpenAI, Anthropic and Ollama do, without a model.
import http from 'node:http';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function stream(response, type, pieces) {
  response.writeHead(200, { 'Content-Type': type });
  for (const piece of pieces) {
    response.write(piece);
    await pause(15);
  }
  response.end();
}
const json = (response, status, value) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
const data = (value) => `data: ${JSON.stringify(value)}\n\n`;
const event = (value) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
const line = (value) => JSON.stringify(value) + '\n';

const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } };
const usage = { prompt_tokens: 19, completion_tokens: 10, total_tokens: 29, prompt_tokens_details: { cached_tokens: 4 }, completion_tokens_details: { reasoning_tokens: 2 } };
const chat = { id: 'chatcmpl-1', object: 'chat.completion', created: 1700000000, model: 'gpt-4o-2024-08-06', service_tier: 'default', system_fingerprint: 'fp_1' };
const chunk = (delta, more = {}) => data({ ...chat, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: null, ...more }] });

function completions(asked, response) {
  if (asked.model === 'none') {
    return json(response, 404, { error: { message: 'The model `none` does not exist', type: 'invalid_request_error', param: null, code: 'model_not_found' } });
  }
  if (!asked.stream) {
    return json(response, 200, {
      ...chat,
      choices: [
        { index: 0, message: { role: 'assistant', content: 'Hello "there" 😀', refusal: null }, finish_reason: 'stop' },
        { index: 1, message: { role: 'assistant', content: null, tool_calls: [call] }, finish_reason: 'tool_calls' },
      ],
      usage,
    });
  }
  const tools = (index, more) => ({ tool_calls: [{ index, ...more }] });
  return stream(response, 'text/event-stream', [
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Let me ' }),
    chunk({ content: 'see. 😀' }),
    chunk(tools(0, { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } })),
    chunk(tools(0, { function: { arguments: '{"city":' } })),
    chunk(tools(0, { function: { arguments: '"Paris"}' } })),
    chunk(tools(1, { id: 'call_2', type: 'function', function: { name: 'time', arguments: '{}' } })),
    chunk({}, { finish_reason: 'tool_calls' }),
    data({ ...chat, object: 'chat.completion.chunk', choices: [], usage }),
    'data: [DONE]\n\n',
  ]);
}

const output = [
  { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Hello again', annotations: [] }] },
  { id: 'fc_1', type: 'function_call', call_id: 'call_3', name: 'weather', arguments: '{"city":"Rome"}', status: 'completed' },
];
const made = { id: 'resp_1', object: 'response', created_at: 1700000000, model: 'gpt-4.1-2025-04-14', error: null, incomplete_details: null };
const whole = { ...made, status: 'completed', output, usage: { input_tokens: 36, input_tokens_details: { cached_tokens: 0 }, output_tokens: 87, output_tokens_details: { reasoning_tokens: 5 }, total_tokens: 123 } };

function responses(asked, response) {
  if (!asked.stream) return json(response, 200, whole);
  return stream(response, 'text/event-stream', [
    event({ type: 'response.created', response: { ...made, status: 'in_progress', output: [] } }),
    event({ type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'Hello ' }),
    event({ type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'again' }),
    event({ type: 'response.completed', response: whole }),
  ]);
}

const message = { id: 'msg_01', type: 'message', role: 'assistant', model: 'claude-sonnet-4-20250514', stop_sequence: null };
function anthropic(asked, response) {
  if (asked.model === 'busy') return json(response, 529, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
  const used = { input_tokens: 25, cache_creation_input_tokens: 7, cache_read_input_tokens: 100, output_tokens: 1 };
  if (!asked.stream) {
    return json(response, 200, { ...message, content: [{ type: 'text', text: 'Bonjour' }, { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Paris' } }], stop_reason: 'tool_use', usage: { ...used, output_tokens: 15 } });
  }
  const pieces = [
    event({ type: 'message_start', message: { ...message, content: [], stop_reason: null, usage: used } }),
    event({ type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } }),
    event({ type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Which city?' } }),
    event({ type: 'content_block_stop', index: 0 }),
    event({ type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } }),
    event({ type: 'ping' }),
    event({ type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Bon' } }),
    event({ type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'jour' } }),
    event({ type: 'content_block_stop', index: 1 }),
    event({ type: 'content_block_start', index: 2, content_block: { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} } }),
    event({ type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{"city": "Pa' } }),
    event({ type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: 'ris"}' } }),
    event({ type: 'content_block_stop', index: 2 }),
  ];
  if (asked.model === 'fails') pieces.push(event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }));
  else pieces.push(event({ type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 15 } }), event({ type: 'message_stop' }));
  return stream(response, 'text/event-stream', pieces);
}

const llama = { model: 'llama3.2', created_at: '2023-12-12T14:13:43.416799Z' };
const counts = { done: true, done_reason: 'stop', total_duration: 4883583458, prompt_eval_count: 26, eval_count: 282 };
function ollama(path, asked, response) {
  if (path === '/api/embed') return json(response, 200, { model: asked.model, embeddings: [[0.1, -0.2]], prompt_eval_count: 8 });
  const said = path === '/api/chat' ? (content, more) => ({ message: { role: 'assistant', content, ...more } }) : (text) => ({ response: text });
  if (asked.model === 'none') return json(response, 404, { error: "model 'none' not found" });
  if (asked.stream === false) return json(response, 200, { ...llama, ...said('Grüezi'), ...counts });
  return stream(response, 'application/x-ndjson', [
    line({ ...llama, ...said('Grü'), done: false }),
    line({ ...llama, ...said('ezi'), done: false }),
    line({ ...llama, ...said('', { tool_calls: [{ function: { name: 'weather', arguments: { city: 'Chur' } } }] }), done: false }),
    line({ ...llama, ...said(''), ...counts }),
  ]);
}

function serve(request, response) {
  let body = '';
  request.on('data', (piece) => (body += piece));
  request.on('end', () => {
    const asked = JSON.parse(body);
    const path = request.url.split('?')[0];
    if (path === '/v1/chat/completions') return completions(asked, response);
    if (path === '/v1/completions') return json(response, 200, { ...chat, object: 'text_completion', choices: [{ index: 0, text: ' upon a time', finish_reason: 'length' }], usage: { prompt_tokens: 5, completion_tokens: 4 } });
    if (path === '/v1/embeddings') return json(response, 200, { object: 'list', model: asked.model, data: [{ object: 'embedding', index: 0, embedding: [0.25, -0.5] }], usage: { prompt_tokens: 8, total_tokens: 8 } });
    if (path === '/v1/responses') return responses(asked, response);
    if (path === '/v1/messages') return anthropic(asked, response);
    return ollama(path, asked, response);
  });
}
http.createServer(serve).listen(Number(process.argv[2]), '127.0.0.1');
