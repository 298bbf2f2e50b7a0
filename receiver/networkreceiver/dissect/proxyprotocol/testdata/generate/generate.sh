#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../*.pcap anew: HAProxy before nginx, on the loopback device of a network namespace
# of their own, recorded by tcpdump behind HAProxy. Needs root, tcpdump, haproxy, nginx,
# openssl and curl. README.md lists what each file is for.
. "$(dirname "$0")/../../../dissecttest/record.sh"

key() { # NAME
	openssl req -x509 -newkey rsa:2048 -nodes -days 36500 -subj "/CN=$1" -addext "subjectAltName=DNS:$1" \
		-keyout "$work/$1.key" -out "$work/$1.crt" 2>/dev/null
	cat "$work/$1.key" "$work/$1.crt" >"$work/$1.pem"
}
key shop.example
key client.example

cat >"$work/nginx.conf" <<EOF
daemon off; worker_processes 1; pid $work/nginx.pid; error_log stderr warn;
events {}
http {
	access_log off;
	server { listen 127.0.0.1:8181 proxy_protocol; listen 127.0.0.1:8184 proxy_protocol; return 200 "for \$proxy_protocol_addr\n"; }
	server { listen 127.0.0.1:8182 http2 proxy_protocol; return 200 "for \$proxy_protocol_addr\n"; }
	server {
		listen 127.0.0.1:8183 ssl proxy_protocol;
		ssl_certificate $work/shop.example.crt; ssl_certificate_key $work/shop.example.key;
		return 200 "for \$proxy_protocol_addr\n";
	}
}
EOF
cat >"$work/haproxy.cfg" <<EOF
defaults
	timeout connect 5s
	timeout client 5s
	timeout server 5s
frontend v1
	mode tcp
	bind 127.0.0.1:8091
	default_backend v1
backend v1
	mode tcp
	server nginx 127.0.0.1:8181 send-proxy
frontend v2
	mode tcp
	bind 127.0.0.1:8092 ssl crt $work/shop.example.pem ca-file $work/client.example.crt verify optional alpn http/1.1
	unique-id-format %[uuid()]
	default_backend v2
backend v2
	mode tcp
	server nginx 127.0.0.1:8181 send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,crc32c,unique-id
frontend http2
	mode tcp
	bind 127.0.0.1:8093
	default_backend http2
backend http2
	mode tcp
	server nginx 127.0.0.1:8182 send-proxy-v2
frontend tls
	mode tcp
	bind 127.0.0.1:8094
	default_backend tls
backend tls
	mode tcp
	server nginx 127.0.0.1:8183 send-proxy
backend check
	mode http
	option httpchk
	http-check send meth GET uri /health ver HTTP/1.1 hdr Host shop.example
	server nginx 127.0.0.1:8184 check inter 300ms send-proxy-v2 check-send-proxy
EOF
nginx -p "$work" -c "$work/nginx.conf" & servers+=($!)
wait_for 8181
haproxy -f "$work/haproxy.cfg" & servers+=($!)
wait_for 8094

get() { curl --silent --show-error --cacert "$work/shop.example.crt" "$@"; }
tls() { get --connect-to shop.example:443:127.0.0.1:"$1" "${@:2}" https://shop.example/a https://shop.example/b; }
record haproxy-v1 8181 get http://127.0.0.1:8091/a http://127.0.0.1:8091/b
record haproxy-v2 8181 tls 8092 --http1.1 --cert "$work/client.example.crt" --key "$work/client.example.key"
record haproxy-http2 8182 get --http2-prior-knowledge http://127.0.0.1:8093/a
record haproxy-tls 8183 tls 8094 --http1.1
record haproxy-local 8184 sleep 1
