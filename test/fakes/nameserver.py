# SPDX-License-Identifier: Apache-2.0
"""A DNS server for tests, over UDP and TCP (RFC 1035), on one loopback port.

Prints port=N, and ends when its standard input does.
"""
import socket
import struct
import sys
import threading

A, CNAME, AAAA, SRV = 1, 5, 28, 33
POINTER = b"\xc0\x0c"  # to the name of the question


def name(text):
    return b"".join(bytes([len(p)]) + p.encode() for p in text.split(".") if p) + b"\0"


def v4(text):
    return socket.inet_aton(text)


def v6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def srv(port, target):
    return struct.pack("!HHH", 1, 2, port) + name(target)


# name: list of (type, TTL, data)
ZONE = {
    "api.test": [(A, 30, v4("10.0.0.12")), (A, 30, v4("10.0.0.2")), (A, 20, v4("10.0.0.2"))],
    "six.test": [(AAAA, 60, v6("fd00::2")), (AAAA, 60, v6("fd00::1"))],
    "alias.test": [(CNAME, 5, name("real.test")), (A, 30, v4("10.0.0.7"), "real.test")],
    "big.test": [(A, 9, v4(f"10.1.0.{i}")) for i in range(100)],
    "_worker._tcp.test": [(SRV, 15, srv(5001, "b.test")), (SRV, 15, srv(5002, "a.test")),
                          (SRV, 15, srv(5001, "a.test"))],
    "_gone._tcp.test": [(SRV, 15, srv(0, "."))],
    "_bad._tcp.test": [(SRV, 15, b"\0\1\0\2")],
    "_loop._tcp.test": [(SRV, 15, b"\0\1\0\2\0\3\xc0\xff")],
    "_many._tcp.test": [(SRV, 15, srv(i, "worker.test")) for i in range(1, 101)],
    "old.test": [(A, 0x80000001, v4("10.0.0.1"))],
}


def question(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
        at += 1 + query[at]
    kind = struct.unpack("!H", query[at + 1:at + 3])[0]
    return ".".join(labels).lower(), kind, query[12:at + 5]


def answer(query, udp):
    asked, kind, copy = question(query)
    if asked.startswith("silent."):
        return None
    if asked.startswith("broken."):
        return query[:2] + struct.pack("!HHHHH", 0x8182, 1, 0, 0, 0) + copy
    records = [r for r in ZONE.get(asked, []) if r[0] in (kind, CNAME)]
    code = 0 if asked in ZONE else 3
    body = b""
    for record in records:
        owner = name(record[3]) if len(record) > 3 else POINTER
        body += owner + struct.pack("!HHIH", record[0], 1, record[1], len(record[2])) + record[2]
    flags, count = 0x8180 | code, len(records)
    if udp and len(body) > 400:
        flags, body, count = flags | 0x0200, b"", 0
    return query[:2] + struct.pack("!HHHHH", flags, 1, count, 0, 0) + copy + body


def serve_udp(sock):
    while True:
        query, peer = sock.recvfrom(4096)
        reply = answer(query, True)
        if reply:
            sock.sendto(reply, peer)


def serve_stream(sock):
    with sock, sock.makefile("rwb") as stream:
        while size := stream.read(2):
            reply = answer(stream.read(struct.unpack("!H", size)[0]), False)
            if reply:
                stream.write(struct.pack("!H", len(reply)) + reply)
                stream.flush()


def serve_tcp(listener):
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve_stream, args=(sock,), daemon=True).start()


def both():
    """One free port for both protocols."""
    while True:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
            return tcp, udp
        except OSError:
            tcp.close()
            udp.close()


def start():
    """Answers in the background from now on; gives the port."""
    tcp, udp = both()
    threading.Thread(target=serve_tcp, args=(tcp,), daemon=True).start()
    threading.Thread(target=serve_udp, args=(udp,), daemon=True).start()
    return tcp.getsockname()[1]


if __name__ == "__main__":
    print(f"port={start()}", flush=True)
    sys.stdin.read()
