# SPDX-License-Identifier: Apache-2.0
"""A strict Azure Monitor on loopback: the ingestion of custom metrics of one
resource, and its buckets of a minute as a scaler reads them.

It takes the tokens that the fake of Entra has handed out for its audience; it
refuses another region's resource, times outside the window, bodies over 1 MB,
and whatever the documentation or the swagger of 2018-09-01-preview do not
allow.  A request with one bad document is refused whole.  It is stricter than
the cloud where that catches mistakes: unknown members, offsets in times, a
series that stands twice in a document.
"""
import base64
import datetime
import gzip
import json
import math
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.entra import HEADER  # noqa: E402
from fakes.service import Service  # noqa: E402
from fakes.sigv4 import Refused  # noqa: E402

RESOURCE = ("/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/membrane-rg"
            "/providers/Microsoft.App/containerApps/membrane-workers")
AUDIENCE = "https://monitoring.azure.com/"
BODY_MAX = 1000000
PAST, FUTURE = 20 * 60, 4 * 60
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def bad(message):
    return Refused(400, "BadRequest", message)


def members(what, tree, must, may=()):
    if not isinstance(tree, dict):
        raise bad(f"'{what}' is no object")
    for name in must:
        if name not in tree:
            raise bad(f"'{what}.{name}' is required")
    for name in tree:
        if name not in (*must, *may):
            raise bad(f"'{what}.{name}' is unknown")


def text(what, value):
    if not isinstance(value, str) or not value.strip():
        raise bad(f"'{what}' must not be empty")
    if len(value) > 256:
        raise bad(f"'{what}' is longer than 256 characters")
    if any(ord(c) < 32 for c in value):
        raise bad(f"'{what}' holds control characters")
    return value


def number(what, value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise bad(f"'{what}' is no number")
    return value


def read_time(value, now):
    if not isinstance(value, str) or not TIME.fullmatch(value):
        raise bad("'time' is not ISO 8601 in UTC")
    at = datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    if not now - PAST <= at <= now + FUTURE:
        raise bad("'time' should not be older than 30 minutes and not more than 4 minutes in "
                  "the future\r\n")
    return at


def read_series(series, names):
    members("series", series, ("min", "max", "sum", "count"), ("dimValues",))
    values = series.get("dimValues", [])
    if not isinstance(values, list) or len(values) != len(names):
        raise bad("'dimValues' and 'dimNames' lengths differ")
    for value in values:
        text("dimValues", value)
    low, high, total = (number(n, series[n]) for n in ("min", "max", "sum"))
    count = series["count"]
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count < 2**31:
        raise bad("'count' must be a whole number above 0")
    slack = 1e-9 * max(abs(low), abs(high), 1) * count
    if low > high or not low * count - slack <= total <= high * count + slack:
        raise bad("'min', 'max', 'sum' and 'count' contradict each other")
    return {"dimensions": dict(zip(names, values)), "min": low, "max": high, "sum": total,
            "count": count}


def read_document(tree, now):
    members("document", tree, ("time", "data"))
    at = read_time(tree["time"], now)
    members("data", tree["data"], ("baseData",))
    base = tree["data"]["baseData"]
    members("baseData", base, ("metric", "namespace", "series"), ("dimNames",))
    metric = text("metric", base["metric"])
    if "," in metric:
        raise bad("'metric' holds a comma")
    names = base.get("dimNames", [])
    if not isinstance(names, list) or len(names) > 10:
        raise bad("'dimValues' and 'dimNames' lengths should be lesser than 10")
    for name in names:
        text("dimNames", name)
    if len(set(names)) != len(names):
        raise bad("'dimNames' holds a name twice")
    if not isinstance(base["series"], list) or not base["series"]:
        raise bad("'series' must be a list that is not empty")
    found = [read_series(series, names) for series in base["series"]]
    if len({tuple(f["dimensions"].items()) for f in found}) != len(found):
        raise bad("'series' holds one twice")
    return [{"metric": metric, "namespace": text("namespace", base["namespace"]), "time": at, **f}
            for f in found]


def no_constant(name):
    raise ValueError(name + " is no JSON")


def unzipped(request):
    if "expect" in request.headers or "transfer-encoding" in request.headers:
        raise bad("Expect and Transfer-Encoding are not wanted")
    body, encoding = request.body, request.headers.get("content-encoding")
    if encoding == "gzip":
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError):
            raise bad("the body is no gzip") from None
    elif encoding:
        raise Refused(415, "UnsupportedMediaType", encoding)
    if len(body) > BODY_MAX:
        raise Refused(413, "RequestEntityTooLarge", "")
    return body.decode("utf-8")


