#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Writes the first TCP connection of a capture as a script: script.sh CAPTURE PORT.
set -euo pipefail
echo "# $(basename "$1"), for tests that cut it."
echo "port $2"
tshark -r "$1" -Y 'tcp.stream == 0 && tcp.len > 0' -T fields -e tcp.dstport -e tcp.payload 2>/dev/null |
	while read -r port payload; do
		if [ "$port" = "$2" ]; then echo "> hex $payload"; else echo "< hex $payload"; fi
	done
