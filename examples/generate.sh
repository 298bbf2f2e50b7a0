#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes shop.pcap anew: curl, a shop of three services in Python, and dnsmasq, on the loopback
# device of a network namespace of their own, recorded by tcpdump. Needs root, curl, dnsmasq,
# python3-grpcio and tcpdump.
. "$(dirname "$0")/../receiver/networkreceiver/dissect/dissecttest/record.sh"
cd "$work"

printf '127.0.0.2 shop.example\n127.0.0.3 payment.example\n127.0.0.4 stock.example\n' >hosts
printf 'nameserver 127.0.0.1\noptions no-aaaa\n' >resolv.conf
mount --bind resolv.conf /etc/resolv.conf
dnsmasq --no-daemon --local=/example/ --no-resolv --no-hosts --addn-hosts=hosts --log-facility=- --user=root 2>dnsmasq.log & servers+=($!)
export GRPC_DNS_RESOLVER=native PYTHONDONTWRITEBYTECODE=1
/usr/bin/python3 "$here/shop.py" stock 127.0.0.4:50051 & servers+=($!)
/usr/bin/python3 "$here/shop.py" payment 127.0.0.3:8081 & servers+=($!)
/usr/bin/python3 "$here/shop.py" shop 127.0.0.2:8080 & servers+=($!)
until curl -s -o /dev/null 127.0.0.2:8080 && curl -s -o /dev/null --http2-prior-knowledge 127.0.0.4:50051 &&
	curl -s -o /dev/null 127.0.0.3:8081; do sleep 0.1; done

# order NUMBER QUANTITY CARD
order() {
	curl -s -4 http://shop.example:8080/api/v1/checkout -H 'Content-Type: application/json' \
		-H 'Authorization: Bearer secret' -H "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e473$1-00f067aa0ba902b7-01" \
		-d "{\"sku\": \"tea-500\", \"quantity\": $2, \"card\": \"$3\"}"
}
calls() {
	order 1 2 valid
	order 2 90 valid
	order 3 1 expired
	curl -s -4 http://shop.example:8080/api/v1/orders/1042
}
record_to "$here/shop.pcap" lo 'udp port 53 or tcp port 8080 or tcp port 8081 or tcp port 50051' calls
