# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0
"""A TLS client under test that reads slowly: MODE BASE, with the mode blocking or asyncio.
For each line SEQUENCE URI it calls, all over one connection, and says what it got as a
line of JSON; see truth/."""

import asyncio
import hashlib
import http.client
import json
import os
import ssl
import sys
import time
from urllib.parse import urlsplit

TO = urlsplit(sys.argv[2])
CONTEXT = ssl.create_default_context(cafile=os.environ["TLS_AUTHORITY"])
STEP, PAUSE = 16384, 0.01


def say(sequence, uri, status, response):
    print(json.dumps({
        "pid": os.getpid(), "sequence": sequence, "method": "GET", "uri": uri, "status": status,
        "request_size": 0, "request_sha256": hashlib.sha256(b"").hexdigest(),
        "response_size": len(response), "response_sha256": hashlib.sha256(response).hexdigest(),
    }), flush=True)


def blocking():
    connection = http.client.HTTPSConnection(TO.hostname, TO.port, context=CONTEXT)
    for line in sys.stdin:
        sequence, uri = line.split()
        connection.request("GET", uri, None, {"X-Sequence": sequence})
        response = connection.getresponse()
        body = b""
        while piece := response.read(STEP):
            body += piece
            time.sleep(PAUSE)
        say(sequence, uri, response.status, body)


async def stream():
    reader, writer = await asyncio.open_connection(TO.hostname, TO.port, ssl=CONTEXT)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        sequence, uri = line.split()
        writer.write(f"GET {uri} HTTP/1.1\r\nHost: {TO.netloc}\r\nX-Sequence: {sequence}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        size, body = int(head.split("content-length:")[1].split("\r\n")[0]), b""
        while len(body) < size:
            body += await reader.read(min(STEP, size - len(body)))
            await asyncio.sleep(PAUSE)
        say(sequence, uri, int(head.split(" ")[1]), body)


if sys.argv[1] == "blocking":
    blocking()
else:
    asyncio.run(stream())
