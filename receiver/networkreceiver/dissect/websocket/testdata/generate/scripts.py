# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

"""Makes ../talk-*.script: calls in messages that real programs do not make."""
import json
import pathlib

here = pathlib.Path(__file__).parent.parent


def quoted(data):
    plain = all(32 <= b < 127 for b in data)
    return json.dumps(data.decode()) if plain else "hex " + data.hex(" ")


def frame(text, masked):
    data = text.encode()
    head = bytes([0x81])
    mask = 0x80 if masked else 0
    head += bytes([mask | len(data)]) if len(data) < 126 else bytes([mask | 126]) + len(data).to_bytes(2, "big")
    return quoted(head + bytes(4 if masked else 0)) + "\n  " + quoted(data)


def write(name, title, subprotocol, messages, end="fin"):
    field = f"Sec-WebSocket-Protocol: {subprotocol}\\r\\n" if subprotocol else ""
    lines = [
        "# " + title,
        f'> "GET / HTTP/1.1\\r\\nHost: a\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n{field}\\r\\n"',
        f'< "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n{field}\\r\\n"',
    ]
    for sender, message in messages:
        text = message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
        lines.append(f"{sender} {frame(text, sender == '>')}")
    lines += [f"end > {end}", f"end < {end}", f"close {end}"]
    (here / f"talk-{name}.script").write_text("\n".join(lines) + "\n")


def subscribe(id, query, **more):
    return {"type": "subscribe", "id": id, "payload": {"query": query, **more}}


write("graphql", "GraphQL: an id that is used again, results after the end, an operation that is open at the end, and what is none.", "graphql-transport-ws", [
    (">", {"type": "connection_init"}), ("<", {"type": "connection_ack"}),
    (">", subscribe("a", "subscription First { x }", variables={"n": 1})),
    (">", subscribe("b", "query Second { y }")),
    ("<", {"type": "next", "id": "a", "payload": {"data": {"x": 1}}}),
    ("<", {"type": "next", "id": "b", "payload": {"data": None, "errors": [{"message": "no y", "extensions": {"code": "NOT_FOUND"}}]}}),
    ("<", {"type": "complete", "id": "b"}),
    ("<", {"type": "next", "id": "b", "payload": {"data": {"y": 1}}}),
    (">", subscribe("a", "subscription Again { x }")),
    ("<", {"type": "error", "id": "a", "payload": [{"message": "one"}, {"message": "two"}]}),
    (">", subscribe("c", "this is no document")),
    (">", {"type": "subscribe", "id": "d"}),
    (">", {"type": "complete", "id": "unknown"}),
    ("<", "this is no JSON"),
    (">", subscribe("e", "subscription Open { x }")),
])
write("jsonrpc", "JSON-RPC without a subprotocol: both ends ask with the same id, notifications, a batch, responses that nobody has asked for.", "", [
    (">", {"jsonrpc": "2.0", "id": 1, "method": "add", "params": [1, 2]}),
    ("<", {"jsonrpc": "2.0", "id": 1, "method": "who"}),
    (">", {"jsonrpc": "2.0", "id": 1, "result": "nobody"}),
    ("<", {"jsonrpc": "2.0", "id": 1, "result": 3}),
    ("<", {"jsonrpc": "2.0", "id": 1, "result": 3}),
    (">", {"jsonrpc": "2.0", "method": "note"}),
    (">", [{"jsonrpc": "2.0", "id": 2, "method": "add"}, {"jsonrpc": "2.0", "id": 3, "method": "add"}]),
    ("<", [{"jsonrpc": "2.0", "id": 2, "result": 0}, {"jsonrpc": "2.0", "id": 3, "error": {"code": -1, "message": "no"}}]),
    (">", {"jsonrpc": "2.0", "id": "x", "method": "slow"}),
    ("<", {"jsonrpc": "2.0", "id": "y", "error": {"code": -32000, "message": "who is y?"}}),
], end="rst")
write("mcp", "The Model Context Protocol.", "mcp", [
    (">", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "weather"}}),
    ("<", {"jsonrpc": "2.0", "id": 1, "result": {"isError": True, "content": []}}),
])
