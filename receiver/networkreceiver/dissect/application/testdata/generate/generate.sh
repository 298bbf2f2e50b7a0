#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../../*/testdata/*.pcap anew: real clients and servers on the loopback device of a
# network namespace of their own, recorded by tcpdump. Needs root, curl, node, npm and
# tcpdump, and npm's registry unless NODE_MODULES names a folder. The README of each protocol
# lists what each file is for.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${IN_NAMESPACE:-}" ]; then
	work=$(mktemp -d)
	cp "$here"/*.js "$here/package.json" "$work"
	if [ -n "${NODE_MODULES:-}" ]; then ln -s "$NODE_MODULES" "$work/node_modules"; else (cd "$work" && npm install --no-audit --no-fund --no-package-lock); fi
	IN_NAMESPACE=$work unshare -n "$0" "$@"
	rm -rf "$work"
	exit
fi
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
ip link set lo up
# Small segments, as on a real link, so that messages are split.
ip link set lo mtu 1500
work=$IN_NAMESPACE
cd "$work"
servers=()
cleanup() { for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done; }
trap cleanup EXIT

wait_for() { # port
	for _ in $(seq 200); do
		if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
		sleep 0.1
	done
	echo "nothing listens on port $1" >&2
	return 1
}

# record PROTOCOL/NAME PORT COMMAND... records what COMMAND does on PORT.
record() {
	local file=$here/../../${1%/*}/testdata/${1#*/}.pcap port=$2
	shift 2
	mkdir -p "$(dirname "$file")"
	: >"$work/tcpdump.log"
	tcpdump -i lo -Z root --immediate-mode -B 16384 -U -w "$work/out.pcap" "tcp port $port" 2>"$work/tcpdump.log" &
	local dump=$!
	until grep -q 'listening on' "$work/tcpdump.log"; do sleep 0.05; done
	"$@" || true
	sleep 0.5
	kill -INT $dump
	wait $dump || true
	mv "$work/out.pcap" "$file"
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
