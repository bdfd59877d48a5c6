# SPDX-License-Identifier: Apache-2.0
"""Azure Resource Manager on loopback, as far as replicas of container apps go;
strict: method, path, api-version and token must be right.

Shapes: Microsoft.App 2025-07-01, ContainerAppsRevisions.json.
"""
import http.server
import json
import re
import threading
import urllib.parse

APP = ("/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/"
       "Microsoft.App/containerApps/workers")
PATH = re.compile(re.escape(APP) + r"/revisions(?:/([^/]+)/replicas)?$")


def replica(ready=True, state="Running", containers=1):
    return {"runningState": state, "createdTime": "2026-01-31T12:00:00Z",
            "containers": [{"name": f"c{i}", "ready": ready, "started": True, "restartCount": 0}
                           for i in range(containers)]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        status, said = self.server.arm.answer(self.path, self.headers)
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients may go away


class Arm:
    """`revisions` is [(name, active, [replica(), ...]), ...]; `tokens` are those
    that it takes, as entra.py hands them out."""

    def __init__(self, context, tokens):
        self.revisions, self.tokens, self.page = [], tokens, 100
        self.faults, self.asked, self.away = [], [], None
        self.server = Listener(("127.0.0.1", 0), Handler)
        self.server.arm = self
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    @staticmethod
    def fault(status, code, message="no."):
        return status, {"error": {"code": code, "message": message}}

    def answer(self, path, headers):
        url = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(url.query, strict_parsing=True))
        self.asked.append(url.path)
        if headers.get("Authorization", "") not in ["Bearer " + t for t in self.tokens]:
            return self.fault(401, "InvalidAuthenticationToken")
        if self.faults:
            return self.fault(*self.faults.pop(0))
        found = PATH.match(url.path)
        if not found:
            return self.fault(404, "ResourceNotFound", "The Resource was not found.")
        if query.pop("api-version", "") != "2025-07-01" or set(query) - {"$skipToken"}:
            return self.fault(400, "InvalidApiVersionParameter")
        if found[1]:
            return self.replicas(found[1])
        return self.list(int(query.get("$skipToken", "0")))

    def replicas(self, name):
        for revision, _, replicas in self.revisions:
            if revision == name:
                return 200, {"value": [{"name": f"{name}-{i}", "properties": r}
                                       for i, r in enumerate(replicas)]}
        return self.fault(404, "RevisionNotFound")

    def list(self, start):
        end = start + self.page
        said = {"value": [{"name": name, "properties": {"active": active, "replicas": len(all_)}}
                          for name, active, all_ in self.revisions[start:end]]}
        if end < len(self.revisions):
            said["nextLink"] = (f"{self.away or self.url}{APP}/revisions?api-version=2025-07-01"
                                f"&%24skipToken={end}")
        return 200, said
