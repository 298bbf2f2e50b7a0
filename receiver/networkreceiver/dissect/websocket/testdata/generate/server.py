# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Echoes messages. server.py PORT deflate|plain
import asyncio
import sys

import websockets


async def echo(ws):
    async for message in ws:
        if message == "bye":
            await ws.close(4001, "see you")
        elif message == "parts":
            await ws.send(iter(["frag", "ment", "ed"]))
        elif message == "ping":
            await (await ws.ping(b"server"))
            await ws.send("pinged")
        else:
            await ws.send(message)


async def main():
    compression = "deflate" if sys.argv[2] == "deflate" else None
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1]), compression=compression, max_size=None, ping_interval=None):
        await asyncio.Future()


asyncio.run(main())
