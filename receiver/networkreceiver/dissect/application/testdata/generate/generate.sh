#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../../*/testdata/*.pcap anew: real clients and servers on the loopback device of a
# network namespace of their own, recorded by tcpdump. Needs root, curl, node, npm and
# tcpdump, and npm's registry unless NODE_MODULES names a folder. The README of each protocol
# lists what each file is for.
prepare() {
	cp "$here"/*.js "$work"
	install_modules
}
. "$(dirname "$0")/../../../dissecttest/record.sh"
cd "$work"

# record PROTOCOL/NAME PORT COMMAND... records what COMMAND does on PORT.
record() {
	record_to "$here/../../${1%/*}/testdata/${1#*/}.pcap" lo "tcp port $2" "${@:3}"
}

node sse-server.js 7101 7102 & servers+=($!)
node graphql-server.js 7201 & servers+=($!)
node jsonrpc-server.js 7301 & servers+=($!)
node mcp-server.js 7302 7303 & servers+=($!)
node genai-server.js 7401 & servers+=($!)
for port in 7101 7102 7201 7301 7302 7303 7401; do wait_for $port; done

streams() { # curl's options, port
	local options=$1 port=$2
	for path in events crlf cr unfinished split large missing; do
		curl -sN $options -o /dev/null -H 'Accept: text/event-stream' "http://127.0.0.1:$port/$path" || true
	done
}
record sse/http1 7101 streams '' 7101
record sse/http2 7102 streams --http2-prior-knowledge 7102
record sse/gzip 7101 curl -sN -o /dev/null --compressed http://127.0.0.1:7101/gzip
record sse/reset 7101 curl -sN -o /dev/null http://127.0.0.1:7101/reset
record sse/reconnect 7101 timeout 10 node sse-client.js 7101

for what in operations errors batch persisted incremental; do
	record graphql/$what 7201 node graphql-client.js $what 7201
done
record jsonrpc/jayson 7301 node jsonrpc-client.js 7301
record jsonrpc/mcp-stream 7302 node mcp-client.js 7302
record jsonrpc/mcp-json 7303 node mcp-client.js 7303
for provider in openai anthropic ollama; do
	record genai/$provider 7401 node genai-client.js $provider 7401
done
