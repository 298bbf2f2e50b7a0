// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// HTTP/2 clients for generate.sh: node client.js PORT CASE
'use strict';
const http2 = require('node:http2');

const [port, what] = process.argv.slice(2);
const session = http2.connect(`http://127.0.0.1:${port}`);
session.on('error', () => {});

function call(headers, body, onStream) {
  return new Promise((done) => {
    const stream = session.request(headers, { endStream: body === undefined && !onStream });
    stream.on('error', () => {});
    stream.on('close', done);
    stream.resume();
    if (onStream) onStream(stream);
    else if (body !== undefined) stream.end(body);
  });
}

const cases = {
  async many() {
    const all = [];
    for (let i = 0; i < 100; i++) {
      all.push(call({ ':method': 'POST', ':path': `/echo/${i}?q=${i}`, 'x-sequence': `s-${i}` }, `body of ${i} `.repeat(1 + (i % 7) * 15)));
    }
    await Promise.all(all);
  },
  async resets() {
    await call({ ':path': '/refuse' });
    await call({ ':path': '/break' });
    await call({ ':path': '/hang' }, undefined, (s) => setTimeout(() => s.close(http2.constants.NGHTTP2_CANCEL), 50));
    await call({ ':path': '/fine' });
  },
  async odd() {
    session.on('stream', (push) => push.resume());
    await call({ ':path': '/push' });
    await call({ ':path': '/trailers' });
    await call({ ':path': '/hints' });
    await call({ ':path': '/large-header', 'x-large': 'y'.repeat(30000) });
    for (const coding of ['gzip', 'deflate', 'br']) await call({ ':path': `/coded/${coding}` });
    await call({ ':method': 'POST', ':path': '/early' }, 'z'.repeat(20000));
    await call({ ':path': '/missing' });
  },
  async connect() {
    await new Promise((done) => session.once('remoteSettings', done));
    await call({ ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/chat', ':authority': 'a.example' },
      undefined, (s) => { s.write('not HTTP'); s.once('data', () => s.end()); });
    await call({ ':method': 'CONNECT', ':authority': 'a.example:443' }, undefined, (s) => { s.once('response', () => s.end('tunnel')); });
    await call({ ':path': '/after' });
  },
  async table() {
    session.settings({ headerTableSize: 0 });
    for (let i = 0; i < 3; i++) await call({ ':path': '/a', 'x-repeated': 'value' });
    session.settings({ headerTableSize: 16384 });
    for (let i = 0; i < 3; i++) await call({ ':path': `/b/${i}`, 'x-repeated': 'value' });
  },
};
cases[what]().then(() => session.close());
