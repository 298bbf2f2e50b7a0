// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Plays byte sequences that ordinary programs do not send, both sides of a
// connection each, piece by piece, on port 8084.
'use strict';
const net = require('net');

const crlf = (s) => s.replace(/\n/g, '\r\n');
// Each entry is a connection: [who speaks, what] in turn.
const talks = [
  // bare LF, obs-fold, empty lines before the request
  [['c', '\r\nGET /fold HTTP/1.1\nHost: a\nX-Long: one\n two\n\n'], ['s', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok']],
  // extensions and trailers of both sides
  [['c', crlf('POST /chunks HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTrailer: X-Sum\n\n4;ext="v"\ndata\n0\nX-Sum: 1\n\n')],
    ['s', crlf('HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n000a;x\n0123456789\n')], ['s', crlf('1\n!\n0\nX-Sum: 2\n\n')]],
  // early response, then the rest of the request, then another call
  [['c', crlf('POST /early HTTP/1.1\nHost: a\nContent-Length: 10\n\n01234')], ['s', crlf('HTTP/1.1 413 Too Large\nContent-Length: 0\n\n')],
    ['c', '56789'], ['c', crlf('GET /next HTTP/1.1\nHost: a\n\n')], ['s', crlf('HTTP/1.1 200 OK\nContent-Length: 4\n\nnext')]],
  // ambiguous framing
  [['c', crlf('POST /smuggle HTTP/1.1\nHost: a\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n')], ['s', crlf('HTTP/1.1 400 Bad Request\nContent-Length: 0\n\n')]],
  [['c', crlf('POST /lengths HTTP/1.1\nHost: a\nContent-Length: 4\nContent-Length: 5\n\nabcde')], ['s', crlf('HTTP/1.1 400 Bad Request\nContent-Length: 0\nConnection: close\n\n')]],
  // no response, and a response that nobody asked for
  [['c', crlf('GET /silent HTTP/1.1\nHost: a\n\n')]],
  [['s', crlf('HTTP/1.1 408 Request Timeout\nContent-Length: 0\nConnection: close\n\n')]],
  // unknown method
  [['c', crlf('BREW /pot HTTP/1.1\nHost: a\n\n')], ['s', crlf("HTTP/1.1 418 I'm a teapot\nContent-Length: 0\n\n")]],
];

async function play(talk) {
  const server = net.createServer();
  await new Promise((done) => server.listen(8084, '127.0.0.1', done));
  const accepted = new Promise((done) => server.once('connection', done));
  const client = net.connect(8084, '127.0.0.1');
  const sides = { c: client, s: await accepted };
  for (const side of Object.values(sides)) side.on('error', () => {}).resume();
  for (const [who, what] of talk) {
    sides[who].write(what, 'latin1');
    await new Promise((done) => setTimeout(done, 30));
  }
  sides.c.end();
  sides.s.end();
  await new Promise((done) => setTimeout(done, 50));
  await new Promise((done) => server.close(done));
}

(async () => { for (const talk of talks) await play(talk); })();
