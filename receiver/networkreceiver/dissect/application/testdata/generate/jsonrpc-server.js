// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// A JSON-RPC 2.0 server.
import jayson from 'jayson/promise/index.js';

const server = new jayson.Server({
  add: async ([a, b]) => a + b,
  'shop.order': async ({ item }) => ({ item, total: 12.5 }),
  fail: async () => {
    throw server.error(-32050, 'out of stock', { item: 'tea' });
  },
  note: async () => null,
});
server.http().listen(Number(process.argv[2]), '127.0.0.1');
