#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../*.pcap and ../*.keys anew: real clients and servers on the loopback device of
# a network namespace of their own, recorded by tcpdump. Needs root, openssl, curl, nginx,
# node, go, python3, tcpdump, tshark and editcap. README.md lists what each file is for.
. "$(dirname "$0")/../../../dissecttest/record.sh"
cd "$work"

# record NAME PORT COMMAND... records what COMMAND does on PORT. Its clients log their
# keys because of SSLKEYLOGFILE.
record() {
	rm -f "$work/keys"
	SSLKEYLOGFILE="$work/keys" record_to "$here/../$1.pcap" lo "port $2" "${@:3}" >/dev/null 2>&1
	if [ -s "$work/keys" ]; then grep -v '^#\|EXPORTER' "$work/keys" >"$here/../$1.keys"; fi
}

# authority NAME makes a certificate authority; leaf NAME AUTHORITY DAYS a certificate.
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" \
		-days 7300 -subj "/O=Example/CN=Example $1" 2>/dev/null
}
leaf() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/O=Shop/CN=$1.example" 2>/dev/null
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days "$3" -out "$1.pem" \
		-extfile <(echo "subjectAltName=DNS:$1.example,DNS:*.$1.example,IP:127.0.0.1") 2>/dev/null
	cat "$1.pem" "$2.pem" >"$1.chain.pem"
}
authority root
leaf shop root 7300
leaf client root 7300
leaf expired root -1

# openssl's own server, one for each case: server PORT OPTIONS...
server() {
	local port=$1
	shift
	openssl s_server -accept "127.0.0.1:$port" -key shop.key -cert shop.pem -cert_chain shop.chain.pem -www "$@" >/dev/null 2>&1 & servers+=($!)
	wait_for "$port"
}
get() { # url, options of curl
	curl -s -o /dev/null --cacert root.pem --resolve "shop.example:${1##*:}:127.0.0.1" "https://shop.example:${1##*:}/${2:-}" "${@:3}"
}

mkdir -p www
for i in $(seq 40); do echo "{\"line\": $i, \"text\": \"the quick brown fox\"}"; done >www/lines.json
echo 'hello from inside' >www/hello.txt
head -c 70000 /dev/zero | tr '\0' 'z' >www/large.txt
cat >nginx.conf <<-END
	daemon off; master_process off; pid $work/nginx.pid; error_log $work/error.log;
	events {}
	http {
		access_log off; root $work/www; default_type text/plain;
		client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
		ssl_certificate $work/shop.chain.pem; ssl_certificate_key $work/shop.key;
		server { listen 127.0.0.1:8443 ssl http2; ssl_protocols TLSv1.2 TLSv1.3; }
		server { listen 127.0.0.1:8444 ssl; ssl_protocols TLSv1.2; ssl_session_cache shared:x:1m;
			ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA; }
		server { listen 127.0.0.1:8445 ssl; ssl_client_certificate $work/root.pem; ssl_verify_client on; ssl_protocols TLSv1.2 TLSv1.3; }
	}
END
nginx -c "$work/nginx.conf" -p "$work" & servers+=($!)
for port in 8443 8444 8445; do wait_for $port; done

# What is inside: HTTP/1 and HTTP/2, TLS 1.3 and 1.2, several ciphers.
http1() { get :8443 hello.txt --http1.1; get :8443 lines.json --http1.1 -d 'name=ann&password=secret'; }
record curl-nginx-http1 8443 http1
http2() { curl -s -o /dev/null -o /dev/null --http2 --cacert root.pem --resolve shop.example:8443:127.0.0.1 "https://shop.example:8443/hello.txt" "https://shop.example:8443/lines.json"; }
record curl-nginx-http2 8443 http2
record curl-nginx-large 8443 get :8443 large.txt --http1.1
tls12() { get :8444 hello.txt --tls-max 1.2 --ciphers "$1"; }
record tls12-aes128-gcm 8444 tls12 ECDHE-ECDSA-AES128-GCM-SHA256
record tls12-chacha20 8444 tls12 ECDHE-ECDSA-CHACHA20-POLY1305
record tls12-aes256-cbc 8444 tls12 ECDHE-ECDSA-AES256-SHA384
record tls12-aes128-cbc 8444 tls12 ECDHE-ECDSA-AES128-SHA
for suite in TLS_AES_128_GCM_SHA256 TLS_CHACHA20_POLY1305_SHA256; do
	record "tls13-$(echo "${suite,,}" | cut -d_ -f2,3 | tr -d _)" 8443 get :8443 hello.txt --http1.1 --tls13-ciphers $suite
