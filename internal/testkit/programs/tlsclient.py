# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0
"""TLS clients under test: MODE BASE URI SEQUENCE BODYFILE. They say what they did as a
line of JSON; see truth/. Modes are blocking, asyncio, and nss (curl's library)."""

import asyncio
import ctypes
import hashlib
import http.client
import json
import os
import ssl
import sys
from urllib.parse import urlsplit

MODE, BASE, URI, SEQUENCE, FILE = sys.argv[1:6]
AUTHORITY = os.environ["TLS_AUTHORITY"]
METHOD = "POST" if FILE else "GET"


def body():
    if not FILE:
        return b""
    with open(FILE, "rb") as f:
        return f.read()


def blocking(request):
    to = urlsplit(BASE)
    connection = http.client.HTTPSConnection(to.hostname, to.port, context=ssl.create_default_context(cafile=AUTHORITY))
    connection.request(METHOD, URI, request or None, {"X-Sequence": SEQUENCE})
    response = connection.getresponse()
    return response.status, response.read()


async def stream(request):
    to = urlsplit(BASE)
    reader, writer = await asyncio.open_connection(
        to.hostname, to.port, ssl=ssl.create_default_context(cafile=AUTHORITY), limit=1 << 25)
    writer.write((
        "%s %s HTTP/1.1\r\nHost: %s\r\nX-Sequence: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        % (METHOD, URI, to.netloc, SEQUENCE, len(request))
    ).encode() + request)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    if "content-length:" in head:
        response = await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
    elif "chunked" in head:
        response = b""
        while size := int(await reader.readline(), 16):
            response += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        response = await reader.read()
    writer.close()
    return int(head.split(" ")[1]), response


def nss(request):
    curl = ctypes.CDLL("libcurl-nss.so.4")
    curl.curl_easy_init.restype = curl.curl_slist_append.restype = ctypes.c_void_p
    curl.curl_slist_append.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    curl.curl_easy_strerror.restype = ctypes.c_char_p
    handle, response = ctypes.c_void_p(curl.curl_easy_init()), bytearray()

    @ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p)
    def write(data, size, n, _):
        response.extend(ctypes.string_at(data, size * n))
        return size * n

    fields = curl.curl_slist_append(curl.curl_slist_append(None, b"X-Sequence: " + SEQUENCE.encode()), b"Expect:")
    options = {  # curl/curl.h
        10002: (BASE + URI).encode(), 10023: ctypes.c_void_p(fields), 20011: write,
        64: ctypes.c_long(0), 81: ctypes.c_long(0),  # it cannot read the authority's certificate without a plug-in
        84: ctypes.c_long(2),  # HTTP/1.1
    }
    if FILE:
        options.update({60: ctypes.c_long(len(request)), 10015: request})
    for option, value in options.items():
        curl.curl_easy_setopt(handle, option, value)
    failed = curl.curl_easy_perform(handle)
    if failed:
        sys.exit(curl.curl_easy_strerror(failed).decode())
    status = ctypes.c_long()
    curl.curl_easy_getinfo(handle, 0x200002, ctypes.byref(status))
    return status.value, bytes(response)


def main():
    request = body()
    if MODE == "asyncio":
        status, response = asyncio.run(stream(request))
    else:
        status, response = {"blocking": blocking, "nss": nss}[MODE](request)
    print(json.dumps({
        "pid": os.getpid(), "method": METHOD, "uri": URI, "status": status,
        "request_size": len(request), "request_sha256": hashlib.sha256(request).hexdigest(),
        "response_size": len(response), "response_sha256": hashlib.sha256(response).hexdigest(),
    }))


main()
