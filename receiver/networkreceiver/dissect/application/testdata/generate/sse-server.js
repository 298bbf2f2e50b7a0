// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Event streams, over HTTP/1 on the first port and over HTTP/2 without TLS on the second.
import http from 'node:http';
import http2 from 'node:http2';
import zlib from 'node:zlib';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const streams = {
  '/events': ['retry: 50\n\n', ': ping\n\n', 'data: one\n\n', 'id: 7\nevent: price\ndata: {"symbol":"ACME",\ndata: "price":12.5}\n\n', 'data\n\n', 'event: end\ndata: bye\n\n'],
  '/crlf': ['\ufeffdata: first\r\n\r\n', 'data:no space\r', '\n\r', '\ndata: a\r\ndata: b\r\n\r\n'],
  '/cr': ['data: old\r\r', 'event: mac\rdata: line\rdata:  two spaces\r\r'],
  '/unfinished': ['data: whole\n\n', 'data: the blank line is miss'],
  '/split': [...'event: letters\ndata: äöü 😀\n\n'].map((c) => c),
  '/large': ['data: ' + 'x'.repeat(20000) + '\n\n', 'data: small\n\n'],
};

async function serve(request, response) {
  const path = request.url;
  if (path === '/reset') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('data: before\n\ndata: half an ev');
    await pause(50);
    return (request.socket ?? response.stream.session.socket).resetAndDestroy?.();
  }
  if (path === '/gzip') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Content-Encoding': 'gzip' });
    const coder = zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH });
    coder.pipe(response);
    for (const event of streams['/events']) {
      coder.write(event);
      await pause(20);
    }
    return coder.end();
  }
  const pieces = streams[path];
  if (!pieces) {
    response.writeHead(404, { 'Content-Type': 'text/plain' });
    return response.end('no such stream');
  }
  response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-cache' });
  for (const piece of pieces) {
    response.write(piece);
    await pause(20);
  }
  response.end();
}

const [one, two] = process.argv.slice(2).map(Number);
http.createServer(serve).listen(one, '127.0.0.1');
http2.createServer(serve).listen(two, '127.0.0.1');
