#!/usr/bin/env python3
# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

"""scripts.py makes ../*.script anew: handshakes that no program at hand has, and those that fail."""

import os
import socket
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
V4 = socket.inet_aton("192.0.2.7")
V6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7")
NAME = b"\x0cshop.example"
BOUND = b"\x01" + socket.inet_aton("198.51.100.2") + struct.pack("!H", 5000)
CALL = ['> "GET /1 HTTP/1.1\\r\\nHost: shop.example\\r\\n\\r\\n"', '< "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"']
CALL2 = [line.replace("/1 ", "/2 ") for line in CALL]


def c(data):
    return "> hex " + data.hex(" ")


def s(data):
    return "< hex " + data.hex(" ")


def write(name, comment, *lines):
    with open(os.path.join(HERE, "..", name + ".script"), "w") as out:
        out.write("# " + comment + "\n" + "\n".join(lines) + "\n")


def request(command, address, port=80):
    return b"\x05" + bytes([command]) + b"\0" + address + struct.pack("!H", port)


def reply(code, bound=BOUND):
    return b"\x05" + bytes([code]) + b"\0" + bound


def request4(command, address, user=b"", name=None, port=80):
    return b"\x04" + bytes([command]) + struct.pack("!H", port) + address + user + b"\0" + (name + b"\0" if name else b"")


def reply4(code):
    return b"\0" + bytes([code]) + struct.pack("!H", 5000) + socket.inet_aton("198.51.100.2")


PLAIN = [c(b"\x05\x01\x00"), s(b"\x05\x00")]
LOGIN = [c(b"\x05\x02\x00\x02"), s(b"\x05\x02"), c(b"\x01\x05alice\x06secret")]

write("v5-name", "A name, and a call through the proxy.", *PLAIN, c(request(1, b"\x03" + NAME)), s(reply(0)), *CALL, *CALL2)
write("v5-ipv4", "An IPv4 address.", *PLAIN, c(request(1, b"\x01" + V4)), s(reply(0)), *CALL)
write("v5-ipv6", "An IPv6 address, and a reply with another one.", *PLAIN, c(request(1, b"\x04" + V6)), s(reply(0, b"\x04" + V6 + b"\x13\x88")), *CALL)
write("v5-password", "User name and password, of which nothing is told.", *LOGIN, s(b"\x01\x00"), c(request(1, b"\x03" + NAME)), s(reply(0)), *CALL)
write("v5-password-refused", "They will not do.", *LOGIN, s(b"\x01\x01"), "end < fin", "close fin")
write("v5-no-method", "The server wants another method.", c(b"\x05\x01\x00"), s(b"\x05\xff"), "end < fin", "close fin")
for code in (1, 2, 3, 4, 5, 6, 7, 8, 77):
    write(f"v5-refused-{code}", "The request is refused.", *PLAIN, c(request(1, b"\x03" + NAME)), s(reply(code, b"\x01" + bytes(6))), "end < fin", "close fin")
write("v5-gssapi", "What follows the choice of GSSAPI is not followed.", c(b"\x05\x02\x00\x01"), s(b"\x05\x01"), c(b"\x01\x01\x00\x03abc"), s(b"\x01\x01\x00\x03def"))
write("v5-early", "All at once, with the call.", c(b"\x05\x01\x00" + request(1, b"\x03" + NAME)), CALL[0], s(b"\x05\x00" + reply(0)), CALL[1])
write("v5-early-password", "All at once, with a password.", c(b"\x05\x01\x02" + b"\x01\x05alice\x06secret" + request(1, b"\x03" + NAME)), CALL[0], s(b"\x05\x02\x01\x00" + reply(0)), CALL[1])
write("v5-bind", "BIND has two replies. The other end speaks first.", *PLAIN, c(request(2, b"\x01" + V4)), s(reply(0)), s(reply(0, b"\x01" + V4 + b"\x04\x00")), *CALL)
write("v5-udp", "UDP ASSOCIATE: nothing follows.", *PLAIN, c(request(3, b"\x01" + bytes(4), 0)), s(reply(0)), "end > fin", "close fin")
write("v5-silent", "The server does not answer.", *PLAIN, c(request(1, b"\x03" + NAME)), "wait 200s")
write("v5-mute", "Not even the list of methods is answered.", c(b"\x05\x01\x00"), "end > fin", "close fin")
write("v5-server-first", "The server speaks first behind the proxy.", *PLAIN, c(request(1, b"\x03" + NAME)), s(reply(0) + b"220 ready\r\n"), '> "QUIT\\r\\n"')
write("v5-not-socks", "What looks like a list of methods is none: the answer says so.", c(b"\x05\x01\x00"), *[CALL[1]])
write("v4", "Version 4.", c(request4(1, V4, b"alice")), s(reply4(90)), *CALL, *CALL2)
write("v4-no-user", "Version 4 without user id.", c(request4(1, V4)), s(reply4(90)), *CALL)
write("v4a", "Version 4A.", c(request4(1, b"\0\0\0\x01", b"alice", b"shop.example")), s(reply4(90)), *CALL)
for code in (91, 92, 93):
    write(f"v4-refused-{code}", "The request is refused.", c(request4(1, V4, b"alice")), s(reply4(code)), "end < fin", "close fin")
write("v4-bind", "BIND of version 4.", c(request4(2, V4)), s(reply4(90)), s(reply4(90)), *CALL)
write("reversed", "Who opened the connection was not seen.", "initiator remote", *PLAIN, c(request(1, b"\x03" + NAME)), s(reply(0)), *CALL)
