# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Sends messages of all kinds and waits for the answer to each.
# client.py PORT deflate|plain
import asyncio
import json
import sys

import websockets


async def main():
    compression = "deflate" if sys.argv[2] == "deflate" else None
    uri = f"ws://127.0.0.1:{sys.argv[1]}/chat?room=1"
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    async with websockets.connect(uri, compression=compression, max_size=None, ping_interval=None, extra_headers=headers) as ws:
        for message in [
            json.dumps({"type": "hello", "user": "ann", "password": "hunter2"}),
            "Grüße",
            "",
            bytes(range(256)),
            json.dumps([{"line": i, "text": "the quick brown fox"} for i in range(300)]),
            json.dumps({"type": "hello", "user": "ann", "password": "hunter2"}),
            "parts",
            "ping",
        ]:
            await ws.send(message)
            await ws.recv()
        await (await ws.ping(b"client"))
        await ws.send(iter([b"\x00\x01", b"\x02", b"\x03\x04"]))
        await ws.recv()
        await ws.send("bye")
        try:
            await ws.recv()
        except websockets.ConnectionClosed:
            pass


asyncio.run(main())
