# SPDX-License-Identifier: Apache-2.0
"""timeSeries.create of Cloud Monitoring v3, an OAuth token endpoint and the
metadata server; strict: what the real ones refuse is refused here.

Facts: google.monitoring.v3 (metric_service.proto, metric.proto, common.proto)
and google.api (monitored_resource.proto); AIP-4111 for what a key signs.
Tokens are verified by PyJWT.
"""
import calendar
import http.server
import json
import re
import threading
import time
import urllib.parse

PROJECT, TOKEN = "my-project", "ya29.test-token"
MAIL = "publisher@my-project.iam.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/monitoring.write"
STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED",
          429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}
TASK = {"project_id", "location", "namespace", "job", "task_id"}
OFTEN = ("One or more points were written more frequently than the maximum sampling period "
         "configured for the metric.")


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status, self.message = status, message


def need(condition, message):
    if not condition:
        raise Refused(400, message)


def only(thing, *keys, optional=()):
    need(isinstance(thing, dict), "not an object")
    need(set(keys) <= set(thing) <= set(keys) | set(optional), f"fields: {sorted(thing)}")
    return thing


def texts(labels):
    need(all(isinstance(v, str) and len(v) <= 1024 for v in labels.values()), "label values")
    need(all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,99}", k) for k in labels), "label keys")
    return tuple(sorted(labels.items()))


def seconds(text):
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z", text)
    need(found, f"not a time: {text}")
    return calendar.timegm(time.strptime(found[1], "%Y-%m-%dT%H:%M:%S")) + float(found[2] or 0)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.run(self.server.fake.metadata)

    def do_POST(self):
        self.run(self.server.fake.post)

    def run(self, answer):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, said = answer(self.path, self.headers, body)
        except Refused as refused:
            status, said = refused.status, {"error": {
                "code": refused.status, "message": refused.message,
                "status": STATUS.get(refused.status, "UNKNOWN")}}
        data = said.encode() if isinstance(said, str) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", "application/json")
        if self.path.startswith("/computeMetadata/"):
            self.send_header("Metadata-Flavor", "Google")
        self.end_headers()
        self.wfile.write(data)


class Monitoring:
    def __init__(self, public_key=None):
        self.public_key = public_key
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.fake = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.faults = []       # (status, message) of the next writes
        self.metadata_faults = 0
        self.refused, self.points, self.last, self.tokens = [], [], {}, 0
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def metadata(self, path, headers, _):
        need(headers.get("Metadata-Flavor") == "Google", "no Metadata-Flavor")
        if self.metadata_faults:
            self.metadata_faults -= 1
            raise Refused(503, "try again")
        parts = urllib.parse.urlsplit(path)
        what = parts.path[len("/computeMetadata/v1/"):]
        if what == "project/project-id":
            return 200, PROJECT
        if what == "instance/region":
            return 200, "projects/1/regions/us-east1"
        need(what == "instance/service-accounts/default/token", what)
        need(urllib.parse.parse_qs(parts.query) == {"scopes": [SCOPE]}, parts.query)
        self.tokens += 1
        return 200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}

    def verified(self, token, **more):
        import jwt
        header = jwt.get_unverified_header(token)
        need(header == {"alg": "RS256", "typ": "JWT", "kid": "k1"}, f"header: {header}")
        claims = jwt.decode(token, self.public_key, algorithms=["RS256"], **more)
        need(claims["exp"] - claims["iat"] == 3600, "the token's life")
        need(claims["iss"] == claims["sub"] == MAIL and claims["scope"] == SCOPE, "claims")
        return claims

    def post(self, path, headers, body):
        with self.lock:
            if path == "/token":
                form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
                need(form.pop("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer", "")
                self.verified(form.pop("assertion"), audience=self.url + "/token")
                need(not form, f"form: {form}")
                self.tokens += 1
                return 200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}
            return self.create(path, headers, body)

    def authorize(self, headers):
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            raise Refused(401, "no bearer token")
        if token == TOKEN:
            return
        try:
            need("aud" not in self.verified(token), "an audience beside a scope")
        except Refused:
            raise
        except Exception as wrong:
            raise Refused(401, f"token: {wrong}") from None

    def create(self, path, headers, body):
        try:
            need(path == f"/v3/projects/{PROJECT}/timeSeries", path)
            need(headers.get("Content-Type") == "application/json", "Content-Type")
            self.authorize(headers)
            if self.faults:
                raise Refused(*self.faults.pop(0))
            series = only(json.loads(body), "timeSeries")["timeSeries"]
            need(1 <= len(series) <= 200, "series in a request")
            points = [self.series(one) for one in series]
            need(len({p[0] for p in points}) == len(points), "Duplicate TimeSeries encountered")
        except Refused as refused:
            self.refused.append((refused.status, refused.message))
            raise
        return self.write(points)

    def series(self, one):
        only(one, "metric", "resource", "metricKind", "valueType", "points",
             optional=("unit", "description"))
        need((one["metricKind"], one["valueType"]) == ("GAUGE", "DOUBLE"), "kind")
        metric = only(one["metric"], "type", optional=("labels",))
        resource = only(one["resource"], "type", "labels")
        need(re.fullmatch(r"custom\.googleapis\.com/[A-Za-z0-9_/.]+", metric["type"]),
             metric["type"])
        need(resource["type"] == "generic_task", resource["type"])
        need(set(resource["labels"]) == TASK, "The set of resource labels is incomplete")
        need(resource["labels"]["project_id"] == PROJECT, "project_id")
        need(len(one["points"]) == 1, "points of a series")
        point = only(one["points"][0], "interval", "value")
        value = only(point["value"], "doubleValue")["doubleValue"]
        need(isinstance(value, (int, float)), "doubleValue")
        end = seconds(only(point["interval"], "endTime")["endTime"])
        need(-25 * 3600 < end - time.time() < 300, "endTime is outside the window")
        key = (metric["type"], texts(metric.get("labels", {})), texts(resource["labels"]))
        return key, end, value, one

    def write(self, points):
        bad = []
        for i, (key, end, value, one) in enumerate(points):
            if key in self.last and end - self.last[key] < 5:
                bad.append(i)
                continue
            self.last[key] = end
            self.points.append((key[0], end, value, one))
        if not bad:
            return 200, {}
        message = (f"One or more TimeSeries could not be written: {OFTEN}: "
                   f"timeSeries[{','.join(map(str, bad))}]")
        self.refused.append((400, message))
        return 400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": message,
                               "details": [{"@type": "type.googleapis.com/google.monitoring.v3."
                                            "CreateTimeSeriesSummary",
                                            "totalPointCount": len(points),
                                            "successPointCount": len(points) - len(bad),
                                            "errors": [{"status": {"code": 9},
                                                        "pointCount": len(bad)}]}]}}
