// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// An HTTP/2 server without TLS for generate.sh: node server.js PORT
'use strict';
const http2 = require('node:http2');
const zlib = require('node:zlib');

const server = http2.createServer({ settings: { enableConnectProtocol: true } });
server.on('stream', (stream, headers) => {
  const path = headers[':path'];
  stream.on('error', () => {});
  if (headers[':method'] === 'CONNECT') {
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  } else if (path === '/push') {
    stream.pushStream({ ':path': '/style.css' }, (err, push) => {
      if (err) return;
      push.respond({ ':status': 200, 'content-type': 'text/css' });
      push.end('body { color: black }');
    });
    stream.respond({ ':status': 200, 'content-type': 'text/html' });
    stream.end('<link rel=stylesheet href=/style.css>');
  } else if (path === '/trailers') {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-checksum': 'abc', 'x-status': '0' }));
    stream.end('a body, then trailers');
  } else if (path === '/hints') {
    stream.additionalHeaders({ ':status': 103, link: '</style.css>; rel=preload' });
    stream.respond({ ':status': 200 });
    stream.end('hinted');
  } else if (path === '/refuse') {
    stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  } else if (path === '/break') {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' });
    stream.write('the beginning');
    setTimeout(() => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR), 50);
  } else if (path === '/hang') {
    // never answered
  } else if (path === '/large-header') {
    stream.respond({ ':status': 200, 'x-large': 'x'.repeat(40000) });
    stream.end('after a large header');
  } else if (path.startsWith('/coded/')) {
    const coding = path.slice('/coded/'.length);
    const encode = { gzip: zlib.gzipSync, deflate: zlib.deflateSync, br: zlib.brotliCompressSync }[coding];
    stream.respond({ ':status': 200, 'content-type': 'application/json', 'content-encoding': coding });
    stream.end(encode(Buffer.from(JSON.stringify({ coded: 'text '.repeat(100) }))));
  } else if (path === '/early') {
    stream.respond({ ':status': 413 });
    stream.end('too much');
  } else {
    const parts = [];
    stream.on('data', (b) => parts.push(b));
    stream.on('end', () => {
      const body = Buffer.concat(parts);
      stream.respond({ ':status': path === '/missing' ? 404 : 200, 'content-type': 'text/plain', 'content-length': body.length });
      stream.end(body);
    });
  }
});
server.on('session', (session) => session.on('error', () => {}));
server.listen(Number(process.argv[2]), '127.0.0.1');
