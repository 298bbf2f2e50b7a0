// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// A server of the Model Context Protocol, with sessions. It answers with event streams, on
// the second port with JSON.
import http from 'node:http';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

function makeServer() {
  const server = new McpServer({ name: 'shop', version: '1.0.0' });
  server.registerTool('price', { description: 'price of an item', inputSchema: { item: z.string() } }, async ({ item }, extra) => {
    if (item === 'gold') return { isError: true, content: [{ type: 'text', text: 'not sold here' }] };
    await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data: 'looking' } });
    return { content: [{ type: 'text', text: '12.50' }] };
  });
  server.registerPrompt('greet', { argsSchema: { name: z.string() } }, ({ name }) => ({ messages: [{ role: 'user', content: { type: 'text', text: `Greet ${name}` } }] }));
  server.registerResource('item', new ResourceTemplate('shop://items/{id}', { list: undefined }), {}, async (uri) => ({ contents: [{ uri: uri.href, text: 'tea' }] }));
  server.server.registerCapabilities({ logging: {} });
  return server;
}

function listen(port, enableJsonResponse) {
  const sessions = new Map();
  http.createServer(async (request, response) => {
    let transport = sessions.get(request.headers['mcp-session-id']);
    if (!transport) {
      let n = sessions.size;
      transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => `session-${++n}`, enableJsonResponse, onsessioninitialized: (id) => sessions.set(id, transport) });
      await makeServer().connect(transport);
    }
    await transport.handleRequest(request, response);
  }).listen(port, '127.0.0.1');
}
const [stream, json] = process.argv.slice(2).map(Number);
listen(stream, false);
listen(json, true);
