#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes replay.svg anew from what bin/wirespan prints of examples/shop.pcap: the calls of the
# first order over HTTP. Needs Go, which gets freeze, the program that draws.
set -euo pipefail
cd "$(dirname "$0")/../.."
freeze=${FREEZE:-go run github.com/charmbracelet/freeze@v0.2.2}
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
WIRESPAN_PCAP=examples/shop.pcap bin/wirespan --config distributions/wirespan/config-replay.yaml \
	--config 'yaml:exporters::console::color: always' 2>/dev/null |
	awk -v RS= -v ORS='\n\n' '/POST/ && /0e4731/' >"$printed"
$freeze "$printed" --language ansi --font.family monospace --font.size 13 --padding 16 --background '#101418' --output docs/images/replay.svg
