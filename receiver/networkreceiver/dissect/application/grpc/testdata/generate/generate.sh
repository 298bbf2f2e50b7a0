#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../*.pcap anew: real clients and servers on the loopback device of a network
# namespace of their own, recorded by tcpdump. Needs root, go, python3-grpcio and tcpdump.
# README.md lists what each file is for.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${IN_NAMESPACE:-}" ]; then
	programs=$(mktemp -d)
	(cd "$here" && go build -o "$programs/rpc" ../../../../../../../internal/testkit/programs/rpc)
	PROGRAMS=$programs IN_NAMESPACE=1 unshare -n "$0" "$@"
	rm -rf "$programs"
	exit
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
	tcpdump -i lo -Z root --immediate-mode -B 16384 -U -w "$work/$(basename "$name").pcap" "tcp port $port" 2>"$work/tcpdump.log" &
	local dump=$!
	until grep -q 'listening on' "$work/tcpdump.log"; do sleep 0.05; done
	"$@" || true
	sleep 0.5
	kill -INT $dump
	wait $dump || true
	mv "$work/$(basename "$name").pcap" "$here/../$name.pcap"
}

rpc=$PROGRAMS/rpc
"$rpc" serve 127.0.0.1:8081 >/dev/null & servers+=($!)
wait_for 8081
record go-calls 8081 "$rpc" send 127.0.0.1:8081 fixture 1 unary gzip missing slow
record go-streams 8081 "$rpc" send 127.0.0.1:8081 fixture 1 server client bidi
reflect() {
	"$rpc" reflect 127.0.0.1:8081
	"$rpc" send 127.0.0.1:8081 known 1 unary
}
mkdir -p "$here/../reflection"
record reflection/go-reflection 8081 reflect
