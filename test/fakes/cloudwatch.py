# SPDX-License-Identifier: Apache-2.0
"""A strict CloudWatch on loopback: PutMetricData as AWS JSON 1.0 and as Query.

Signatures are verified by botocore's code, never by ours; every limit of the
API reference is enforced, and a request with one bad member is refused whole,
with messages that name MetricData.member.N.  It is stricter than the cloud
where that catches mistakes: unknown members, headers that should be signed
and are not, Expect, and a JSON request without the query mode are refused.

As a program it prints one JSON line with its URL and lives until its standard
input ends.  Tests in another process control it by HTTP:

    GET  /_fake/data      what was accepted: [{"namespace", "metric", ...}]
    GET  /_fake/requests  every request with its answer: [{"status", "code", ...}]
    POST /_fake/script    [fault, ...]: one for each coming request; null: none
    POST /_fake/release   lets delayed answers go
    POST /_fake/clock     {"offset": seconds}: its clock runs ahead or behind
    POST /_fake/keys      {"key": {"secret", "token"?, "expired"?, "denied"?}}

A fault may say: status, code, message, headers, body (text), accept (the data
is taken before the answer is spoilt), delay (until released), close (no
answer at all), garbage (no HTTP).
"""
import argparse
import base64
import contextlib
import gzip
import hmac
import http.server
import json
import math
import os
import socket
import sys
import threading
import time
import urllib.parse
from email.utils import formatdate
from xml.sax.saxutils import escape

import botocore.auth
import botocore.awsrequest
import botocore.credentials

if __name__ == "__main__":
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TARGET = "GraniteServiceVersion20100801.PutMetricData"
JSON_TYPE = "application/x-amz-json-1.0"
FORM_TYPE = "application/x-www-form-urlencoded"
SKEW = 15 * 60
BODY_MAX = 1000000
MOST, LEAST = 1.174271e108, 8.515920e-109
UNITS = ["Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"] + [
    prefix + base + rate
    for base, prefixes in (("ytes", ("B", "Kilob", "Megab", "Gigab", "Terab")),
                           ("its", ("B", "Kilob", "Megab", "Gigab", "Terab")))
    for prefix in prefixes for rate in ("", "/Second")]


class Refused(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


#
# Who is it?
#
def parse_authorization(text):
    scheme, _, rest = text.partition(" ")
    words = dict(w.strip().partition("=")[::2] for w in rest.split(","))
    if scheme != "AWS4-HMAC-SHA256" or set(words) != {"Credential", "SignedHeaders", "Signature"}:
        raise Refused(400, "IncompleteSignatureException", "Authorization header is malformed")
    scope = words["Credential"].split("/")
    if len(scope) != 5 or scope[4] != "aws4_request":
        raise Refused(400, "IncompleteSignatureException", "Credential is malformed")
    return scope, words["SignedHeaders"].split(";"), words["Signature"]


def must_be_signed(name):
    return name in ("host", "content-type", "content-encoding") or \
        (name.startswith(("x-amz-", "x-amzn-")) and name != "x-amzn-trace-id")


def expected_signature(request, scope, signed, keys):
    """By botocore's signer, from what came over the wire and is said to be signed."""
    url = f"{request.scheme}://{request.headers['host']}{request.path}"
    again = botocore.awsrequest.AWSRequest(
        method=request.method, url=url, data=request.body,
        headers={n: request.headers[n] for n in signed})
    again.context["timestamp"] = request.headers["x-amz-date"]
    signer = botocore.auth.SigV4Auth(
        botocore.credentials.Credentials(scope[0], keys["secret"], keys.get("token")),
        scope[3], scope[2])
    to_sign = signer.string_to_sign(again, signer.canonical_request(again))
    return signer.signature(to_sign, again)


def verify(request, server):
    text = request.headers.get("authorization")
    if not text:
        raise Refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
    scope, signed, signature = parse_authorization(text)
    for name in request.headers:
        if must_be_signed(name) and name not in signed:
            raise Refused(403, "InvalidSignatureException", f"{name} must be signed")
    if any(name not in request.headers for name in signed) or signed != sorted(signed):
        raise Refused(403, "InvalidSignatureException", "SignedHeaders does not fit the request")
    check_date(request.headers.get("x-amz-date", ""), scope, server.now())
    if scope[3] != "monitoring" or server.region not in (None, scope[2]):
        raise Refused(403, "InvalidSignatureException",
                      "Credential should be scoped to a valid region and service.")
    keys = server.keys.get(scope[0])
    token = request.headers.get("x-amz-security-token")
    if keys is None or token != keys.get("token"):
        raise Refused(403, "UnrecognizedClientException",
                      "The security token included in the request is invalid.")
    if keys.get("expired"):
        raise Refused(403, "ExpiredTokenException",
                      "The security token included in the request is expired")
    if not hmac.compare_digest(expected_signature(request, scope, signed, keys), signature):
        raise Refused(403, "InvalidSignatureException",
                      "The request signature we calculated does not match the signature you "
                      "provided. Check your AWS Secret Access Key and signing method.")
    return scope[0], keys


def check_date(text, scope, now):
    try:
        stamp = time.mktime(time.strptime(text, "%Y%m%dT%H%M%SZ")) - time.timezone
    except ValueError:
        raise Refused(400, "IncompleteSignatureException", "X-Amz-Date is malformed") from None
    if text[:8] != scope[1]:
        raise Refused(403, "InvalidSignatureException", "Date in Credential scope does not match")
    if stamp < now - SKEW:
        raise Refused(403, "InvalidSignatureException",
                      f"Signature expired: {text} is too long ago (15 min.)")
    if stamp > now + SKEW:
        raise Refused(403, "InvalidSignatureException",
                      f"Signature not yet current: {text} is still later (15 min.)")


#
# What does it say?
#
def read_body(request):
    if "expect" in request.headers or "transfer-encoding" in request.headers:
        raise Refused(400, "SerializationException", "Expect and Transfer-Encoding are not wanted")
    body = request.body
    if len(body) > BODY_MAX:
        raise Refused(413, "RequestEntityTooLargeException", "")
    encoding = request.headers.get("content-encoding")
    if encoding == "gzip":
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError):
            raise Refused(400, "SerializationException", "the body is no gzip") from None
    elif encoding:
        raise Refused(400, "SerializationException", f"Content-Encoding {encoding} is unknown")
    if len(body) > BODY_MAX:
        raise Refused(413, "RequestEntityTooLargeException", "")
    return body


