# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

"""A server that begins in the clear: starttls.py PROTOCOL PORT CERTIFICATE KEY.

It says what openssl s_client -starttls wants to hear, and answers HTTP inside.
"""

import socket
import ssl
import sys

protocol, port, certificate, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


def line(c):
    text = b""
    while not text.endswith(b"\n"):
        b = c.recv(1)
        if not b:
            return b""
        text += b
    return text


def begin(c):
    if protocol == "smtp":
        c.sendall(b"220 mail.example ESMTP\r\n")
        line(c)
        c.sendall(b"250-mail.example\r\n250-SIZE 1000000\r\n250 STARTTLS\r\n")
        line(c)
        c.sendall(b"220 2.0.0 Ready to start TLS\r\n")
    elif protocol == "imap":
        c.sendall(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n")
        tag = line(c).split()[0]
        c.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + b" OK done\r\n")
        tag = line(c).split()[0]
        c.sendall(tag + b" OK Begin TLS negotiation now\r\n")
    elif protocol == "pop3":
        c.sendall(b"+OK ready\r\n")
        line(c)
        c.sendall(b"+OK Begin TLS\r\n")
    elif protocol == "ftp":
        c.sendall(b"220 ready\r\n")
        while not line(c).upper().startswith(b"AUTH"):
            c.sendall(b"211-Features:\r\n AUTH TLS\r\n211 End\r\n")
        c.sendall(b"234 AUTH TLS successful\r\n")
    elif protocol == "postgres":
        c.recv(8)
        c.sendall(b"S")
    elif protocol == "mysql":
        greeting = b"\x0a8.0.30\0" + b"\x07\0\0\0" + b"saltsalt\0" + b"\xff\xff\x21\x02\0\xff\xdf\x15" + b"\0" * 10
        greeting += b"saltsaltsalt\0" + b"caching_sha2_password\0"
        c.sendall(len(greeting).to_bytes(3, "little") + b"\0" + greeting)
        c.recv(36)
    elif protocol == "ldap":
        c.recv(64)
        c.sendall(bytes.fromhex("300c02010178070a010004000400"))


listener = socket.create_server(("127.0.0.1", int(port)))
while True:
    connection, _ = listener.accept()
    try:
        begin(connection)
        with context.wrap_socket(connection, server_side=True) as inside:
            inside.recv(4096)
            inside.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    except (OSError, IndexError):
        pass
    finally:
        connection.close()