done
client_certificate() { get :8445 hello.txt --http1.1 --cert client.pem --key client.key "$@"; }
record client-certificate-13 8445 client_certificate --tlsv1.3
record client-certificate-12 8445 client_certificate --tls-max 1.2
record client-certificate-missing 8445 get :8445 hello.txt --http1.1

# OpenSSL's client: sessions that are resumed, keys that are changed, a retry.
openssl_client() { # port, input, options...
	(sleep 0.2; printf '%b' "$2"; sleep 0.3) | openssl s_client -connect "127.0.0.1:$1" -servername shop.example -CAfile root.pem -keylogfile "$work/keys" -quiet "${@:3}"
}
request='GET /hello.txt HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n'
resumed() {
	openssl_client 8443 "$request" -sess_out "$work/session" || true
	openssl_client 8443 "$request" -sess_in "$work/session"
}
record resumed-13 8443 resumed
resumed12() {
	openssl_client 8444 "$request" -tls1_2 -sess_out "$work/session" || true
	openssl_client 8444 "$request" -tls1_2 -sess_in "$work/session"
}
record resumed-12 8444 resumed12
updates() {
	(sleep 0.2; echo K; sleep 0.2; printf '%b' "$request"; sleep 0.3) |
		openssl s_client -connect 127.0.0.1:8443 -servername shop.example -CAfile root.pem -keylogfile "$work/keys"
}
record key-update 8443 updates
server 8450 -groups P-384
record hello-retry 8450 openssl_client 8450 "$request" -groups X25519:P-384

# Handshakes that fail.
record untrusted 8443 curl -s -o /dev/null https://127.0.0.1:8443/hello.txt
record untrusted-12 8444 curl -s -o /dev/null --tls-max 1.2 https://127.0.0.1:8444/hello.txt
openssl s_server -accept 127.0.0.1:8451 -key expired.key -cert expired.pem -www >/dev/null 2>&1 & servers+=($!)
wait_for 8451
record expired 8451 get :8451 x --tls-max 1.2
record no-shared-cipher 8444 openssl s_client -connect 127.0.0.1:8444 -tls1_2 -cipher ECDHE-ECDSA-CAMELLIA128-SHA256
server 8452 -tls1_3
record protocol-version 8452 openssl s_client -connect 127.0.0.1:8452 -tls1_2
server 8453 -alpn h2
record no-protocol 8453 openssl s_client -connect 127.0.0.1:8453 -alpn foo
plain_http() { curl -s -o /dev/null http://127.0.0.1:8450/hello.txt; }
record http-to-tls 8450 plain_http
(cd www && exec python3 -m http.server --bind 127.0.0.1 8454) >/dev/null 2>&1 & servers+=($!)
wait_for 8454
record tls-to-http 8454 curl -s -o /dev/null https://127.0.0.1:8454/

# Go and Node, each with itself; and QUIC.
go build -C "$here" -o "$work/program" ./program.go
record go-http2 8455 ./program https 127.0.0.1:8455 shop.chain.pem shop.key root.pem
record go-quic 8456 ./program quic 127.0.0.1:8456 shop.chain.pem shop.key root.pem
node_talks() { node --tls-keylog="$work/keys" "$here/node.js" 8457 shop.chain.pem shop.key root.pem; }
record node-http1 8457 node_talks

# What begins in the clear.
port=8460
for protocol in smtp imap pop3 ftp postgres mysql ldap; do
	python3 "$here/starttls.py" $protocol $port shop.chain.pem shop.key & servers+=($!)
	wait_for $port
	record starttls-$protocol $port openssl_client $port "$request" -starttls $protocol
	port=$((port + 1))
done

# For tests that cut connections everywhere.
for name in tls12-aes128-gcm tls13-aes128; do
	port=$(tcpdump -r "$here/../$name.pcap" -c 1 -n 2>/dev/null | sed 's/.*> [0-9.]*\.\([0-9]*\): .*/\1/')
	"$here/script.sh" "$here/../$name.pcap" "$port" >"$here/../$name-cut.script"
done

# A capture that has its keys in it.
mkdir -p "$here/../../../../capture/pcap/testdata"
editcap --inject-secrets "tls,$here/../curl-nginx-http2.keys" "$here/../curl-nginx-http2.pcap" "$here/../../../../capture/pcap/testdata/tls-secrets.pcapng"
