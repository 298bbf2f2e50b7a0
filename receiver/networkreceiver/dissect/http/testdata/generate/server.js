// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// A server and proxy for generate.sh: node server.js PORT
'use strict';
const http = require('http');
const net = require('net');
const zlib = require('zlib');
const { execFileSync } = require('child_process');

const text = JSON.stringify({ items: Array.from({ length: 60 }, (_, i) => ({ id: i, name: 'thing ' + i })) });
const codings = {
  gzip: ['gzip', zlib.gzipSync],
  deflate: ['deflate', zlib.deflateSync],
  'deflate-raw': ['deflate', zlib.deflateRawSync],
  br: ['br', zlib.brotliCompressSync],
  zstd: ['zstd', (s) => execFileSync('zstd', ['-c'], { input: s })],
};

function echo(req, res) {
  const parts = [];
  req.on('data', (p) => parts.push(p));
  req.on('end', () => {
    const body = Buffer.concat(parts);
    res.writeHead(200, { 'Content-Type': req.headers['content-type'] || 'text/plain', 'Content-Length': body.length });
    res.end(body);
  });
}

const routes = {
  '/echo': echo,
  '/drain': (req, res) => req.resume().on('end', () => res.writeHead(201, { Location: '/things/1' }).end()),
  '/chunked': (req, res) => {
    res.write('first ');
    setTimeout(() => { res.write('second '); setTimeout(() => res.end('third'), 20); }, 20);
  },
  '/trailers': (req, res) => {
    res.writeHead(200, { Trailer: 'X-Checksum', 'Content-Type': 'text/plain; charset=UTF-8' });
    res.write('body');
    res.addTrailers({ 'X-Checksum': 'abc' });
    res.end();
  },
  '/early-hints': (req, res) => {
    res.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
    res.writeProcessing();
    res.end('hinted');
  },
  '/no-content': (req, res) => res.writeHead(204).end(),
  '/until-close': (req, res) => {
    res.useChunkedEncodingByDefault = false;
    res.shouldKeepAlive = false;
    res.writeHead(200, { 'Content-Type': 'text/plain', Connection: 'close' });
    res.write('until ');
    setTimeout(() => res.end('close'), 20);
  },
  '/reset': (req, res) => {
    res.writeHead(200, { 'Content-Length': 1000 });
    res.write('only a part', () => setTimeout(() => req.socket.resetAndDestroy(), 20));
  },
  '/hang': () => {},
};

const server = http.createServer((req, res) => {
  if (req.url.startsWith('http://')) {
    res.end('proxied ' + req.url);
    return;
  }
  const coding = codings[req.url.slice('/coded/'.length)];
  if (req.url.startsWith('/coded/') && coding) {
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': coding[0] });
    res.end(coding[1](text));
    return;
  }
  (routes[req.url] || ((_, r) => r.writeHead(404).end('not found')))(req, res);
});
server.on('checkContinue', (req, res) => {
  if (req.url === '/refuse') {
    res.writeHead(417, { 'Content-Length': 0 }).end();
    return;
  }
  res.writeContinue();
  echo(req, res);
});
server.on('upgrade', (req, socket) => {
  socket.on('error', () => {});
  if (req.headers.upgrade !== 'websocket') {
    socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  socket.on('data', () => socket.end(Buffer.from([0x81, 2, 0x68, 0x69, 0x88, 0])));
});
server.on('connect', (req, socket, head) => {
  socket.on('error', () => {});
  const [host, port] = req.url.split(':');
  if (host === 'forbidden.example') {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    return;
  }
  const upstream = net.connect(port, host, () => {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    upstream.write(head);
    upstream.pipe(socket).pipe(upstream);
  });
  upstream.on('error', () => socket.destroy());
});
server.listen(Number(process.argv[2]), '127.0.0.1');
