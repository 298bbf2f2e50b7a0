# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

# What ordinary programs don't send, or not on demand.
import socket
import struct
import sys
import threading
import time


def name(s):
    return b"".join(bytes([len(l)]) + l.encode() for l in s.split(".") if l) + b"\0"


def message(id, bits, question=b"", counts=(1, 0, 0, 0), rest=b""):
    return struct.pack(">6H", id, bits, *counts) + question + rest


def question(s, kind=1, cls=1):
    return name(s) + struct.pack(">2H", kind, cls)


def record(owner, kind, data, ttl=60, cls=1):
    return owner + struct.pack(">HHIH", kind, cls, ttl, len(data)) + data


SOA = record(name("big.example"), 6, name("ns.big.example") + name("root.big.example") + struct.pack(">5I", 1, 2, 3, 4, 5))


def frame(m):
    return struct.pack(">H", len(m)) + m


def serve_stream(c):
    try:
        answer(c)
    except ConnectionError:
        pass


def answer(c):
    f = c.makefile("rb")
    while len(head := f.read(2)) == 2:
        q = f.read(struct.unpack(">H", head)[0])
        id, asked = struct.unpack(">H", q[:2])[0], question("big.example", 252)
        out = frame(message(id, 0x8400, asked, (1, 1, 0, 0), SOA))
        for part in range(3):
            hosts = b"".join(record(name("h%d.big.example" % (part * 100 + i)), 1, bytes([10, 0, part, i])) for i in range(100))
            out += frame(message(id, 0x8400, b"", (0, 100, 0, 0), hosts))
        c.sendall(out + frame(message(id, 0x8400, b"", (0, 1, 0, 0), SOA)))


def serve(port):
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.bind(("127.0.0.1", port))
    threading.Thread(target=serve_datagrams, args=(u,), daemon=True).start()
    t = socket.create_server(("127.0.0.1", port))
    while True:
        c, _ = t.accept()
        threading.Thread(target=serve_stream, args=(c,), daemon=True).start()


# serve_datagrams answers the second try, twice; and what it can't read without a
# question.
def serve_datagrams(u):
    tries = {}
    while True:
        m, peer = u.recvfrom(65535)
        id = m[:2]
        tries[id] = tries.get(id, 0) + 1
        if b"broken" in m:
            u.sendto(id + struct.pack(">5H", 0x8001, 0, 0, 0, 0), peer)
        elif b"again" in m and tries[id] > 1:
            a = m[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + m[12:] + record(b"\xc0\x0c", 1, bytes([192, 0, 2, 1]))
            u.sendto(a, peer)
            u.sendto(a, peer)
        elif b"tail" in m:
            u.sendto(m[:2] + struct.pack(">5H", 0x8180, 1, 0, 0, 0) + m[12:] + b"rest", peer)


def ask(port):
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.connect(("127.0.0.1", port))
    u.settimeout(1)
    again = message(1, 0x0100, question("again.example"))
    for _ in range(2):
        u.send(again)
        time.sleep(0.1)
    u.recv(512), u.recv(512)
    u.send(message(2, 0x0100, question("broken.example")))
    u.recv(512)
    u.send(message(3, 0x0100, question("tail.example")))
    u.recv(512)
    # Two questions at once, in one segment, answered in one go.
    t = socket.create_connection(("127.0.0.1", port))
    t.sendall(frame(message(4, 0, question("big.example", 252)))[:5])
    time.sleep(0.1)
    t.sendall(frame(message(4, 0, question("big.example", 252)))[5:])
    time.sleep(0.3)
    t.close()


def multicast(address):
    def to(group, port, m, source=0):
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        u.bind((address, source))
        u.settimeout(1)
        u.sendto(m, (group, port))
        try:
            u.recv(9000)
        except TimeoutError:
            pass

    to("224.0.0.251", 5353, message(7, 0, question("printer.local")))  # one-shot: a unicast answer
    to("224.0.0.251", 5353, message(0, 0, question("nobody.local")))
    to("224.0.0.252", 5355, message(9, 0, question("nobody")))  # LLMNR


if __name__ == "__main__":
    if sys.argv[1] == "multicast":
        multicast(sys.argv[2])
    else:
        globals()[sys.argv[1]](int(sys.argv[2]))
