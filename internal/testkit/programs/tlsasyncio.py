# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0
"""The asyncio server under test: HTTP/1 over TLS between buffers in memory."""

import asyncio
import os
import sys

from app import answer, context, record


async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, uri, _ = head[0].split(" ")
            fields = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:])}
            request = await reader.readexactly(int(fields.get("content-length") or 0))
            code, kind, response = answer(uri, request, fields.get("content-type"))
            sequence = fields.get("x-sequence", "")
            record(sequence, method, uri, code, request, response)
            writer.write((
                "HTTP/1.1 %d OK\r\nContent-Type: %s\r\nContent-Length: %d\r\nServer-Pid: %d\r\nX-Sequence: %s\r\n\r\n"
                % (code, kind, len(response), os.getpid(), sequence)
            ).encode() + response)
            await writer.drain()
            if fields.get("connection", "").lower() == "close":
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), ssl=context(), limit=1 << 25)
    await server.serve_forever()


asyncio.run(main())
