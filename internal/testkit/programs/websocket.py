# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# A WebSocket server that echoes, and a client. Both print what they send and get, one
# JSON object for each message.
#   websocket.py serve PORT
#   websocket.py send PORT NAME deflate|plain COUNT
import asyncio
import hashlib
import json
import random
import sys

import websockets

MOST = 4 << 20


def tell(direction, message):
    data = message.encode() if isinstance(message, str) else message
    opcode = "text" if isinstance(message, str) else "binary"
    print(json.dumps({"direction": direction, "opcode": opcode, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}), flush=True)


async def echo(ws):
    try:
        await echo_all(ws)
    except websockets.ConnectionClosedError:
        pass  # closed with a code that is not the usual one


async def echo_all(ws):
    async for message in ws:
        tell("request", message)
        tell("response", message)
        if isinstance(message, str) and message.startswith("parts"):
            await ws.send(iter([message[:2], message[2:4], message[4:]]))
        else:
            await ws.send(message)


async def serve(port):
    async with websockets.serve(echo, "127.0.0.1", port, max_size=MOST, ping_interval=None):
        await asyncio.Future()


def messages(name, count):
    pick = random.Random(name)
    for i in range(count):
        kind = i % 4
        if kind == 0:
            yield json.dumps({"name": name, "number": i, "words": [pick.choice(["quick", "brown", "fox"]) for _ in range(pick.randrange(200))]})
        elif kind == 1:
            yield pick.randbytes(pick.randrange(1, 3000))
        elif kind == 2:
            yield "parts of message %d, %s" % (i, "Grüße " * pick.randrange(100))
        else:
            yield pick.randbytes(100_000) if i % 8 == 3 else ""


async def send(port, name, compression, count):
    async with websockets.connect(f"ws://127.0.0.1:{port}/{name}", compression=compression, max_size=MOST, ping_interval=None) as ws:
        for message in messages(name, count):
            tell("request", message)
            await ws.send(message)
            tell("response", await ws.recv())
        await (await ws.ping(b"still there"))
        await ws.close(4000, "enough")


if sys.argv[1] == "serve":
    asyncio.run(serve(int(sys.argv[2])))
else:
    asyncio.run(send(int(sys.argv[2]), sys.argv[3], "deflate" if sys.argv[4] == "deflate" else None, int(sys.argv[5])))
