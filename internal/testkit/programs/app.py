# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0
"""The Python server under test, for gunicorn and for http.server; see server/main.go."""

import hashlib
import json
import os
import socket
import ssl
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def body(seed, size, text):
    blocks, k = [], 0
    need = size // (64 if text else 32) + 1
    while k < need:
        block = hashlib.sha256(b"%d:%d" % (seed, k))
        blocks.append(block.hexdigest().encode() if text else block.digest())
        k += 1
    return b"".join(blocks)[:size]


def answer(path, request, media_type):
    """Gives status, media type and body for a request."""
    part = path.split("?")[0].split("/")[1:]
    if part[0] == "bytes":
        text = part[3] == "text"
        kind = "text/plain" if text else "application/octet-stream"
        return 200, kind, body(int(part[1]), int(part[2]), text)
    if part[0] == "status":
        code = int(part[1])
        none = code in (204, 304)
        return code, "text/plain", b"" if none else HTTPStatus(code).phrase.encode() + b"\n"
    return 200, media_type or "text/plain", request


def record(sequence, method, uri, status, request, response):
    line = json.dumps({
        "pid": os.getpid(), "sequence": sequence, "method": method, "uri": uri, "status": status,
        "request_size": len(request), "request_sha256": hashlib.sha256(request).hexdigest(),
        "response_size": len(response), "response_sha256": hashlib.sha256(response).hexdigest(),
    })
    fd = os.open(os.environ["TRUTH"], os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o644)
    os.write(fd, line.encode() + b"\n")
    os.close(fd)


def application(environ, start_response):
    """The WSGI application."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    request = environ["wsgi.input"].read(length) if length else b""
    uri = environ["RAW_URI"]
    code, kind, response = answer(uri, request, environ.get("CONTENT_TYPE"))
    record(environ.get("HTTP_X_SEQUENCE", ""), environ["REQUEST_METHOD"], uri, code, request, response)
    headers = [
        ("Content-Type", kind), ("Server-Pid", str(os.getpid())),
        ("X-Sequence", environ.get("HTTP_X_SEQUENCE", "")),
    ]
    if code not in (204, 304):
        headers.append(("Content-Length", str(len(response))))
    start_response("%d %s" % (code, HTTPStatus(code).phrase), headers)
    return [response]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        request = self.rfile.read(length)
        code, kind, response = answer(self.path, request, self.headers.get("Content-Type"))
        record(self.headers.get("X-Sequence", ""), self.command, self.path, code, request, response)
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Server-Pid", str(os.getpid()))
        self.send_header("X-Sequence", self.headers.get("X-Sequence", ""))
        if code not in (204, 304):
            self.send_header("Content-Length", str(len(response)))
        self.end_headers()
        self.wfile.write(response)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_GET


def context():
    """Gives the server's side of TLS."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(os.environ["TLS_CERTIFICATE"], os.environ["TLS_KEY"])
    return tls


class Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True


if __name__ == "__main__":
    server = Server(("::1", int(sys.argv[1])), Handler)
    if "TLS_CERTIFICATE" in os.environ:
        server.socket = context().wrap_socket(server.socket, server_side=True)
    server.serve_forever()
