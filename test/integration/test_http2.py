# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 where the server has it: one that speaks nothing else is scraped."""
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.membrane import api_page  # noqa: E402
from fakes.tls import Authority  # noqa: E402
from lib.tap import Skip, case, config_file, equal, expect, main  # noqa: E402

CONF = """scrape:
  jobs:
    - name: api
      ca_file: {ca}
      targets: ["https://127.0.0.1:{port}/metrics.txt"]
sinks: {{none: {{}}}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


class Http2:
    """nghttpd with one page; its verbose output tells each request."""

    def __init__(self, authority, page):
        if not shutil.which("nghttpd"):
            raise Skip("nghttpd is not installed (Debian: nghttp2-server)")
        authority.context()
        folder = tempfile.mkdtemp(prefix="scalebridge-h2-")
        types = os.path.join(folder, "mime.types")
        with open(types, "w", encoding="ascii") as file:
            file.write("text/plain txt\n")
        with open(os.path.join(folder, "metrics.txt"), "w", encoding="ascii") as file:
            file.write(page)
        self.port = free_port()
        self.process = subprocess.Popen(
            ["nghttpd", "-v", "-a", "127.0.0.1", "-d", folder, f"--mime-types-file={types}",
             str(self.port), authority.path("s.key"), authority.path("s.pem")],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.output = b""
        self.await_output(b"listen")

    def await_output(self, part):
        while part not in self.output:
            ready, _, _ = select.select([self.process.stdout], [], [], 60)
            piece = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not piece:
                raise AssertionError(f"no {part!r} in {self.output!r}")
            self.output += piece

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)


@case
def a_server_that_speaks_http2_alone_is_scraped():
    authority = Authority()
    with Http2(authority, api_page()) as server:
        path = config_file(CONF.format(ca=authority.certificate, port=server.port))
        report = expect(0, "--dry-run", "--output", "json", "--config", path).json()
        server.await_output(b":path: /metrics.txt")
    queue = next(m for m in report["metrics"] if m["name"] == "JobQueueLength")
    equal(queue["value"], 42)


if __name__ == "__main__":
    main()