def no_constant(name):
    raise ValueError(name + " is no JSON")


def unique(pairs):
    if len({k for k, _ in pairs}) != len(pairs):
        raise ValueError("a member stands twice")
    return dict(pairs)


def read_json(request, body):
    if request.headers.get("x-amz-target") != TARGET:
        raise Refused(404, "UnknownOperationException", "")
    if request.headers.get("x-amzn-query-mode") != "true":
        raise Refused(400, "SerializationException", "x-amzn-query-mode: true is missing")
    try:
        tree = json.loads(body.decode("utf-8"), parse_constant=no_constant,
                          object_pairs_hook=unique)
    except ValueError as e:
        raise Refused(400, "SerializationException", str(e)) from None
    if not isinstance(tree, dict):
        raise Refused(400, "SerializationException", "the body is no object")
    return tree


NUMBERS = {"Value", "Sum", "Minimum", "Maximum", "SampleCount", "Values", "Counts",
           "StorageResolution"}


def read_query(_request, body):
    try:
        pairs = urllib.parse.parse_qsl(body.decode("ascii"), keep_blank_values=True,
                                       strict_parsing=True)
    except ValueError as e:
        raise Refused(400, "MalformedInput", str(e)) from None
    flat = dict(pairs)
    if flat.pop("Action", None) != "PutMetricData":
        raise Refused(400, "InvalidAction", "Could not find operation")
    if flat.pop("Version", None) != "2010-08-01":
        raise Refused(400, "NoSuchVersion", "The requested version does not exist")
    tree = {}
    for name, value in flat.items():
        at = tree
        words = name.replace(".member.", ".#").split(".")
        for word in words[:-1]:
            at = at.setdefault(word, {})
        at[words[-1]] = value
    return typed(lists(tree))


def lists(node):
    """{"#1": a, "#2": b} becomes [a, b]."""
    if not isinstance(node, dict):
        return node
    if node and all(k.startswith("#") for k in node):
        return [lists(node[k]) for k in sorted(node, key=lambda k: int(k[1:]))]
    return {k: lists(v) for k, v in node.items()}


