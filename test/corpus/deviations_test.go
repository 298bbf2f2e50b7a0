// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package corpus

// deviation is a call that Wirespan tells differently from the oracle, and is
// right.
type deviation struct {
	what   string // as the test prints it
	reason string
	times  int // 0 stands for 1
}

const (
	lostBytes = "segments are missing in the capture; the oracle gives up the response, " +
		"Wirespan keeps what is there and says how much is lost"
	resetInTheMiddle = "the client resets the connection before the whole response has come: " +
		"the oracle goes on after the reset, or gives up what it can't put together; the client had what Wirespan has"
	methodAlone = "a line with a method and nothing else is no request line: the response stands alone, " +
		"as the oracle has it for the other broken requests of this capture"
	noDNS         = "the capture has 12 bytes of each message, the header at most: the oracle goes by the port"
	multicastDNS  = "the oracle counts multicast DNS as a protocol of its own, and leaves it out"
	upgradeIsOne  = "an upgrade to HTTP/2: to Wirespan the request that asks for it, 101 and the response on stream 1 are one call"
	clientUnread  = "the request is in HEADERS and CONTINUATION frames over several segments: the oracle does not put it together"
	spaceInTarget = "the request target has a space in it: the oracle cuts there, Wirespan keeps all up to the version"
)

