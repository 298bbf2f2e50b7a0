// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Uses a server of the Model Context Protocol.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const client = new Client({ name: 'buyer', version: '1.0.0' });
const transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${process.argv[2]}/mcp`));
await client.connect(transport);
await new Promise((resolve) => setTimeout(resolve, 100)); // for the stream that it opens
await client.listTools();
await client.callTool({ name: 'price', arguments: { item: 'tea' } });
await client.callTool({ name: 'price', arguments: { item: 'gold' } });
await client.getPrompt({ name: 'greet', arguments: { name: 'ann' } });
await client.readResource({ uri: 'shop://items/1' });
await client.request({ method: 'no/such' }, { parse: (x) => x }).catch(() => {});
await transport.terminateSession();
await client.close();