def typed(node, name=""):
    if isinstance(node, dict):
        return {k: v if k == "Dimensions" else typed(v, k) for k, v in node.items()}
    if isinstance(node, list):
        return [typed(v, name) for v in node]
    if name == "Timestamp":
        from botocore.utils import parse_timestamp
        return parse_timestamp(node).timestamp()
    if name in NUMBERS:
        try:
            number = float(node)
        except ValueError:
            raise Refused(400, "MalformedInput", f"{node} is no number") from None
        return int(number) if name == "StorageResolution" else number
    return node


#
# Is it within the limits?
#
class Faults:
    """All that is wrong with a request; the first kind decides the code."""

    def __init__(self):
        self.all = []

    def invalid(self, where, why):
        self.all.append(("InvalidParameterValueException", f"The parameter {where} {why}."))

    def missing(self, where):
        self.all.append(("MissingRequiredParameterException",
                         f"The parameter {where} is required."))

    def combined(self, where, why):
        self.all.append(("InvalidParameterCombinationException",
                         f"The parameters of {where} {why}."))

    def raise_if_any(self):
        if self.all:
            raise Refused(400, self.all[0][0], "\n".join(text for _, text in self.all))


def check_members(faults, where, tree, known):
    for name in tree:
        if name not in known:
            faults.invalid(f"{where}.{name}" if where else name, "is unknown")


def check_text(faults, where, text, most):
    if not isinstance(text, str):
        faults.invalid(where, "must be a string")
    elif not 1 <= len(text) <= most:
        faults.invalid(where, f"must be shorter than {most + 1} characters and not empty")
    elif any(ord(c) > 126 for c in text):
        faults.invalid(where, "contains non-ASCII characters")
    elif any(ord(c) < 32 for c in text):
        faults.invalid(where, "contains control characters")
    elif not text.strip():
        faults.invalid(where, "must contain a character that is not white space")


def check_name(faults, where, text, most=255):
    check_text(faults, where, text, most)
    if isinstance(text, str) and text.startswith(":"):
        faults.invalid(where, "must not start with a colon")


