// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Opens a WebSocket by hand, sends one masked frame and waits for the end.
'use strict';
const http = require('http');

const req = http.get({
  port: Number(process.argv[2]), host: '127.0.0.1', path: '/chat',
  headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' },
});
req.on('upgrade', (res, socket) => {
  socket.on('error', () => {}).resume();
  socket.write(Buffer.from([0x81, 0x82, 1, 2, 3, 4, 0x68 ^ 1, 0x69 ^ 2]));
});
