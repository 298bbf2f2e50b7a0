# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

"""Python's gRPC server and client of all kinds of calls; see rpc/main.go.

    rpc.py serve ADDR
    rpc.py send ADDR NAME COUNT [KIND...]

They speak TLS if TLS_CERTIFICATE and TLS_KEY, or TLS_AUTHORITY, name files."""

import json
import os
import sys
import threading
import time
from concurrent import futures

import grpc

PREFIX = "/wirespan.test.Echo/"
SIZE = [("grpc.max_receive_message_length", 8 << 20), ("grpc.max_send_message_length", 8 << 20)]
LARGE = 4 << 20
CODES = {
    grpc.StatusCode.OK: "OK",
    grpc.StatusCode.NOT_FOUND: "NotFound",
    grpc.StatusCode.DEADLINE_EXCEEDED: "DeadlineExceeded",
}

lock = threading.Lock()


def pack(text):
    """Encodes a google.protobuf.StringValue, whose field 1 is a string."""
    data = text.encode()
    size, n = b"", len(data)
    while n > 127:
        size += bytes([n & 127 | 128])
        n >>= 7
    return b"\x0a" + size + bytes([n]) + data if data else b""


def unpack(message):
    if not message:
        return ""
    i = 1
    while message[i] & 128:
        i += 1
    return message[i + 1 :].decode()


def tell(name, method, code, request, response):
    line = json.dumps({"name": name, "method": method, "code": CODES.get(code, str(code)), "request": request or None, "response": response or None})
    with lock:
        print(line, flush=True)


class Told:
    """A call as the server has seen it."""

    def __init__(self, context, method):
        self.name = dict(context.invocation_metadata()).get("x-call", "")
        self.method, self.request, self.response = method, [], []

    def take(self, message):
        self.request.append(unpack(message))
        return self.request[-1]

    def give(self, text):
        self.response.append(text)
        return pack(text)

    def end(self, code=grpc.StatusCode.OK):
        tell(self.name, self.method, code, self.request, self.response)


def say(message, context):
    call = Told(context, "Say")
    text = call.take(message)
    if text == "missing":
        call.end(grpc.StatusCode.NOT_FOUND)
        context.abort(grpc.StatusCode.NOT_FOUND, "nothing here: 100 %")
    if text == "slow":
        while context.is_active():
            time.sleep(0.01)
        call.end(grpc.StatusCode.DEADLINE_EXCEEDED)
        return b""
    if text == "large":
        text = "0123456789abcdef" * (LARGE // 16)
    answer = call.give(text)
    call.end()
    return answer


def many(message, context):
    call = Told(context, "Many")
    call.take(message)
    for i in range(5):
        yield call.give(f"{call.name}, answer {i}")
    call.end()


def collect(messages, context):
    call = Told(context, "Collect")
    for message in messages:
        call.take(message)
    answer = call.give("; ".join(call.request))
    call.end()
    return answer


def chat(messages, context):
    call = Told(context, "Chat")
    for message in messages:
        yield call.give("re: " + call.take(message))
    call.end()


def read(name):
    with open(os.environ[name], "rb") as f:
        return f.read()


def add_port(server, addr):
    if "TLS_CERTIFICATE" not in os.environ:
        return server.add_insecure_port(addr)
    return server.add_secure_port(addr, grpc.ssl_server_credentials([(read("TLS_KEY"), read("TLS_CERTIFICATE"))]))


def connect(addr):
    if "TLS_AUTHORITY" not in os.environ:
        return grpc.insecure_channel(addr, options=SIZE)
    return grpc.secure_channel(addr, grpc.ssl_channel_credentials(read("TLS_AUTHORITY")), options=SIZE)


def serve(addr):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=SIZE)
    handlers = {
        "Say": grpc.unary_unary_rpc_method_handler(say),
        "Many": grpc.unary_stream_rpc_method_handler(many),
        "Collect": grpc.stream_unary_rpc_method_handler(collect),
        "Chat": grpc.stream_stream_rpc_method_handler(chat),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("wirespan.test.Echo", handlers),))
    if not add_port(server, addr):
        sys.exit("cannot listen on " + addr)
    server.start()
    server.wait_for_termination()


class Sender:
    def __init__(self, channel, name):
        self.channel, self.metadata, self.name = channel, [("x-call", name)], name

    def unary(self, text, timeout=30, **options):
        code, response = grpc.StatusCode.OK, []
        try:
            reply = self.channel.unary_unary(PREFIX + "Say")(pack(text), timeout=timeout, metadata=self.metadata, **options)
            response = [unpack(reply)]
        except grpc.RpcError as e:
            code = e.code()
        tell(self.name, "Say", code, [text], response)

    def stream(self, method, count):
        texts = [f"{self.name} message {i}" for i in range(count)]
        packed = [pack(text) for text in texts]
        options = {"timeout": 30, "metadata": self.metadata}
        if method == "Many":
            replies = self.channel.unary_stream(PREFIX + method)(packed[0], **options)
        elif method == "Collect":
            replies = [self.channel.stream_unary(PREFIX + method)(iter(packed), **options)]
        else:
            replies = self.channel.stream_stream(PREFIX + method)(iter(packed), **options)
        tell(self.name, method, grpc.StatusCode.OK, texts, [unpack(reply) for reply in replies])


KINDS = {
    "unary": lambda s: s.unary("hello " + s.name),
    "gzip": lambda s: s.unary("again " * 200, compression=grpc.Compression.Gzip),
    "missing": lambda s: s.unary("missing"),
    "slow": lambda s: s.unary("slow", timeout=0.5),
    "large": lambda s: s.unary("large"),
    "server": lambda s: s.stream("Many", 1),
    "client": lambda s: s.stream("Collect", 5),
    "bidi": lambda s: s.stream("Chat", 5),
}


def send(addr, name, count, only):
    with connect(addr) as channel, futures.ThreadPoolExecutor(max_workers=8) as pool:
        running = [pool.submit(run, Sender(channel, f"{kind}-{name}-{i}")) for i in range(count) for kind, run in KINDS.items() if kind in only or not only]
        for call in running:
            call.result()


if sys.argv[1] == "serve":
    serve(sys.argv[2])
else:
    send(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5:])
