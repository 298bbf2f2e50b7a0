# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

"""A GraphQL server: graphqlserver.py PORT. It runs with graphql-core 2 and 3."""
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import graphql
from graphql import GraphQLArgument as Argument, GraphQLField as Field, GraphQLID as ID, GraphQLNonNull as NonNull
from graphql import GraphQLObjectType as Object, GraphQLSchema, GraphQLString as String


def broken(root, info):
    raise ValueError("it is broken")


user = Object("User", lambda: {"id": Field(NonNull(ID)), "name": Field(NonNull(String))})
schema = GraphQLSchema(
    query=Object("Query", lambda: {
        "user": Field(user, {"id": Argument(NonNull(ID))}, lambda root, info, id: {"id": id, "name": "user " + id}),
        "broken": Field(String, None, broken),
    }),
    mutation=Object("Mutation", lambda: {
        "rename": Field(
            user,
            {"id": Argument(NonNull(ID)), "name": Argument(NonNull(String)), "password": Argument(String)},
            lambda root, info, id, name, password=None: {"id": id, "name": name},
        ),
    }),
)


def execute(query, variables):
    if hasattr(graphql, "graphql_sync"):
        return graphql.graphql_sync(schema, query, variable_values=variables).formatted
    return graphql.graphql(schema, query, variables=variables).to_dict()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(execute(asked["query"], asked.get("variables"))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
