#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../*.pcap anew: curl through SOCKS servers to nginx, on the loopback device of a
# network namespace of their own, recorded by tcpdump before the proxy. Needs root, tcpdump,
# curl, nginx, openssl, and Debian's dante-server and microsocks. README.md lists what each
# file is for.
. "$(dirname "$0")/../../../dissecttest/record.sh"

openssl req -x509 -newkey rsa:2048 -nodes -days 36500 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
cat >"$work/nginx.conf" <<EOF
daemon off; worker_processes 1; pid $work/nginx.pid; error_log stderr warn;
events {}
http {
	access_log off;
	server { listen 127.0.0.1:8181; return 200 "ok\n"; }
	server {
		listen 127.0.0.1:8182 ssl;
		ssl_certificate $work/cert.pem; ssl_certificate_key $work/key.pem;
		return 200 "ok\n";
	}
}
EOF
cat >"$work/danted.conf" <<EOF
logoutput: stderr
internal: 127.0.0.1 port = 1080
external: lo
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 0/0 to: 0/0 }
socks block { from: 0/0 to: 0/0 port = 25 }
socks pass { from: 0/0 to: 0/0 }
EOF
nginx -p "$work" -c "$work/nginx.conf" & servers+=($!)
danted -f "$work/danted.conf" & servers+=($!)
microsocks -i 127.0.0.1 -p 1081 -u alice -P secret & servers+=($!)
for port in 8181 1080 1081; do wait_for $port; done

get() { curl --silent --show-error --max-time 5 --cacert "$work/cert.pem" "$@"; }
record curl-socks4 1080 get --socks4 127.0.0.1:1080 http://127.0.0.1:8181/a http://127.0.0.1:8181/b
record curl-socks4a 1080 get --socks4a 127.0.0.1:1080 http://localhost:8181/a
record curl-socks5 1080 get --socks5 127.0.0.1:1080 http://127.0.0.1:8181/a http://127.0.0.1:8181/b
record curl-socks5-name 1080 get --socks5-hostname 127.0.0.1:1080 http://localhost:8181/a
record curl-socks5-tls 1080 get --socks5-hostname 127.0.0.1:1080 https://localhost:8182/a
record curl-socks5-blocked 1080 get --socks5 127.0.0.1:1080 http://127.0.0.1:25/
record curl-socks5-refused 1080 get --socks5 127.0.0.1:1080 http://127.0.0.1:8199/
record curl-password 1081 get --proxy socks5h://alice:secret@127.0.0.1:1081 http://localhost:8181/a
record curl-password-wrong 1081 get --proxy socks5h://alice:wrong@127.0.0.1:1081 http://localhost:8181/a
record curl-no-method 1081 get --proxy socks5h://127.0.0.1:1081 http://localhost:8181/a
