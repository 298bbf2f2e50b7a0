#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../*.pcap anew, or those named by arguments: real clients and servers on the
# loopback device of a network namespace of their own, recorded by tcpdump. Needs root,
# tcpdump, Debian's python3-websockets and node-ws, node, npm, and npm's registry unless
# NODE_MODULES names a folder. README.md lists what each file is for.
prepare() {
	cp "$here"/*.mjs "$work"
	install_modules
}
. "$(dirname "$0")/../../../dissecttest/record.sh"
wanted=" $* "

# record NAME PORT COMMAND... records what COMMAND does on PORT, if it is wanted.
record() {
	if [[ $wanted != "  " && $wanted != *" $1 "* ]]; then return; fi
	record_to "$here/../$1.pcap" lo "tcp port $2" "${@:3}"
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
