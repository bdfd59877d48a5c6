# SPDX-License-Identifier: Apache-2.0
"""An HTTP server for tests of the client: each path misbehaves in its way.

Prints its ports and CA files as key=value words, and ends when its standard
input does.  It is a proxy, too: absolute URLs are answered in place, CONNECT
opens a tunnel to the loopback.
"""
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tls import Authority

connections = 0
lock = threading.Lock()


class Peer:
    """One connection, read and written by hand."""

    def __init__(self, sock):
        self.sock = sock
        self.rest = b""

    def line(self):
        while b"\r\n" not in self.rest:
            more = self.sock.recv(65536)
            if not more:
                raise EOFError
            self.rest += more
        line, self.rest = self.rest.split(b"\r\n", 1)
        return line.decode("latin-1")

    def take(self, n):
        while len(self.rest) < n:
            more = self.sock.recv(65536)
            if not more:
                raise EOFError
            self.rest += more
        taken, self.rest = self.rest[:n], self.rest[n:]
        return taken

    def send(self, text):
        self.sock.sendall(text.encode("latin-1") if isinstance(text, str) else text)

    def answer(self, body, status="200 OK", headers=()):
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.send("\r\n".join(head) + body)

    def chunks(self, *pieces):
        for piece in pieces:
            self.send(f"{len(piece):x}\r\n{piece}\r\n")

    def wait_for_close(self):
        while self.sock.recv(65536):
            pass


def respond(peer, request, head, body):
    """Answers one request; False closes the connection."""
    method, target = request.split(" ")[:2]
    path, _, query = target.partition("?")
    if method == "CONNECT":
        if "refused" in target:
            peer.answer("", "403 Forbidden")
            return False
        return tunnel(peer, target)
    if target.startswith("http://"):
        peer.answer(f"proxied {target}")
    elif path == "/hello":
        peer.answer("" if method == "HEAD" else "hello", headers=["X-One: 1", "x-one: 2", "X-Empty:"])
    elif path == "/echo":
        peer.answer("\n".join([request, *head, "", body.decode("latin-1")]))
    elif path == "/connections":
        peer.answer(str(connections))
    elif path == "/redirect":
        peer.answer("moved", "302 Found", ["Location: /hello"])
    elif path == "/error":
        peer.answer("sorry", "503 Service Unavailable", ["Retry-After: 7"])
    elif path == "/big":
        peer.answer("x" * int(query))
    elif path == "/endless":
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            peer.chunks("x" * 4096)
    elif path == "/chunked":
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n")
        peer.chunks("abc", "defg")
        peer.send("0\r\nX-Late: 1\r\n\r\n")
    elif path == "/cut":
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
        return False
    elif path == "/cut-chunk":
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n01234")
        return False
    elif path == "/never":
        peer.wait_for_close()
        return False
    elif path == "/half":
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
        peer.wait_for_close()
        return False
    elif path == "/interim":
        peer.send("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")
        peer.answer("final", headers=["X-Final: 1"])
    elif path == "/many-headers":
        peer.answer("", headers=[f"X-{i}: {i}" for i in range(int(query))])
    elif path == "/long-headers":
        peer.answer("", headers=["X-Long: " + "y" * 8000] * 10)
    elif path == "/garbage":
        peer.send("this is not\x01HTTP\r\n\r\n")
        return False
    elif path == "/close":
        return False
    else:
        peer.answer("", "404 Not Found")
    return True


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def tunnel(peer, target):
    with socket.create_connection(("127.0.0.1", int(target.rsplit(":", 1)[1]))) as up:
        peer.send("HTTP/1.1 200 Connected\r\nX-Proxy: 1\r\n\r\n")
        back = threading.Thread(target=pump, args=(up, peer.sock), daemon=True)
        back.start()
        pump(peer.sock, up)
        back.join()
    return False


def serve(sock):
    global connections
    with lock:
        connections += 1
    peer = Peer(sock)
    try:
        while True:
            request = peer.line()
            head = []
            while line := peer.line():
                head.append(line)
            fields = {k.lower(): v.strip() for k, v in (h.split(":", 1) for h in head)}
            body = peer.take(int(fields.get("content-length", 0)))
            if not respond(peer, request, head, body):
                return
    except (EOFError, OSError):
        pass
    finally:
        sock.close()


def accept(listener, context):
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=shake, args=(sock, context), daemon=True).start()


def shake(sock, context):
    try:
        serve(context.wrap_socket(sock, server_side=True) if context else sock)
    except OSError:
        sock.close()


def listen(context=None):
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    threading.Thread(target=accept, args=(listener, context), daemon=True).start()
    return listener.getsockname()[1]


def mute():
    """A port that takes connections and says nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    KEPT.append(listener)
    return listener.getsockname()[1]


def closed():
    """A port where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


KEPT = []
ours, theirs = Authority("our authority"), Authority("their authority")
words = {
    "plain": listen(), "tls": listen(ours.context()),
    "elsewhere": listen(ours.context("DNS:elsewhere.test")),
    "mute": mute(), "closed": closed(),
    "ca": ours.certificate, "other_ca": theirs.certificate,
}
print(" ".join(f"{k}={v}" for k, v in words.items()), flush=True)
sys.stdin.read()
