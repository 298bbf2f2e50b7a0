# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0
"""TLS on an event loop, whose connections all write before the loop sends anything. The loop
is asyncio, uvloop or twisted.

  LOOP client BASE CONNECTIONS   for each line NAME on its input it makes a call over each of its
                                 connections, all at once, and says what it got: a line of JSON for
                                 each name, an array of calls; see truth/
  LOOP relay PORT BASE           a server that passes each call on, over a connection of its own
"""

import asyncio
import hashlib
import json
import os
import ssl
import sys
from urllib.parse import urlsplit

LOOP, ROLE = sys.argv[1:3]


class Streams:
    """TLS of asyncio and of uvloop, which takes its place."""

    async def connect(self, host, port):
        reader, writer = await asyncio.open_connection(
            host, port, ssl=ssl.create_default_context(cafile=os.environ["TLS_AUTHORITY"]))
        return reader, writer.write

    async def listen(self, port, serve):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.environ["TLS_CERTIFICATE"], os.environ["TLS_KEY"])
        await asyncio.start_server(lambda reader, writer: serve(reader, writer.write), "127.0.0.1", port, ssl=context)


class Twisted:
    """TLS of Twisted, whose reactor is on asyncio's loop."""

    def __init__(self):
        from twisted.internet import asyncioreactor

        asyncioreactor.install(asyncio.get_running_loop())
        from twisted.internet import reactor
        from twisted.internet.protocol import ClientFactory, Protocol

        class Connection(Protocol):
            def connectionMade(self):
                self.reader = asyncio.StreamReader()
                self.factory.made(self.reader, self.transport.write)

            def dataReceived(self, data):
                self.reader.feed_data(data)

            def connectionLost(self, reason):
                self.reader.feed_eof()

        def factory(made):
            f = ClientFactory.forProtocol(Connection)
            f.made = made
            return f

        self.factory, self.reactor = factory, reactor
        reactor.startRunning(installSignalHandlers=False)

    async def connect(self, host, port):
        from twisted.internet import ssl as tls

        with open(os.environ["TLS_AUTHORITY"], "rb") as f:
            authority = tls.Certificate.loadPEM(f.read())
        made = asyncio.get_running_loop().create_future()
        self.reactor.connectSSL(
            host, port, self.factory(lambda *streams: made.set_result(streams)),
            tls.optionsForClientTLS("localhost", trustRoot=authority))
        return await made

    async def listen(self, port, serve):
        from twisted.internet import ssl as tls

        self.reactor.listenSSL(
            port, self.factory(lambda *streams: asyncio.ensure_future(serve(*streams))),
            tls.DefaultOpenSSLContextFactory(os.environ["TLS_KEY"], os.environ["TLS_CERTIFICATE"]), interface="127.0.0.1")


async def message(reader):
    """Gives a message's lines and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
    body = await reader.readexactly(int(fields.get("content-length") or 0))
    return lines[0].split(" "), head, body


class Client:
    def __init__(self, streams, base, connections):
        self.streams, self.to, self.connections = streams, urlsplit(base), int(connections)

    async def run(self):
        reached = await asyncio.gather(*[self.streams.connect(self.to.hostname, self.to.port) for _ in range(self.connections)])
        while name := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
            print(json.dumps(await asyncio.gather(*[self.call(*c, name.strip(), i) for i, c in enumerate(reached)])), flush=True)

    async def call(self, reader, write, name, i):
        # Calls differ, and their lengths do not.
        sequence, uri = "%s-%02d" % (name, i), "/bytes/%d/64/text" % (10 + i)
        write(("GET %s HTTP/1.1\r\nHost: %s\r\nX-Sequence: %s\r\n\r\n" % (uri, self.to.netloc, sequence)).encode())
        status, _, body = await message(reader)
        return {
            "pid": os.getpid(), "sequence": sequence, "method": "GET", "uri": uri, "status": int(status[1]),
            "request_size": 0, "request_sha256": hashlib.sha256(b"").hexdigest(),
            "response_size": len(body), "response_sha256": hashlib.sha256(body).hexdigest(),
        }


class Relay:
    def __init__(self, streams, port, base):
        self.streams, self.port, self.to = streams, int(port), urlsplit(base)

    async def run(self):
        await self.streams.listen(self.port, self.serve)
        await asyncio.get_running_loop().create_future()

    async def serve(self, reader, write):
        behind, pass_on = await self.streams.connect(self.to.hostname, self.to.port)
        try:
            while True:
                for from_, to in ((reader, pass_on), (behind, write)):
                    _, head, body = await message(from_)
                    to(head + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass


async def main():
    streams = Twisted() if LOOP == "twisted" else Streams()
    await {"client": Client, "relay": Relay}[ROLE](streams, *sys.argv[3:]).run()


if LOOP == "uvloop":
    import uvloop

    uvloop.install()
asyncio.run(main())
