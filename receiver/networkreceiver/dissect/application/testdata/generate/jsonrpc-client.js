// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Calls a JSON-RPC server, with a library and by hand.
import jayson from 'jayson/promise/index.js';

const port = Number(process.argv[2]);
let id = 0;
const client = jayson.Client.http({ port, host: '127.0.0.1', generator: () => `request-${++id}` });
await client.request('add', [1, 2]);
await client.request('shop.order', { item: 'tea' });
await client.request('fail', []);
await client.request('missing', []);
await client.request('note', ['seen'], null); // a notification
await client.request([client.request('add', [1, 2], undefined, false), client.request('fail', [], undefined, false), client.request('note', [], null, false)]);

const post = async (body) => (await fetch(`http://127.0.0.1:${port}/rpc`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })).text();
await post('{"method":"add","params":[4,5],"id":17,"jsonrpc":"2.0"}');
await post('{"jsonrpc":"2.0","method":"add","params":[1,2],"id":'); // cannot be parsed
await post('[]');
