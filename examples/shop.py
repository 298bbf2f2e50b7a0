# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

"""A shop of three services, for generate.sh.

    shop.py stock|payment|shop ADDRESS:PORT
"""

import json
import sys
import time
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen
from urllib.error import HTTPError

import grpc

RESERVE = "/shop.v1.Stock/Reserve"


def message(sku, quantity):
    """Encodes a protobuf message of a string (1) and a small number (2)."""
    return b"\x0a" + bytes([len(sku)]) + sku.encode() + b"\x10" + bytes([quantity])


def reserve(request, context):
    quantity = request[-1]
    time.sleep(0.004)
    if quantity > 40:
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "40 left of tea-500")
    return message("r-7", 40 - quantity)


def serve_stock(host, port):
    server = grpc.server(futures.ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(reserve)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.v1.Stock", {"Reserve": handler}),))
    server.add_insecure_port(f"{host}:{port}")
    server.start()
    server.wait_for_termination()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, status, value):
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class Payment(Handler):
    def do_POST(self):
        charge = self.body()
        time.sleep(0.03)
        if charge["card"] == "expired":
            self.answer(402, {"error": "card_declined"})
        else:
            self.answer(201, {"charge": "ch-88", "amount": charge["amount"]})


class Shop(Handler):
    def do_GET(self):
        self.answer(200, {"order": 1042, "status": "packed"})

    def do_POST(self):
        order = self.body()
        trace = self.headers["traceparent"]
        try:
            request = message(order["sku"], order["quantity"])
            stock.unary_unary(RESERVE)(request, metadata=[("traceparent", trace)], timeout=5)
        except grpc.RpcError as e:
            return self.answer(409, {"error": e.details()})
        charge = json.dumps({"amount": 17.8, "card": order["card"], "password": "correct horse"}).encode()
        headers = {"Content-Type": "application/json", "traceparent": trace}
        try:
            with urlopen(Request("http://payment.example:8081/v1/charges", charge, headers)) as response:
                paid = json.load(response)
        except HTTPError as e:
            return self.answer(e.code, json.load(e))
        return self.answer(201, {"order": 1042, "status": "confirmed", "charge": paid["charge"]})


role, address = sys.argv[1:]
host, port = address.split(":")
if role == "stock":
    serve_stock(host, int(port))
else:
    stock = grpc.insecure_channel("stock.example:50051")
    ThreadingHTTPServer((host, int(port)), {"payment": Payment, "shop": Shop}[role]).serve_forever()
