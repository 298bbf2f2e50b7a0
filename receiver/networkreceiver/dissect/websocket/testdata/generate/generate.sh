#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../*.pcap anew, or those named by arguments: real clients and servers on the
# loopback device of a network namespace of their own, recorded by tcpdump. Needs root,
# tcpdump, Debian's python3-websockets and node-ws, node, npm, and npm's registry unless
# NODE_MODULES names a folder. README.md lists what each file is for.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${IN_NAMESPACE:-}" ]; then
	work=$(mktemp -d)
	cp "$here"/*.mjs "$here/package.json" "$work"
	if [ -n "${NODE_MODULES:-}" ]; then ln -s "$NODE_MODULES" "$work/node_modules"; else (cd "$work" && npm install --no-audit --no-fund --no-package-lock --legacy-peer-deps); fi
	IN_NAMESPACE=$work unshare -n "$0" "$@"
	rm -rf "$work"
	exit
fi
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
ip link set lo up
ip link set lo mtu 1500
work=$IN_NAMESPACE
wanted=" $* "
servers=()
cleanup() { for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done; }
trap cleanup EXIT

wait_for() { # port
	for _ in $(seq 100); do
		if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
		sleep 0.1
	done
	echo "nothing listens on port $1" >&2
	return 1
}

# record NAME PORT COMMAND... records what COMMAND does on PORT.
record() {
	local name=$1 port=$2
	shift 2
	if [[ $wanted != "  " && $wanted != *" $name "* ]]; then return; fi
	: >"$work/tcpdump.log"
	tcpdump -i lo -Z root --immediate-mode -B 16384 -U -w "$work/$name.pcap" "tcp port $port" 2>"$work/tcpdump.log" &
	local dump=$!
	until grep -q 'listening on' "$work/tcpdump.log"; do sleep 0.05; done
	"$@" || true
	sleep 0.5
	kill -INT $dump
	wait $dump || true
	mv "$work/$name.pcap" "$here/../$name.pcap"
}

python=/usr/bin/python3
"$python" "$here/server.py" 8081 plain & servers+=($!)
"$python" "$here/server.py" 8082 deflate & servers+=($!)
wait_for 8081
wait_for 8082
record python-plain 8081 "$python" "$here/client.py" 8081 plain
record python-deflate 8082 "$python" "$here/client.py" 8082 deflate
NODE_PATH=/usr/share/nodejs record node-takeover 8082 node "$here/client.js" 8082
node "$work/talk-server.mjs" 8083 8084 8085 & servers+=($!)
wait_for 8083
wait_for 8084
wait_for 8085
record graphql 8083 node "$work/talk-client.mjs" graphql 8083
record graphql-legacy 8084 node "$work/talk-client.mjs" legacy 8084
record jsonrpc 8085 node "$work/talk-client.mjs" jsonrpc 8085
