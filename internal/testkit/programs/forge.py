# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

"""Keep-alive HTTP over loopback, with packets forged before each call, an urgent byte in
the last request, and one reset that is real at the end. Prints the names of the calls."""

import socket
import struct
import threading

PORT = 18501
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ, SEND_QUEUE = 19, 20, 21, 2
KINDS = {
    # flags, distance from the next byte, payload
    "reset_ahead": (RST, 1000, b""),
    "reset_old": (RST, -40, b""),
    "reset_far": (RST, 1 << 30, b""),
    "reset_ack": (RST | ACK, 1, b""),
    "syn": (SYN, 5000000, b""),
    "syn_in_window": (SYN, 10, b""),
    "fin_ahead": (FIN | ACK, 1000, b""),
    "data_ahead": (PSH | ACK, 900000, b"GET /evil HTTP/1.1\r\nHost: t\r\n\r\n"),
    "data_far": (PSH | ACK, 1 << 30, b"GET /evil HTTP/1.1\r\nHost: t\r\n\r\n"),
}


def number(s):
    """The sequence number of the next byte that s sends."""
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, SEND_QUEUE)
    seq = s.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ)
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, -1)  # without a window probe
    return seq & 0xFFFFFFFF


def checksum(b):
    b += b"\0" * (len(b) % 2)
    n = sum(struct.unpack(">%dH" % (len(b) // 2), b))
    while n >> 16:
        n = (n & 0xFFFF) + (n >> 16)
    return ~n & 0xFFFF


def forge(raw, sender, receiver, flags, distance, payload):
    a, b = sender.getsockname(), receiver.getsockname()
    seq = (number(sender) + distance) & 0xFFFFFFFF
    ack = number(receiver) if flags & ACK else 0
    head = struct.pack(">HHIIBBHHH", a[1], b[1], seq, ack, 0x50, flags, 65535, 0, 0)
    pseudo = socket.inet_aton(a[0]) + socket.inet_aton(b[0]) + struct.pack(">BBH", 0, 6, len(head + payload))
    head = head[:16] + struct.pack(">H", checksum(pseudo + head + payload)) + head[18:]
    raw.sendto(head + payload, (b[0], 0))


def serve(s):
    data = b""
    while True:
        try:
            part = s.recv(4096)
        except ConnectionResetError:
            return
        data += part
        while b"\r\n\r\n" in data:
            head, _, data = data.partition(b"\r\n\r\n")
            body = b"ok " + head.split()[1][1:]
            s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def call(s, name, urgent=b""):
    s.sendall(b"GET /" + name[:2].encode())
    if urgent:
        s.send(urgent, socket.MSG_OOB)
    s.sendall(name[2:].encode() + b" HTTP/1.1\r\nHost: t\r\n\r\n")
    want, got = b"ok " + name.encode(), b""
    while not got.endswith(want):
        part = s.recv(4096)
        assert part, "closed"
        got += part


listener = socket.create_server(("127.0.0.1", PORT))
client = socket.create_connection(("127.0.0.1", PORT))
server, _ = listener.accept()
answering = threading.Thread(target=serve, args=(server,))
answering.start()
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
call(client, "first")
print("first")
for name, (flags, distance, payload) in KINDS.items():
    for sender, receiver in ((client, server), (server, client)):
        forge(raw, sender, receiver, flags, distance, payload)
    call(client, name)
    print(name)
call(client, "urgent", b"X")
print("urgent")
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
client.close()
answering.join()
