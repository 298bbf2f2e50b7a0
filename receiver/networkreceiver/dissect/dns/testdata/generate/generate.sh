#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../*.pcap anew: real resolvers, clients and responders in a network namespace of
# their own, recorded by tcpdump. Needs root, dnsmasq, unbound, dig, avahi-daemon,
# python3 and tcpdump. README.md lists what each file is for.
. "$(dirname "$0")/../../../dissecttest/record.sh"

# record NAME DEVICE FILTER COMMAND... records what COMMAND does.
record() { record_to "$here/../$1.pcap" "${@:2}"; }

# dnsmasq has a small zone. It forwards the rest to where nobody answers.
cat >"$work/dnsmasq.conf" <<END
keep-in-foreground
no-daemon
no-resolv
no-hosts
user=root
bind-interfaces
listen-address=127.0.0.1,::1
port=5300
edns-packet-max=1232
local=/shop.example/
server=/silent.example/127.0.0.1#5399
address=/www.shop.example/192.0.2.10
address=/www.shop.example/2001:db8::10
cname=web.shop.example,www.shop.example
host-record=www.shop.example,192.0.2.10,2001:db8::10
mx-host=shop.example,mail.shop.example,10
srv-host=_http._tcp.shop.example,www.shop.example,80,5,1
txt-record=shop.example,"v=spf1 -all","with \"quotes\" and spaces"
ptr-record=10.2.0.192.in-addr.arpa,www.shop.example
caa-record=shop.example,0,issue,ca.example
$(for i in $(seq 40); do echo "txt-record=many.shop.example,\"record $i of a set that is too large for a datagram\""; done)
END
dnsmasq --conf-file="$work/dnsmasq.conf" >"$work/dnsmasq.log" 2>&1 & servers+=($!)

# unbound signs errors with extended codes, and does what dnsmasq does not.
cat >"$work/unbound.conf" <<END
server:
  directory: "$work"
  pidfile: "$work/unbound.pid"
  username: ""
  chroot: ""
  interface: 127.0.0.1@5301
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  use-syslog: no
  ede: yes
  do-not-query-localhost: no
  local-zone: "refused.example." refuse
  local-zone: "nothing.example." always_nxdomain
  local-zone: "data.example." static
  local-data: "data.example. 3600 IN A 192.0.2.30"
  local-data: "data.example. 3600 IN HTTPS 1 . alpn=h2"
auth-zone:
  name: "zone.example."
  zonefile: "$work/zone"
  for-downstream: yes
  fallback-enabled: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@5398
remote-control:
  control-enable: no
END
{
	echo '$ORIGIN zone.example.'
	echo '@ 3600 IN SOA ns hostmaster 1 3600 600 86400 300'
	echo '@ 3600 IN NS ns'
	echo 'ns 3600 IN A 192.0.2.53'
	echo '*.wild 60 IN TXT "anything"'
} >"$work/zone"
unbound -d -c "$work/unbound.conf" >"$work/unbound.log" 2>&1 & servers+=($!)
# Transfers come from a server of ours: none of the others sends any.
python3 "$here/odd.py" serve 5302 & servers+=($!)
for port in 5300 5301 5302; do
	for _ in $(seq 100); do
		if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
		sleep 0.1
	done
done

d() { dig @127.0.0.1 -p "$1" +tries=1 +time=1 "${@:2}" >/dev/null || true; }

usual() {
	d 5300 www.shop.example A
	d 5300 WwW.Shop.Example AAAA
	d 5300 web.shop.example A +noedns
	d 5300 shop.example MX
	d 5300 shop.example TXT
	d 5300 _http._tcp.shop.example SRV
	d 5300 shop.example CAA
	d 5300 -x 192.0.2.10
	d 5300 www.shop.example A +dnssec +subnet=198.51.100.0/24
	d 5300 missing.shop.example A
	d 5300 version.bind TXT -c CH
	dig @::1 -p 5300 +tries=1 +time=1 www.shop.example A >/dev/null
}
record dnsmasq lo 'port 5300' usual

truncated() { d 5300 many.shop.example TXT; }
record truncated lo 'port 5300' truncated

tcp() { d 5300 +tcp +keepopen www.shop.example A www.shop.example AAAA missing.shop.example A; }
record tcp lo 'port 5300' tcp

errors() {
	d 5301 www.refused.example A
	d 5301 www.nothing.example A
	d 5301 data.example HTTPS
	d 5301 a.wild.zone.example TXT
	d 5301 no.zone.example A
	d 5301 fails.example A # its own forwarder is silent
	d 5301 +opcode=4 data.example SOA
	d 5301 +opcode=5 data.example SOA
	d 5301 +header-only data.example
}
record unbound lo 'port 5301' errors

# Nobody answers: dnsmasq forwards each try, dig gives up.
silent() { dig @127.0.0.1 -p 5300 +tries=2 +time=1 www.silent.example A >/dev/null || true; }
record silent lo 'port 5300 or port 5399' silent

transfer() { d 5302 big.example AXFR; }
record transfer lo 'port 5302' transfer

odd() { python3 "$here/odd.py" ask 5302; }
record odd lo 'port 5302' odd

snaplen=100 record cut lo 'port 5300' d 5300 shop.example TXT
unset snaplen

# Multicast: an avahi responder on a network of its own.
ip link add mc type veth peer name mc-peer
ip link set mc-peer up
ip link set mc up multicast on
ip addr add 192.0.2.1/24 dev mc
ip route add 224.0.0.0/4 dev mc
printf '[server]\nhost-name=printer\nuse-ipv6=no\nallow-interfaces=mc\nenable-dbus=no\n[publish]\npublish-workstation=no\n' >"$work/avahi.conf"
multicast() {
	mount -t tmpfs none /run
	mkdir -p /run/avahi-daemon
	avahi-daemon --no-drop-root --no-chroot --no-rlimits -f "$work/avahi.conf" >"$work/avahi.log" 2>&1 &
	local avahi=$!
	sleep 4
	python3 "$here/odd.py" multicast 192.0.2.1
	kill $avahi
	wait $avahi || true
}
record multicast mc 'udp port 5353 or udp port 5355' multicast
