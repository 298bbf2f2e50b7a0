// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tlspeer

// Clients take a URL, a certificate, and a header's name and value; servers take a
// certificate, its key, the file of the body, and the header's name.
const (
	responseHead = `
def head(request):
    sequence = [l for l in request.split(b"\r\n") if l.lower().startswith(sys.argv[4].lower().encode() + b":")]
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), b"Connection: close"] + sequence + [b"", b""])
`
	blockingClient = `
import ssl, sys, urllib.request
c = ssl.create_default_context(cafile=sys.argv[2])
q = urllib.request.Request(sys.argv[1], headers={sys.argv[3]: sys.argv[4]})
sys.stdout.buffer.write(urllib.request.urlopen(q, context=c).read())
`
	asyncClient = `
import asyncio, ssl, sys, urllib.parse
async def main():
    c = ssl.create_default_context(cafile=sys.argv[2])
    u = urllib.parse.urlsplit(sys.argv[1])
    r, w = await asyncio.open_connection(u.hostname, u.port, ssl=c)
    w.write(b"GET %s HTTP/1.1\r\nHost: x\r\n%s: %s\r\nConnection: close\r\n\r\n" % tuple(x.encode() for x in (u.path, sys.argv[3], sys.argv[4])))
    head = await r.readuntil(b"\r\n\r\n")
    sys.stdout.buffer.write(await r.read())
    w.close()
asyncio.run(main())
`
	asyncServer = `
import asyncio, ssl, sys
body = open(sys.argv[3], "rb").read()
` + responseHead + `
async def answer(r, w):
    w.write(head(await r.readuntil(b"\r\n\r\n")) + body)
    await w.drain()
    w.close()
async def main():
    c = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    c.load_cert_chain(sys.argv[1], sys.argv[2])
    s = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=c)
    print("127.0.0.1:%d" % s.sockets[0].getsockname()[1], flush=True)
    await s.serve_forever()
asyncio.run(main())
`
	// One SSL_write takes the whole body.
	blockingServer = `
import socket, ssl, sys
body = open(sys.argv[3], "rb").read()
` + responseHead + `
c = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
c.load_cert_chain(sys.argv[1], sys.argv[2])
l = socket.create_server(("127.0.0.1", 0))
print("127.0.0.1:%d" % l.getsockname()[1], flush=True)
while True:
    p, _ = l.accept()
    s = c.wrap_socket(p, server_side=True)
    s.sendall(head(s.recv(65536)) + body)
    s.close()
`
	nodeClient = `
const fs = require("fs");
const [url, cert, name, value] = process.argv.slice(1);
require("https").get(url, {ca: fs.readFileSync(cert), headers: {[name]: value}}, r => r.pipe(process.stdout));
`
	nodeServer = `
const fs = require("fs");
const [cert, key, body] = process.argv.slice(1, 4).map(p => fs.readFileSync(p));
const name = process.argv[4];
const s = require("https").createServer({cert, key}, (q, r) => {
  r.setHeader(name, q.headers[name.toLowerCase()] || "");
  r.end(body);
});
s.listen(0, "127.0.0.1", () => console.log("127.0.0.1:" + s.address().port));
`
)
