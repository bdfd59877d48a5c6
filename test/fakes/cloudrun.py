# SPDX-License-Identifier: Apache-2.0
"""The Cloud Run Admin API v2, as far as manual instance counts go, and the
metadata server; strict: what the real one refuses is refused here.

Facts: google.cloud.run.v2 (services.proto, worker_pool.proto) and
google.longrunning (operations.proto).  Bodies hold known fields of the right
kind alone, an etag must be the newest, a change is an operation that is not
done at first, and the mask must name what is written.
"""
import http.server
import json
import re
import threading
import urllib.parse

PROJECT, REGION, TOKEN = "my-project", "us-east1", "ya29.test-token"
STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED",
          404: "NOT_FOUND", 409: "ABORTED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
THING = re.compile(r"/v2/(projects/([^/]+)/locations/([^/]+)/(services|workerPools)/([^/]+))$")
OPERATION = re.compile(r"/v2/(projects/[^/]+/locations/[^/]+/operations/[^/]+)$")


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status, self.message = status, message


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.run("GET")

    def do_PATCH(self):
        self.run("PATCH")

    def run(self, method):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, said = self.server.answer(method, self.path, self.headers, body)
        except Refused as refused:
            status = refused.status
            said = {"error": {"code": status, "message": refused.message,
                              "status": STATUS[status]}}
        data = said.encode() if isinstance(said, str) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", "application/json")
        self.send_header("Metadata-Flavor", "Google")  # as its metadata server does
        self.end_headers()
        self.wfile.write(data)


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients may go away


class CloudRun:
    """Runs from construction to the end of a with statement."""

    def __init__(self, context):
        self.things, self.operations, self.requests = {}, {}, []
        self.faults, self.polls, self.lock = [], 1, threading.Lock()
        self.api = self.listen(self.run)
        self.api.socket = context.wrap_socket(self.api.socket, server_side=True,
                                              do_handshake_on_connect=False)
        self.metadata = self.listen(self.tell)
        self.url = f"https://127.0.0.1:{self.api.server_address[1]}"

    @staticmethod
    def listen(answer):
        server = Listener(("127.0.0.1", 0), Handler)
        server.answer = answer
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in (self.api, self.metadata):
            server.shutdown()
            server.server_close()

    def env(self):
        return {"GCE_METADATA_HOST": f"127.0.0.1:{self.metadata.server_address[1]}"}

    def put(self, kind, name, count, **scaling):
        if count is not None:
            scaling["manualInstanceCount"] = count
        path = f"projects/{PROJECT}/locations/{REGION}/{kind}/{name}"
        self.things[path] = {"name": path, "etag": '"1"', "scaling": scaling}

    def count(self, name):
        return next(t["scaling"].get("manualInstanceCount") for p, t in self.things.items()
                    if p.endswith("/" + name))

    def fail(self, method, status, message="simulated"):
        self.faults.append((method, status, message))

    # ---- metadata ----

    def tell(self, method, path, headers, _):
        if headers.get("Metadata-Flavor") != "Google":
            raise Refused(403, "Metadata-Flavor is missing")
        said = {"/computeMetadata/v1/project/project-id": PROJECT,
                "/computeMetadata/v1/instance/region": f"projects/123/regions/{REGION}",
                "/computeMetadata/v1/instance/service-accounts/default/token":
                    {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}}
        path, _, query = path.partition("?")
        if query not in ("", "scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform"):
            raise Refused(400, query)
        if method != "GET" or path not in said:
            raise Refused(404, path)
        return 200, said[path]

    # ---- the API ----

    def run(self, method, path, headers, body):
        url = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(url.query, strict_parsing=bool(url.query)))
        with self.lock:
            self.requests.append((method, url.path, query, body.decode()))
            for fault in self.faults:
                if fault[0] == method:
                    self.faults.remove(fault)
                    raise Refused(fault[1], fault[2])
            if headers.get("Authorization") != f"Bearer {TOKEN}":
                raise Refused(401, "no valid token")
            if method == "PATCH":
                if headers.get("Content-Type") != "application/json":
                    raise Refused(400, "Content-Type must be application/json")
                return 200, self.patch(url.path, query, body)
            if query:
                raise Refused(400, f"unknown parameters {sorted(query)}")
            found = OPERATION.match(url.path)
            return 200, self.poll(found[1]) if found else self.find(url.path)

    def find(self, path):
        found = THING.match(path)
        if not found or found[1] not in self.things:
            raise Refused(404, f"Resource {path} was not found")
        return self.things[found[1]]

    def patch(self, path, query, body):
        thing = self.find(path)
        if set(query) - {"updateMask", "validateOnly"}:
            raise Refused(400, "unknown parameter")
        if query.get("updateMask") != "scaling.manualInstanceCount":
            raise Refused(400, "updateMask")
        said = json.loads(body)
        if set(said) - {"etag", "scaling", "name"} or set(said["scaling"]) != {
                "manualInstanceCount"}:
            raise Refused(400, "Invalid JSON payload received. Unknown name")
        count = said["scaling"]["manualInstanceCount"]
        if type(count) is not int or not 0 <= count < 2**31:
            raise Refused(400, "manualInstanceCount is no int32")
        if said.get("etag", thing["etag"]) != thing["etag"]:
            raise Refused(409, "etag is not the newest")
        name = f"projects/{PROJECT}/locations/{REGION}/operations/op{len(self.operations)}"
        if query.get("validateOnly") == "true":
            return {"name": name, "done": True, "response": thing}
        self.operations[name] = {"thing": thing, "count": count, "polls": self.polls}
        return {"name": name, "metadata": {}}

    def poll(self, name):
        if name not in self.operations:
            raise Refused(404, name)
        operation = self.operations[name]
        if operation["polls"] > 0:
            operation["polls"] -= 1
            return {"name": name, "metadata": {}}
        thing = operation["thing"]
        thing["scaling"]["manualInstanceCount"] = operation["count"]
        thing["etag"] = '"%d"' % (int(thing["etag"].strip('"')) + 1)
        return {"name": name, "done": True, "response": thing}

    def asked(self, method):
        with self.lock:
            return [r for r in self.requests if r[0] == method]
