#!/usr/bin/env python3
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

"""scripts.py makes ../*.script anew: headers that no program at hand sends."""

import os
import socket
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
GET = b"GET /%d HTTP/1.1\r\nHost: shop.example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
INET4 = socket.inet_aton("192.0.2.7") + socket.inet_aton("198.51.100.2") + struct.pack("!HH", 4711, 443)
INET6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7") + socket.inet_pton(socket.AF_INET6, "2001:db8::2") + struct.pack("!HH", 4711, 443)
UNIX = b"/run/client.sock".ljust(108, b"\0") + b"\0proxy".ljust(108, b"\0")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def header(command, family, rest):
    return SIGNATURE + struct.pack("!BBH", 0x20 | command, family << 4 | 1, len(rest)) + rest


def checked(family, ends, tlvs, flip=0):
    """A header with a CRC32c, which is wrong if flip is not 0."""
    value = crc32c(header(1, family, ends + tlv(3, bytes(4)) + tlvs)) ^ flip
    return header(1, family, ends + tlv(3, struct.pack("!I", value)) + tlvs)


def line(text, *more):
    return ["> " + repr_(b"PROXY " + text + b"\r\n"), *more]


def repr_(data):
    return "hex " + data.hex(" ")


def call(n):
    return [f'> "GET /{n} HTTP/1.1\\r\\nHost: shop.example\\r\\n\\r\\n"', '< "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"']


def joined(data):
    """The header and the first request in one segment, and a second call."""
    return ["> " + repr_(data), '  "GET /1 HTTP/1.1\\r\\nHost: shop.example\\r\\n\\r\\n"', call(1)[1], *call(2)]


def split(data, *at):
    cuts = [0, *at, len(data)]
    return ["> " + repr_(data[a:b]) for a, b in zip(cuts, cuts[1:])]


def write(name, comment, *lines):
    with open(os.path.join(HERE, "..", name + ".script"), "w") as out:
        out.write("# " + comment + "\n" + "\n".join(lines) + "\n")


TLS = tlv(0x20, b"\x07" + bytes(4) + tlv(0x21, b"TLSv1.3") + tlv(0x22, b"client.example") + tlv(0x23, b"TLS_AES_128_GCM_SHA256") + tlv(0x24, b"SHA256") + tlv(0x25, b"RSA2048"))
UNVERIFIED = tlv(0x20, b"\x03" + struct.pack("!I", 18) + tlv(0x21, b"TLSv1.2"))
FACTS = tlv(1, b"h2") + tlv(2, b"shop.example") + tlv(4, bytes(3)) + tlv(5, b"\x01\x02\xff") + tlv(0x30, b"blue") + tlv(0xE0, b"custom")

write("v1-tcp4", "Version 1, with the request in the same segment.", *joined(b"PROXY TCP4 192.0.2.7 198.51.100.2 4711 443\r\n"))
write("v1-tcp6", "Version 1 with IPv6, in a segment of its own.", *line(b"TCP6 2001:db8::7 2001:db8::2 4711 443", *call(1), *call(2)))
write("v1-unknown", "Version 1 of a proxy that does not know the client.", *line(b"UNKNOWN ffff:f...f", *call(1)))
write("v1-split", "Version 1 in several segments.", *split(b"PROXY TCP4 192.0.2.7 198.51.100.2 4711 443\r\n", 3, 7, 40), *call(1), *call(2))
for name, bad in (
    ("address", b"PROXY TCP4 192.0.2.777 198.51.100.2 4711 443\r\n"),
    ("family", b"PROXY TCP6 192.0.2.7 198.51.100.2 4711 443\r\n"),
    ("port", b"PROXY TCP4 192.0.2.7 198.51.100.2 66000 443\r\n"),
    ("long", b"PROXY TCP4 " + b"x" * 200 + b"\r\n"),
):
    write("v1-bad-" + name, "No header; the server refuses the connection, or not.", "> " + repr_(bad), *call(1), *call(2))
write("v2-tcp4", "Version 2 with TLVs and a checksum, with the request in the same segment.", *joined(checked(1, INET4, FACTS + TLS)))
write("v2-tcp6", "Version 2 with IPv6, of a client whose certificate was not verified.", *joined(checked(2, INET6, UNVERIFIED)))
write("v2-unix", "Version 2 with Unix domain sockets, the second of which is abstract.", *joined(header(1, 3, UNIX)))
write("v2-unspecified", "Version 2 without addresses, with TLVs.", *joined(header(1, 0, FACTS)))
write("v2-local", "Version 2 of a proxy that speaks for itself. Addresses do not count.", *joined(header(0, 1, INET4)))
write("v2-split", "Version 2 in several segments.", *split(checked(1, INET4, FACTS), 5, 12, 15, 16, 40), *call(1))
write("v2-checksum", "A wrong checksum: nothing of the header is believed.", *joined(checked(1, INET4, FACTS, 1)))
write("v2-bad-family", "A family that does not exist.", *joined(header(1, 7, INET4)))
write("v2-bad-length", "Addresses that are cut off.", *joined(header(1, 2, INET4)))
write("v2-bad-tlv", "A TLV that is cut off.", *joined(header(1, 1, INET4 + b"\x02\x00\xff!")))
write("twice", "A proxy before a proxy: the second header is that of the farther one.",
      *joined(header(1, 1, INET6[:0] + socket.inet_aton("203.0.113.9") + socket.inet_aton("198.51.100.9") + struct.pack("!HH", 9, 99)) + b"PROXY TCP4 192.0.2.7 198.51.100.2 4711 443\r\n"))
write("reversed", "Who opened the connection was not seen.", "initiator unknown", *joined(b"PROXY TCP4 192.0.2.7 198.51.100.2 4711 443\r\n"))
write("gap", "A part of the header is lost.", *split(checked(1, INET4, FACTS), 20)[:1], "gap > 30", *call(1), *call(2))
write("nothing", "Nothing follows.", *line(b"TCP4 192.0.2.7 198.51.100.2 4711 443", "end > fin", "close fin"))
