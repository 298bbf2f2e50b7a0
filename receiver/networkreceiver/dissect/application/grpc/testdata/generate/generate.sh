#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../*.pcap anew: real clients and servers on the loopback device of a network
# namespace of their own, recorded by tcpdump. Needs root, go, python3-grpcio and tcpdump.
# README.md lists what each file is for.
prepare() {
	(cd "$here" && go build -o "$work/rpc" ../../../../../../../internal/testkit/programs/rpc)
}
. "$(dirname "$0")/../../../../dissecttest/record.sh"

rpc=$work/rpc
"$rpc" serve 127.0.0.1:8081 >/dev/null & servers+=($!)
wait_for 8081
record go-calls 8081 "$rpc" send 127.0.0.1:8081 fixture 1 unary gzip missing slow
record go-streams 8081 "$rpc" send 127.0.0.1:8081 fixture 1 server client bidi
reflect() {
	"$rpc" reflect 127.0.0.1:8081
	"$rpc" send 127.0.0.1:8081 known 1 unary
}
record reflection/go-reflection 8081 reflect
