# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

"""Calls inside WebSocket messages, GraphQL (graphql-transport-ws) and JSON-RPC:
  talk.py serve PORT
  talk.py send PORT     prints what became of each call, one JSON object per line
It runs with graphql-core 2 and 3."""
import asyncio
import json
import sys

import graphql
import websockets
from graphql import GraphQLArgument as Argument, GraphQLField as Field, GraphQLInt as Int
from graphql import GraphQLObjectType as Object, GraphQLSchema

SUBPROTOCOL = "graphql-transport-ws"


def broken(root, info):
    raise ValueError("it is broken")


schema = GraphQLSchema(query=Object("Query", lambda: {
    "double": Field(Int, {"of": Argument(Int)}, lambda root, info, of: 2 * of),
    "broken": Field(Int, None, broken),
}))


def execute(query):
    if hasattr(graphql, "graphql_sync"):
        return graphql.graphql_sync(schema, query).formatted
    return graphql.graphql(schema, query).to_dict()


async def serve_graphql(ws):
    async for text in ws:
        message = json.loads(text)
        if message["type"] == "connection_init":
            await ws.send(json.dumps({"type": "connection_ack"}))
        elif message["type"] == "subscribe":
            query = message["payload"]["query"]
            # A subscription is the query that it stands for, three times.
            times = 3 if query.startswith("subscription") else 1
            for _ in range(times):
                result = execute(query.replace("subscription", "query"))
                await ws.send(json.dumps({"type": "next", "id": message["id"], "payload": result}))
            if "Endless" not in query:
                await ws.send(json.dumps({"type": "complete", "id": message["id"]}))


async def serve_rpc(ws):
    async for text in ws:
        message = json.loads(text)
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        if message["method"] == "fail":
            reply["error"] = {"code": -32001, "message": "insufficient funds"}
        else:
            await ws.send(json.dumps({"jsonrpc": "2.0", "id": "back", "method": "who"}))
            reply["result"] = json.loads(await ws.recv())["result"]
        await ws.send(json.dumps(reply))


async def serve(port):
    async def handle(ws, path=None):
        await (serve_graphql if ws.subprotocol == SUBPROTOCOL else serve_rpc)(ws)

    async with websockets.serve(handle, "127.0.0.1", port, subprotocols=[SUBPROTOCOL], ping_interval=None):
        await asyncio.Future()


def tell(**call):
    print(json.dumps(call), flush=True)


async def ask_graphql(port):
    async with websockets.connect(f"ws://127.0.0.1:{port}/graphql", subprotocols=[SUBPROTOCOL], ping_interval=None) as ws:
        await ws.send(json.dumps({"type": "connection_init", "payload": {"token": "hunter2"}}))
        await ws.recv()
        for i, query in enumerate(["query Double { double(of: 4) }", "query Bad { broken }", "subscription Thrice { double(of: 5) }", "subscription Endless { double(of: 6) }"]):
            name = query.split("{")[0].strip()
            await ws.send(json.dumps({"type": "subscribe", "id": str(i), "payload": {"query": query}}))
            results, errors, message = 0, 0, {}
            while message.get("type") != "complete" and (name != "subscription Endless" or results < 3):
                message = json.loads(await ws.recv())
                if message["type"] == "next":
                    results += 1
                    errors += len(message["payload"].get("errors") or [])
            if message["type"] != "complete":
                await ws.send(json.dumps({"type": "complete", "id": str(i)}))
            tell(name=name, results=results, errors=errors)


async def ask_rpc(port):
    async with websockets.connect(f"ws://127.0.0.1:{port}/rpc", ping_interval=None) as ws:
        for i, method in enumerate(["call back", "fail"]):
            await ws.send(json.dumps({"jsonrpc": "2.0", "id": i, "method": method}))
            message = json.loads(await ws.recv())
            if "method" in message:
                await ws.send(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": "nobody"}))
                message = json.loads(await ws.recv())
            tell(name=method, code=str(message.get("error", {}).get("code", "")))


async def send(port):
    await ask_graphql(port)
    await ask_rpc(port)


asyncio.run((serve if sys.argv[1] == "serve" else send)(int(sys.argv[2])))
