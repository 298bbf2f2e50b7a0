#!/bin/bash
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# Makes ../*.pcap anew: real clients and servers on the loopback device of a network
# namespace of their own, recorded by tcpdump. Needs root, curl, nghttpd, nghttpx, nghttp,
# h2load, node, go and tcpdump. README.md lists what each file is for.
. "$(dirname "$0")/../../../dissecttest/record.sh"

mkdir -p "$work/www"
for i in $(seq 60); do echo "{\"line\": $i, \"text\": \"the quick brown fox\"}"; done >"$work/www/lines.json"
printf '<!doctype html><title>Shop</title><p>Grüße' >"$work/www/index.html"
nghttpd --no-tls -a 127.0.0.1 -d "$work/www" --push=/index.html=/lines.json 8081 & servers+=($!)
node "$here/server.js" 8082 & servers+=($!)
nghttpx --frontend='127.0.0.1,8083;no-tls' --backend='127.0.0.1,8081;/;proto=h2' -L ERROR --accesslog-file=/dev/null --conf=/dev/null & servers+=($!)
for port in 8081 8082 8083; do wait_for $port; done
u=http://127.0.0.1

curl_prior() {
	for path in index.html lines.json 'missing?token=secret'; do curl -s --http2-prior-knowledge -o /dev/null "$u:8081/$path"; done
	curl -s --http2-prior-knowledge -o /dev/null -I $u:8081/lines.json
	curl -s --http2-prior-knowledge -o /dev/null -d 'user=ann&password=secret' $u:8081/index.html
}
record curl-prior-knowledge 8081 curl_prior

curl_upgrade() {
	curl -s --http2 -o /dev/null $u:8083/index.html -o /dev/null $u:8083/lines.json
}
record curl-upgrade 8083 curl_upgrade

nghttp_push() { nghttp -n -p 12 $u:8081/index.html $u:8081/lines.json; }
record nghttp-push 8081 nghttp_push
padded() { nghttp -n --padding=64 -d "$work/www/lines.json" $u:8081/index.html; }
record nghttp-padding 8081 padded
record nghttp-continuation 8081 nghttp -n --continuation -H "x-large: $(head -c 9000 /dev/zero | tr '\0' x)" $u:8081/index.html
record nghttp-upgrade 8083 nghttp -n -u $u:8083/index.html
record h2load 8081 h2load -n 24 -c 2 -m 8 $u:8081/index.html $u:8081/lines.json

for what in many resets odd connect table; do
	record node-$what 8082 node "$here/client.js" 8082 $what
done
go build -o "$work/h2c" "$here/h2c.go"
record go-h2c 8084 "$work/h2c" 127.0.0.1:8084