class AzureMonitor(Service):
    """Runs from construction to close(); usable in a with statement."""

    def __init__(self, entra, context=None, region="westeurope", port=0):
        self.entra, self.resource_region = entra, region
        self.data, self.twice = [], []
        self.denied, self.poison, self.revoked = False, set(), set()
        super().__init__(context, region, None, port)

    def env(self):
        """The variables that lead the agent here, with a managed identity."""
        return {"SCALEBRIDGE_SINKS": "azure_monitor",
                "SCALEBRIDGE_SINKS_AZURE_MONITOR_RESOURCE_ID": RESOURCE,
                "SCALEBRIDGE_SINKS_AZURE_MONITOR_ENDPOINT": self.url,
                "IDENTITY_ENDPOINT": self.entra.url + "/msi/token", "IDENTITY_HEADER": HEADER}

    def admit(self, request):
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.entra.tokens or token in self.revoked:
            raise Refused(401, "InvalidToken", "The access token is invalid.")
        claims = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        if claims["aud"] != AUDIENCE:
            raise Refused(401, "InvalidAudience", "The audience is not Azure Monitor's.")
        if claims["exp"] <= self.now():
            raise Refused(401, "ExpiredToken", "The access token has expired.")
        if self.denied:
            raise Refused(403, "Forbidden", "The client does not have authorization to write.")

    def understand(self, request):
        if request.method != "POST" or request.path != RESOURCE + "/metrics":
            raise Refused(404, "ResourceNotFound", f"no such path: {request.path}")
        self.admit(request)
        if self.resource_region != self.region:
            raise Refused(400, "RegionMismatch",
                          f"This endpoint : {self.region}.monitoring.azure.com does not accept "
                          f"metrics for the resource's region : {self.resource_region}")
        kind, body = request.headers.get("content-type"), unzipped(request)
        if kind == "application/json":
            documents = [body]
        elif kind == "application/x-ndjson" and body.endswith("\n"):
            documents = body[:-1].split("\n")
        else:
            raise Refused(415, "UnsupportedMediaType", str(kind))
        try:
            trees = [json.loads(d, parse_constant=no_constant) for d in documents]
        except ValueError as wrong:
            raise bad(str(wrong)) from None
        found = [series for tree in trees for series in read_document(tree, self.now())]
        for series in found:
            if series["metric"] in self.poison:
                raise bad(f"'{series['metric']}' is refused")
        return found

    def take(self, request, tree):
        with self.news:
            known = {(d["metric"], str(d["dimensions"]), d["time"]) for d in self.data}
            self.twice += [d for d in tree
                           if (d["metric"], str(d["dimensions"]), d["time"]) in known]
            self.data.extend(tree)
        self.note(request, 200, "")
        return b"", {}

    def error(self, request, refused):
        if not refused.message:
            return b"", {}
        body = {"error": {"code": refused.code, "message": refused.message}}
        return json.dumps(body).encode(), {"Content-Type": "application/json"}

    def bucket(self, metric, minute):
        """What a reader sees of one minute: (average, minimum, maximum, total, count),
        or None where the bucket is null."""
        found = [d for d in self.data if d["metric"] == metric and d["time"] // 60 == minute]
        if not found:
            return None
        total, count = sum(d["sum"] for d in found), sum(d["count"] for d in found)
        return (total / count, min(d["min"] for d in found), max(d["max"] for d in found),
                total, count)

    def await_data(self, metric, count=1, limit=60):
        def found():
            return [d for d in self.data if d["metric"] == metric]
        with self.news:
            if not self.news.wait_for(lambda: len(found()) >= count, limit):
                raise AssertionError(f"{metric}: {len(found())} series, not {count}; "
                                     f"requests: {self.requests}")
            return found()
