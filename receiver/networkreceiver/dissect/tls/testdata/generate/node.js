// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// A server and a client in Node: node --tls-keylog=FILE node.js PORT CERTIFICATE KEY AUTHORITY
const fs = require('fs');
const https = require('https');
const [port, cert, key, ca] = process.argv.slice(2);

const server = https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) }, (req, res) => {
  req.resume();
  req.on('end', () => { res.write('one '); res.write('two '); res.end('three'); });
});
server.listen(Number(port), '127.0.0.1', () => {
  const req = https.request({ host: '127.0.0.1', port, path: '/node', method: 'PUT', ca: fs.readFileSync(ca), servername: 'shop.example' }, (res) => {
    res.resume();
    res.on('end', () => { server.close(); server.closeAllConnections(); });
  });
  req.end(JSON.stringify({ from: 'node' }));
});
