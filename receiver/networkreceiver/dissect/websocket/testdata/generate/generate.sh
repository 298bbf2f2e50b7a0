#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../*.pcap anew: a real client and server on the loopback device of a network
# namespace of their own, recorded by tcpdump. Needs root, tcpdump, Debian's
# python3-websockets, and node with the package ws (node-ws). README.md lists what each
# file is for.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${IN_NAMESPACE:-}" ]; then
	IN_NAMESPACE=1 exec unshare -n "$0" "$@"
fi
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
ip link set lo up
ip link set lo mtu 1500
work=$(mktemp -d)
servers=()
cleanup() {
	for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
	rm -rf "$work"
}
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
