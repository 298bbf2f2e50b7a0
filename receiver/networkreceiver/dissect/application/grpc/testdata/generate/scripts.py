#!/usr/bin/env python3
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../*.script anew: gRPC-Web and Connect, which go over HTTP/1 as well.
import base64
import json
import os
import struct
import zlib

here = os.path.dirname(os.path.abspath(__file__))


def message(payload, flags=0):
    return struct.pack(">BI", flags, len(payload)) + payload


def text(s):
    b = s.encode()
    return b"\x0a" + bytes([len(b)]) + b


def gzip(b):
    c = zlib.compressobj(9, zlib.DEFLATED, 31)
    return c.compress(b) + c.flush()


def lines(sign, b):
    out = ""
    for i in range(0, len(b), 32):
        out += (sign if i == 0 else " ") + " hex " + " ".join("%02x" % x for x in b[i:i + 32]) + "\n"
    return out


def request(path, kind, body, more=""):
    head = f"POST /{path} HTTP/1.1\r\nHost: a.example\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return lines(">", head.encode() + body)


def response(kind, parts, status="200 OK", more=""):
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Transfer-Encoding: chunked\r\n\r\n"
    out = lines("<", head.encode())
    for p in parts:
        out += lines("<", b"%x\r\n" % len(p) + p + b"\r\n")
    return out + lines("<", b"0\r\n\r\n")


def write(name, about, *steps):
    with open(os.path.join(here, "..", name + ".script"), "w") as f:
        f.write("# " + about + "\n" + "".join(steps) + "end > fin\nend < fin\nclose fin\n")


web = "application/grpc-web+proto"
end = message(b"grpc-status: 0\r\ngrpc-message: \r\n", 0x80)
write("web", "gRPC-Web: a unary call, a stream from the server, and a call that fails.",
      request("shop.Shop/Buy", web, message(text("tea"))),
      response(web, [message(text("bought")), end]),
      request("shop.Shop/List", web, message(text("all"))),
      response(web, [message(text("tea")), message(text("milk")) + message(text("salt")), end]),
      request("shop.Shop/Buy", web, message(text("gold"))),
      response(web, [message(b"grpc-status: 5\r\ngrpc-message: no%20gold\r\n", 0x80)]))
write("web-text", "gRPC-Web in base64, each message with its own padding.",
      request("shop.Shop/List", "application/grpc-web-text", base64.b64encode(message(text("all")))),
      response("application/grpc-web-text", [base64.b64encode(message(text("tea"))), base64.b64encode(message(text("milk"))), base64.b64encode(end)]))
version = "Connect-Protocol-Version: 1\r\n"
write("connect-unary", "Connect, unary: JSON, protobuf, and an error.",
      request("shop.Shop/Buy", "application/json", json.dumps({"item": "tea"}).encode(), version),
      lines("<", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"ok":true}'),
      request("shop.Shop/Buy", "application/json", json.dumps({"item": "gold"}).encode(), version),
      lines("<", b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n" + b'{"code":"not_found","message":"no gold"}'),
      request("shop.Shop/Buy", "application/proto", text("tea"), version),
      lines("<", b"HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\nContent-Length: 8\r\n\r\n" + text("bought")))
write("connect-stream", "Connect, streaming: compressed messages, and an end that says that the call failed.",
      request("shop.Shop/List", "application/connect+json", message(json.dumps({"what": "all"}).encode()), "Connect-Content-Encoding: gzip\r\n"),
      response("application/connect+json", [
          message(gzip(b'{"item":"tea"}'), 1), message(b'{"item":"milk"}'),
          message(b'{"error":{"code":"unavailable","message":"closing time"}}', 2)], more="Connect-Content-Encoding: gzip\r\n"))
write("gap", "A hole within a message of a stream, and one over the end of a message.",
      request("shop.Shop/List", web, message(text("all"))),
      lines("<", b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web+proto\r\nContent-Length: 500\r\n\r\n" + message(text("first")) + message(text("x" * 100))[:50]),
      "gap < 20\n", lines("<", message(text("x" * 100))[70:] + message(text("after"))),
      "gap < 30\n", lines("<", b"y" * (500 - 12 - 107 - 12 - 30)))
write("no-messages", "Bodies that are not what their media type says.",
      request("shop.Shop/Buy", web, b"hello, world"),
      lines("<", b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/grpc-web+proto\r\nContent-Length: 4\r\n\r\nbusy"))
