#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../*.pcap anew: real clients and servers on the loopback device of a network
# namespace of their own, recorded by tcpdump. Needs root, curl, nginx, node, python3,
# zstd and tcpdump. README.md lists what each file is for.
. "$(dirname "$0")/../../../dissecttest/record.sh"

# nginx
mkdir -p "$work/www" "$work/tmp"
printf '<!doctype html><title>Shop</title><p>Grüße' >"$work/www/index.html"
for i in $(seq 200); do echo "{\"line\": $i, \"text\": \"the quick brown fox\"}"; done >"$work/www/lines.json"
cat >"$work/nginx.conf" <<END
daemon off; pid $work/nginx.pid; error_log $work/error.log; events {}
http {
	access_log off; types { text/html html; application/json json; }
	client_body_temp_path $work/tmp; proxy_temp_path $work/tmp; fastcgi_temp_path $work/tmp; uwsgi_temp_path $work/tmp; scgi_temp_path $work/tmp;
	server { listen 127.0.0.1:8081; listen [::1]:8081; root $work/www; gzip on; gzip_types application/json; charset utf-8; }
}
END
chmod -R a+rX "$work"
nginx -e "$work/error.log" -c "$work/nginx.conf" & servers+=($!)
node "$here/server.js" 8082 & servers+=($!)
(cd "$work/www" && exec python3 -m http.server 8083 --bind 127.0.0.1) >/dev/null 2>&1 & servers+=($!)
for port in 8081 8082 8083; do wait_for $port; done

nginx_basic() {
	local u=http://127.0.0.1:8081
	curl -s -o /dev/null $u/ $u/index.html -o /dev/null --next -s -o /dev/null -I $u/lines.json --next -s -o /dev/null $u/missing
	curl -s -o /dev/null --compressed $u/lines.json
	curl -s -o /dev/null -r 10-20 $u/index.html
	curl -s -o /dev/null -z "$work/www/index.html" $u/index.html
	curl -s -o /dev/null -X DELETE "http://[::1]:8081/?a=1"
	curl -s -o /dev/null -0 $u/index.html
}
record nginx 8081 nginx_basic

pipelined() {
	exec 3<>/dev/tcp/127.0.0.1/8081
	# One write: the shell's own printf writes line by line.
	printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /lines.json HTTP/1.1\r\nHost: a\r\n\r\nGET /missing HTTP/1.1\r\nHost: a\r\n\r\nGET /lines.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' | cat >&3
	cat <&3 >/dev/null
	exec 3>&-
}
record nginx-pipelining 8081 pipelined

python_close() {
	curl -s -o /dev/null http://127.0.0.1:8083/index.html
	curl -s -o /dev/null http://127.0.0.1:8083/
	curl -s -o /dev/null -X PROPFIND http://127.0.0.1:8083/
}
record python-http10 8083 python_close

node=http://127.0.0.1:8082
methods() {
	for m in PROPFIND MKCOL COPY REPORT SEARCH PATCH OPTIONS TRACE; do
		curl -s -o /dev/null -X $m $node/echo
	done
	curl -s -o /dev/null --request-target '*' -X OPTIONS $node/
	curl -s -o /dev/null -X BREW $node/echo # node refuses it: 400
}
record node-methods 8082 methods

bodies() {
	curl -s -o /dev/null -d 'user=ann&password=secret' $node/echo
	curl -s -o /dev/null -H 'Content-Type: application/json' -d '{"user_id": 12345}' $node/echo
	head -c 2000 /dev/urandom >"$work/tool"
	curl -s -o /dev/null -F "file=@$work/tool;type=application/octet-stream" -F 'note=a b' $node/drain
	head -c 20000 /dev/zero | tr '\0' x | curl -s -o /dev/null -H 'Transfer-Encoding: chunked' -T - $node/echo
	head -c 3000 /dev/zero | tr '\0' y | curl -s -o /dev/null -H 'Expect: 100-continue' -H 'Content-Type: text/plain' --data-binary @- $node/echo
	head -c 3000 /dev/zero | tr '\0' y | curl -s -o /dev/null -H 'Expect: 100-continue' -H 'Content-Type: text/plain' --data-binary @- $node/refuse
}
record node-bodies 8082 bodies

responses() {
	curl -s -o /dev/null $node/chunked $node/trailers -o /dev/null --next -s -o /dev/null $node/early-hints --next -s -o /dev/null $node/no-content
	curl -s -o /dev/null -0 $node/until-close
	curl -s -o /dev/null $node/until-close
}
record node-responses 8082 responses

codings() {
	for coding in gzip deflate deflate-raw br zstd; do
		curl -s -o /dev/null "$node/coded/$coding"
	done
	printf '{"compressed": "request"}' | gzip | curl -s -o /dev/null -H 'Content-Encoding: gzip' -H 'Content-Type: application/json' --data-binary @- $node/drain
}
record node-codings 8082 codings

upgrades() {
	node "$here/websocket.js" 8082
}
record node-websocket 8082 upgrades

h2c_refused() { curl -s -o /dev/null --http2 $node/echo; }
record node-h2c-refused 8082 h2c_refused

proxied() {
	curl -s -o /dev/null -x $node http://shop.example:8081/plain?q=1
	curl -s -o /dev/null -p -x $node http://127.0.0.1:8081/index.html
	curl -s -o /dev/null -p -x $node http://forbidden.example:1/ || true
}
record node-proxy 8082 proxied

resets() {
	curl -s -o /dev/null $node/reset || true
	curl -s -m 0.3 -o /dev/null $node/hang || true
}
record node-resets 8082 resets

odd() { node "$here/odd.js"; }
record odd 8084 odd