// deviations by capture.
var deviations = map[string][]deviation{
	"arkime__gre-erspan-vxlan.pcap": {
		{what: "missing: GET /Hello 200", reason: spaceInTarget},
		{what: "extra: GET /Hello Arkime 200", reason: spaceInTarget},
	},
	"arkime__http2-nghttp2.pcap": {
		{what: "missing: HTTP/2 stream 13, (no request) 200, 0 and 6616 bytes", reason: clientUnread},
		{what: "extra: HTTP/2 stream 13, GET / 200, 0 and 6616 bytes", reason: clientUnread},
		{what: "missing: HTTP/2 stream 2, (no request) 200, 0 and 39082 bytes", reason: "the oracle does not take a promise for a request"},
		{what: "extra: HTTP/2 stream 2, GET /stylesheets/screen.css 200, 0 and 39082 bytes", reason: "the same call with the promised request"},
	},
	"arkime__v6-http.pcap": {
		{what: `extra: DNS over udp, "" type 0 (no request) code 0, 2 answers`, reason: multicastDNS},
		{what: `extra: DNS over udp, "" type 0 (no request) code 0, 4 answers`, reason: multicastDNS, times: 2},
		{what: `extra: DNS over udp, "" type 0 (no request) code 0, 5 answers`, reason: multicastDNS, times: 2},
		{
			what:   `extra: DNS over udp, "1.e.6.0.8.9.e.c.7.d.9.3.9.9.9.0.0.0.0.0.d.2.0.1.8.f.6.0.1.0.0.2.ip6.arpa" type 255 (no response)`,
			reason: multicastDNS,
		},
	},
	"drill__testv1.pcap": {
		{what: `missing: DNS over udp, "" type 0 (no request) code 0, 0 answers`, reason: noDNS, times: 3},
		{what: `missing: DNS over udp, "" type 0 (no request) code 0, 1 answers`, reason: noDNS, times: 7},
		{what: `missing: DNS over udp, "" type 0 (no request) code 3, 0 answers`, reason: noDNS},
		{what: `missing: DNS over udp, "" type 0 (no response)`, reason: noDNS, times: 72},
	},
	"suricata-verify__http-connect-tls.pcap": {
		{
			what:   "CONNECT abc:443 200: response body 0 bytes, oracle 1 bytes",
			reason: "a response to CONNECT has no body (RFC 9110, section 9.3.6); the oracle takes the tunnel's first byte",
		},
	},
	"suricata-verify__http-evader-123.pcap": {
		{
			what:   "GET /compressed/eicar.txt/ce%3Adeflate-nl-,;deflate 200: response body 68 bytes, oracle 0 bytes",
			reason: "the list of content codings goes on in a folded line, with an empty element; Wirespan decodes, the oracle does not",
		},
	},
	"suricata-verify__http-pipeline-files-with-gap.pcap": {
		{
			what:   "GET /wp-content/themes/wall-street/js/skip-link-focus-fix.js?ver… 200: status 200, oracle 0",
			reason: lostBytes,
		},
		{
			what: "GET /wp-content/uploads/2015/04/NSL-InvestorPitch-9.007-420x420.… 200: status 200, oracle 0; " +
				"response body 34152 bytes, oracle 0 bytes",
			reason: "whole by its Content-Length; the oracle does not recover from the bytes lost before it",
		},
	},
	"suricata-verify__http2_deflate.pcap": {
		{what: "missing: GET / 101", reason: upgradeIsOne},
		{what: "missing: HTTP/2 stream 1, (no request) 200, 0 and 30 bytes", reason: upgradeIsOne},
		{what: "extra: HTTP/2 stream 1, GET / 200, 0 and 30 bytes", reason: upgradeIsOne},
	},
	"wireshark__echi12.pcap": {
		{what: "GET / 200: status 200, oracle 0; response body 27729 bytes (rst), oracle 0 bytes", reason: resetInTheMiddle},
		{what: "GET /images/banner/106/Radio-Slave.gif 200: status 200, oracle 0; response body 66877 bytes (rst), oracle 0 bytes", reason: resetInTheMiddle},
		{what: "GET /images/banner/110/195x300N.gif 200: status 200, oracle 0; response body 77097 bytes (rst), oracle 0 bytes", reason: resetInTheMiddle},
		{what: "GET /isi/galeri/foto.php?id=1025521&s=1 200: response body 5511 bytes (1460 bytes lost), oracle 7775 bytes", reason: resetInTheMiddle},
		{what: "GET /isi/galeri/foto.php?id=1053303&s=1 200: response body 5504 bytes (1460 bytes lost), oracle 7457 bytes", reason: resetInTheMiddle},
		{what: "GET /isi/galeri/foto.php?id=1066127&s=1 200: response body 5501 bytes (1460 bytes lost), oracle 7889 bytes", reason: resetInTheMiddle},
		{what: "GET /isi/galeri/foto.php?id=1068460&s=1 200: response body 1174 bytes (rst), oracle 4082 bytes", reason: resetInTheMiddle},
	},
	"zeek__bro.org.pcap": {
		{what: "GET /js/jquery.cycle.all.min.js 200: status 200, oracle 0; response body 6940 bytes (7240 bytes lost), oracle 0 bytes", reason: lostBytes},
	},
	"zeek__connect-with-smtp.pcap": {
		{what: "missing: CONNECT mailin03.sul.t-online.de:25 200", reason: spaceInTarget},
		{what: "extra: CONNECT mailin03.sul.t-online.de:25 / 200", reason: spaceInTarget},
	},
	"zeek__dns-edns-ecs.pcap": {
		{
			what:   `missing: DNS over udp, "weberlab.de" type 48 (no response)`,
			reason: "the client sends the same datagram again after 5 s: the oracle counts two calls, Wirespan one with a retry",
		},
	},
	"zeek__entity_gap.pcap": {
		{what: "GET /download/CHANGES.bro-aux.txt 200: status 200, oracle 0; response body 1146 bytes (1448 bytes lost), oracle 0 bytes", reason: lostBytes},
	},
	"zeek__erspan.pcap": {
		{what: `extra: DNS over udp, "wpad" type 1 (no response)`, reason: "LLMNR: a protocol of its own to the oracle", times: 2},
		{what: "GET /ScriptResource.axd?d=s75aQqrSF6CRL0ua_dM6tf3lurn1kKBfokYUvP… 200: status 200, oracle 0; response body 26494 bytes (11680 bytes lost), oracle 0 bytes", reason: lostBytes},
		{what: "GET /SitePages/Home.aspx 200: status 200, oracle 0; response body 15855 bytes (30233 bytes lost), oracle 0 bytes", reason: lostBytes},
		{what: "GET /_layouts/1033/styles/Themable/corev4.css?rev=p63%2BuzTeSJc2… 200: status 200, oracle 0; response body 35716 bytes (28467 bytes lost), oracle 0 bytes", reason: lostBytes},
	},
	"zeek__methods.pcap": {
		{what: "missing: OPTIONS 400", reason: methodAlone},
		{what: "extra: (no request) 400", reason: methodAlone},
	},
	"zeek__mixed-vlan-mpls.pcap": {
		{what: "missing: GET / (no response)", reason: "HTTP/0.9: one line, no version, no header section. It is not HTTP/1"},
	},
}
