// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Sends messages that are compressed each by itself. client.js PORT
'use strict';
const WebSocket = require('ws');

const messages = ['{"a":1,"b":"' + 'x'.repeat(2000) + '"}', Buffer.alloc(3000, 7), 'short', '{"a":1,"b":"' + 'x'.repeat(2000) + '"}'];
const ws = new WebSocket(`ws://127.0.0.1:${process.argv[2]}/node`, {
  perMessageDeflate: { clientNoContextTakeover: true, serverNoContextTakeover: true, threshold: 100 },
});
ws.on('open', () => ws.send(messages.shift()));
ws.on('message', () => {
  if (messages.length > 0) ws.send(messages.shift());
  else ws.close(1000, 'done');
});