def check_number(faults, where, value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        faults.invalid(where, "must be a number")
    elif not math.isfinite(value) or abs(value) > MOST or 0 < abs(value) < LEAST:
        faults.all.append(("InvalidParameterValueException",
                           f"The value {value} for parameter {where} is invalid."))


def check_dimensions(faults, where, dimensions):
    if not isinstance(dimensions, list):
        faults.invalid(where, "must be a list")
        return
    if len(dimensions) > 30:
        faults.all.append(("InvalidParameterValueException",
                           f"The collection {where} must not have a size greater than 30."))
    for i, dimension in enumerate(dimensions, 1):
        at = f"{where}.member.{i}"
        check_members(faults, at, dimension, ("Name", "Value"))
        check_name(faults, at + ".Name", dimension.get("Name", ""))
        check_text(faults, at + ".Value", dimension.get("Value", ""), 1024)
    if len({d.get("Name") for d in dimensions}) != len(dimensions):
        faults.invalid(where, "names a dimension twice")


def check_values(faults, where, datum):
    values, counts = datum.get("Values"), datum.get("Counts")
    if not isinstance(values, list) or not values:
        faults.invalid(where + ".Values", "must be a list that is not empty")
        return
    if len(values) > 150:
        faults.all.append(("InvalidParameterValueException",
                           f"The collection {where}.Values must not have a size greater "
                           "than 150."))
    for i, value in enumerate(values, 1):
        check_number(faults, f"{where}.Values.member.{i}", value)
    if counts is None:
        return
    if not isinstance(counts, list) or len(counts) != len(values):
        faults.invalid(where + ".Counts", "must have the size of Values")
        return
    for i, count in enumerate(counts, 1):
        check_number(faults, f"{where}.Counts.member.{i}", count)
        if isinstance(count, (int, float)) and count <= 0:
            faults.invalid(f"{where}.Counts.member.{i}", "must be greater than 0")


def check_statistics(faults, where, s):
    at = where + ".StatisticValues"
    names = ("SampleCount", "Sum", "Minimum", "Maximum")
    check_members(faults, at, s, names)
    for name in names:
        if name not in s:
            faults.missing(f"{at}.{name}")
        else:
            check_number(faults, f"{at}.{name}", s[name])


def check_time(faults, where, stamp, now):
    if isinstance(stamp, bool) or not isinstance(stamp, (int, float)):
        faults.invalid(where, "must be a number of seconds")
    elif stamp < now - 14 * 86400:
        faults.invalid(where, "must be within the last two weeks")
    elif stamp > now + 2 * 3600:
        faults.invalid(where, "must not be more than two hours in the future")


DATUM = ("MetricName", "Dimensions", "Timestamp", "Value", "Values", "Counts", "StatisticValues",
         "Unit", "StorageResolution")


def check_datum(faults, where, datum, now):
    if not isinstance(datum, dict):
        faults.invalid(where, "must be an object")
        return
    check_members(faults, where, datum, DATUM)
    if "MetricName" not in datum:
        faults.missing(where + ".MetricName")
    else:
        check_name(faults, where + ".MetricName", datum["MetricName"])
    forms = [f for f in ("Value", "Values", "StatisticValues") if f in datum]
    if not forms:
        faults.missing(where + ".Value")
    elif len(forms) > 1:
        faults.combined(where, "Value, Values and StatisticValues are mutually exclusive")
    if "Value" in datum:
        check_number(faults, where + ".Value", datum["Value"])
    if "Values" in datum:
        check_values(faults, where, datum)
    elif "Counts" in datum:
        faults.combined(where, "Counts needs Values")
    if "StatisticValues" in datum:
        check_statistics(faults, where, datum["StatisticValues"])
    if "Timestamp" in datum:
        check_time(faults, where + ".Timestamp", datum["Timestamp"], now)
    if datum.get("Unit", "None") not in UNITS:
        faults.invalid(where + ".Unit", "must be one of the units")
    if datum.get("StorageResolution", 60) not in (1, 60):
        faults.invalid(where + ".StorageResolution", "must be 1 or 60")
    check_dimensions(faults, where + ".Dimensions", datum.get("Dimensions", []))


def check_request(tree, now):
    faults = Faults()
    check_members(faults, "", tree, ("Namespace", "MetricData"))
    if "Namespace" not in tree:
        faults.missing("Namespace")
    else:
        check_name(faults, "Namespace", tree["Namespace"])
        if str(tree["Namespace"]).startswith("AWS/"):
            faults.all.append(("InvalidParameterValueException",
                               f"The value {tree['Namespace']} for parameter Namespace is invalid."))
    data = tree.get("MetricData")
    if not isinstance(data, list) or not data:
        faults.missing("MetricData")
        data = []
    if len(data) > 1000:
        faults.all.append(("InvalidParameterValueException",
                           "The collection MetricData must not have a size greater than 1000."))
    for n, datum in enumerate(data, 1):
        check_datum(faults, f"MetricData.member.{n}", datum, now)
    faults.raise_if_any()


def accepted(tree, now):
    for datum in tree["MetricData"]:
        values = [[datum["Value"], 1]] if "Value" in datum else None
        if "Values" in datum:
            counts = datum.get("Counts", [1] * len(datum["Values"]))
            values = [list(pair) for pair in zip(datum["Values"], counts)]
        yield {"namespace": tree["Namespace"], "metric": datum["MetricName"],
               "dimensions": {d["Name"]: d["Value"] for d in datum.get("Dimensions", [])},
               "values": values, "statistics": datum.get("StatisticValues"),
               "unit": datum.get("Unit", "None"), "timestamp": datum.get("Timestamp", now),
               "resolution": datum.get("StorageResolution", 60)}


#
# The server.
#
class Request:
    def __init__(self, handler, body):
        self.scheme = "https" if handler.server.tls else "http"
        self.method, self.path, self.body = handler.command, handler.path, body
        self.headers = {k.lower(): ",".join(handler.headers.get_all(k)) for k in handler.headers}

    def is_json(self):
        return self.headers.get("content-type", "") == JSON_TYPE

    def is_query(self):
        return self.headers.get("content-type", "").split(";")[0].strip() == FORM_TYPE


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "fake-cloudwatch", ""

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
        self.control(None) if self.path.startswith("/_fake/") else self.answer(404, b"")

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


class CloudWatch:
    """Runs from construction to close(); usable in a with statement."""

    def __init__(self, context=None, region=None, keys=None, namespaces=None, port=0):
        self.region, self.namespaces, self.offset = region, namespaces, 0
        self.keys = keys or {KEY_ID: {"secret": SECRET}}
        self.data, self.requests, self.faults = [], [], []
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

    def env(self):
        """The variables that lead the agent here."""
        key, words = next(iter(self.keys.items()))
        env = {"AWS_REGION": self.region or "eu-west-1", "AWS_ACCESS_KEY_ID": key,
               "AWS_SECRET_ACCESS_KEY": words["secret"],
               "AWS_ENDPOINT_URL_CLOUDWATCH": self.url}
        if words.get("token"):
            env["AWS_SESSION_TOKEN"] = words["token"]
        return env

    def script(self, *faults):
        with self.news:
            self.faults.extend(faults)

    def release(self):
        self.released.set()

    def control(self, what, said):
        with self.news:
            if what == "data":
                return list(self.data)
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
        self.take(request, tree)
        if fault and fault.get("accept"):
            self.spoil(handler, request, fault)
        elif request.is_json():
            handler.answer(200, b"{}", {"Content-Type": JSON_TYPE})
        else:
            handler.answer(200, b'<PutMetricDataResponse xmlns="http://monitoring.amazonaws.com/'
                           b'doc/2010-08-01/"><ResponseMetadata><RequestId>0</RequestId>'
                           b"</ResponseMetadata></PutMetricDataResponse>",
                           {"Content-Type": "text/xml"})

    def understand(self, request):
        if not request.is_json() and not request.is_query():
            raise Refused(404, "UnknownOperationException", "")
        _, keys = verify(request, self)
        body = read_body(request)
        tree = (read_json if request.is_json() else read_query)(request, body)
        if keys.get("denied") or (self.namespaces is not None
                                  and tree.get("Namespace") not in self.namespaces):
            raise Refused(403, "AccessDeniedException",
                          "User: arn:aws:iam::123456789012:user/test is not authorized to "
                          "perform: cloudwatch:PutMetricData because no identity-based policy "
                          "allows the cloudwatch:PutMetricData action")
        check_request(tree, self.now())
        return tree

    def take(self, request, tree):
        with self.news:
            self.data.extend(accepted(tree, self.now()))
        self.note(request, 200, "")

    def note(self, request, status, code, message="", fault=False):
        secret = ("authorization", "x-amz-security-token")
        with self.news:
            self.requests.append({
                "status": status, "code": code, "message": message, "fault": fault,
                "path": request.path, "bytes": len(request.body),
                "headers": {k: v for k, v in request.headers.items() if k not in secret}})
            self.news.notify_all()

    def error(self, request, refused):
        legacy = refused.code
        for long, short in (("MissingRequiredParameterException", "MissingParameter"),
                            ("InternalServiceFault", "InternalServiceError")):
            legacy = legacy.replace(long, short)
        if legacy.startswith(("InvalidParameter", "Throttling")):
            legacy = legacy.removesuffix("Exception")
        side = "Receiver" if refused.status >= 500 else "Sender"
        if request.is_query():
            return (f'<ErrorResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/">'
                    f"<Error><Type>{side}</Type><Code>{escape(legacy)}</Code><Message>"
                    f"{escape(refused.message)}</Message></Error><RequestId>0</RequestId>"
                    f"</ErrorResponse>").encode(), {"Content-Type": "text/xml"}
        if refused.status == 413:
            return b"", {}
        body = {"__type": "com.amazonaws.cloudwatch#" + refused.code, "message": refused.message}
        return json.dumps(body).encode(), {"Content-Type": JSON_TYPE,
                                           "x-amzn-query-error": f"{legacy};{side}"}

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

    def await_data(self, metric, count=1, limit=60):
        def found():
            return [d for d in self.data if d["metric"] == metric]
        with self.news:
            if not self.news.wait_for(lambda: len(found()) >= count, limit):
                raise AssertionError(f"{metric}: {len(found())} data, not {count}; "
                                     f"requests: {self.requests}")
            return found()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--tls", action="store_true", help="with a certificate made now")
    words.add_argument("--port", type=int, default=0)
    words.add_argument("--region", help="refuse scopes of other regions")
    words.add_argument("--key-id", default=KEY_ID)
    words.add_argument("--secret", default=SECRET)
    words.add_argument("--token")
    words.add_argument("--namespace", action="append", help="refuse others; may be repeated")
    said = words.parse_args()
    keys = {"secret": said.secret}
    if said.token:
        keys["token"] = said.token
    authority = None
    if said.tls:
        from fakes.tls import Authority
        authority = Authority()
    with CloudWatch(authority.context() if authority else None, said.region,
                    {said.key_id: keys}, said.namespace, said.port) as fake:
        print(json.dumps({"url": fake.url, "port": fake.port,
                          "ca_file": authority.certificate if authority else None}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
