# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# What the scripts that make fixtures have in common; they source it first. It runs the
# script a second time, as root of a network namespace that has nothing but a loopback
# device, in which tcpdump records. A script may define prepare before, which runs outside
# of the namespace, where there is a network. It gives
#
#   here      the script's folder
#   work      a folder that is removed in the end
#   servers   processes that are killed in the end: "server & servers+=($!)"

set -euo pipefail
export PATH="$PATH:/usr/sbin"
here=$(cd "$(dirname "$0")" && pwd)

# install_modules installs what package.json names, or takes the folder NODE_MODULES.
install_modules() {
	cp "$here/package.json" "$work"
	if [ -n "${NODE_MODULES:-}" ]; then
		ln -s "$NODE_MODULES" "$work/node_modules"
	else
		(cd "$work" && npm install --no-audit --no-fund --no-package-lock --legacy-peer-deps)
	fi
}

if [ -z "${WORK:-}" ]; then
	export WORK
	WORK=$(mktemp -d)
	chmod 755 "$WORK"
	trap 'rm -rf "$WORK"' EXIT
	work=$WORK
	if [ "$(type -t prepare)" = function ]; then prepare; fi
	unshare -n -m "$0" "$@"
	exit
fi
work=$WORK
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
ip link set lo up
# Small segments, as on a real link, so that messages are split.
ip link set lo mtu 1500
servers=()
trap 'for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done' EXIT

wait_for() { # port
	for _ in $(seq 200); do
		if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
		sleep 0.1
	done
	echo "nothing listens on port $1" >&2
	return 1
}

# record_to FILE DEVICE FILTER COMMAND... records what COMMAND does.
record_to() {
	local file=$1 device=$2 filter=$3
	shift 3
	mkdir -p "$(dirname "$file")"
	: >"$work/tcpdump.log"
	tcpdump -i "$device" -Z root ${snaplen:+-s $snaplen} --immediate-mode -B 16384 -U -w "$work/recorded.pcap" "$filter" 2>"$work/tcpdump.log" &
	local dump=$!
	until grep -q 'listening on' "$work/tcpdump.log"; do sleep 0.05; done
	"$@" || true
	sleep 0.5
	kill -INT $dump
	wait $dump || true
	mv "$work/recorded.pcap" "$file"
}

# record NAME PORT COMMAND... records what COMMAND does on PORT.
record() {
	record_to "$here/../$1.pcap" lo "tcp port $2" "${@:3}"
}
