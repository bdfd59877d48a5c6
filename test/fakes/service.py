# SPDX-License-Identifier: Apache-2.0
"""What the fakes of AWS services share: a server on loopback, its clock and
keys, scripted faults, and what was asked of it.

Tests in another process control it by HTTP:

    GET  /_fake/requests  every request with its answer: [{"status", "code", ...}]
    POST /_fake/script    [fault, ...]: one for each coming request; null: none
    POST /_fake/release   lets delayed answers go
    POST /_fake/clock     {"offset": seconds}: its clock runs ahead or behind
    POST /_fake/keys      {"key": {"secret", "token"?, "expired"?, "denied"?}}

A fault may say: status, code, message, headers, body (text), accept (the data
is taken before the answer is spoilt), delay (until released), close (no
answer at all), garbage (no HTTP).
"""
import base64
import contextlib
import http.server
import json
import socket
import sys
import threading
import time
from email.utils import formatdate

from fakes.sigv4 import KEY_ID, SECRET, Refused


class Request:
    def __init__(self, handler, body):
        self.scheme = "https" if handler.server.tls else "http"
        self.method, self.path, self.body = handler.command, handler.path, body
        self.headers = {k.lower(): ",".join(handler.headers.get_all(k)) for k in handler.headers}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "fake-aws", ""

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return formatdate(self.server.fake.now(), usegmt=True)

    def body(self):
        length = self.headers.get("Content-Length")
        if length is None and self.command == "POST":
            raise Refused(411, "MissingContentLength", "Content-Length is missing")
        return self.rfile.read(int(length or 0))

    def do_GET(self):
        self.body()
        if self.path.startswith("/_fake/"):
            self.control(None)
        else:
            self.server.fake.get(self)

    def do_POST(self):
        body = self.body()
        if self.path.startswith("/_fake/"):
            self.control(json.loads(body or b"null"))
        else:
            self.server.fake.serve(self, Request(self, body))

    def control(self, said):
        found = self.server.fake.control(self.path[len("/_fake/"):], said)
        self.answer(404 if found is None else 200, json.dumps(found).encode(),
                    {"Content-Type": "application/json"})

    def answer(self, status, body, headers=None):
        self.send_response(status)
        self.send_header("x-amzn-RequestId", "00000000-0000-0000-0000-%012d" % self.server.serial())
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    count = 0

    def serial(self):
        self.count += 1
        return self.count

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # a client that went away
            super().handle_error(request, client_address)


class Service:
    """Runs from construction to close(); usable in a with statement.

    A service says how it understands a request, what it does about it and how
    it words an error."""

    def __init__(self, context=None, region=None, keys=None, port=0):
        self.region, self.offset = region, 0
        self.keys = keys or {KEY_ID: {"secret": SECRET}}
        self.requests, self.faults = [], []
        self.news = threading.Condition()
        self.released = threading.Event()
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.fake, self.server.tls = self, context is not None
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def now(self):
        return time.time() + self.offset

    def understand(self, request):
        """What is asked; raises Refused."""
        raise NotImplementedError

    def take(self, request, tree):
        """Body and headers of the answer."""
        raise NotImplementedError

    def error(self, request, refused):
        """The same of a refusal."""
        raise NotImplementedError

    def get(self, handler):
        handler.answer(404, b"")

    def script(self, *faults):
        with self.news:
            self.faults.extend(faults)

    def release(self):
        self.released.set()

    def control(self, what, said):
        with self.news:
            if what == "requests":
                return list(self.requests)
            if what == "script":
                self.faults.extend(said)
            elif what == "release":
                self.released.set()
            elif what == "clock":
                self.offset = said["offset"]
            elif what == "keys":
                self.keys = said
            else:
                return None
        return {}

    def serve(self, handler, request):
        with self.news:
            fault = self.faults.pop(0) if self.faults else None
        if fault and fault.get("delay"):
            self.released.wait(60)
        if fault and not fault.get("accept") and set(fault) - {"delay"}:
            self.note(request, fault.get("status", 0), fault.get("code", ""), fault=True)
            self.spoil(handler, request, fault)
            return
        try:
            tree = self.understand(request)
        except Refused as refused:
            self.note(request, refused.status, refused.code, refused.message)
            handler.answer(refused.status, *self.error(request, refused))
            return
        body, headers = self.take(request, tree)
        if fault and fault.get("accept"):
            self.spoil(handler, request, fault)
        else:
            handler.answer(200, body, headers)

    def note(self, request, status, code, message="", fault=False):
        secret = ("authorization", "x-amz-security-token")
        with self.news:
            self.requests.append({
                "status": status, "code": code, "message": message, "fault": fault,
                "path": request.path, "bytes": len(request.body),
                "headers": {k: v for k, v in request.headers.items() if k not in secret}})
            self.news.notify_all()

    def spoil(self, handler, request, fault):
        if fault.get("close") or fault.get("garbage"):
            if fault.get("garbage"):
                handler.wfile.write(b"\x00\x01\x02 no HTTP at all\r\n\r\n")
                handler.wfile.flush()
            handler.close_connection = True
            with contextlib.suppress(OSError):
                handler.connection.shutdown(socket.SHUT_RDWR)
            return
        body, headers = b"", {}
        if fault.get("code"):
            body, headers = self.error(request, Refused(fault.get("status", 400), fault["code"],
                                                        fault.get("message", "")))
        if "body" in fault:
            body, headers = fault["body"].encode(), {}
        if "body_base64" in fault:
            body, headers = base64.b64decode(fault["body_base64"]), {}
        headers.update(fault.get("headers", {}))
        handler.answer(fault.get("status", 200), body, headers)

    def await_requests(self, count, limit=60):
        with self.news:
            if not self.news.wait_for(lambda: len(self.requests) >= count, limit):
                raise AssertionError(f"{len(self.requests)} requests, not {count}")
            return list(self.requests)

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
