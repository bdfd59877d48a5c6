# SPDX-License-Identifier: Apache-2.0
"""A strict CloudWatch on loopback: PutMetricData as AWS JSON 1.0 and as Query.

Signatures are verified by botocore's code, never by ours; every limit of the
API reference is enforced, and a request with one bad member is refused whole,
with messages that name MetricData.member.N.  It is stricter than the cloud
where that catches mistakes: unknown members, headers that should be signed
and are not, Expect, and a JSON request without the query mode are refused.

As a program it prints one JSON line with its URL and lives until its standard
input ends.  Tests in another process control it by HTTP (service.py), and
also by

    GET  /_fake/data      what was accepted: [{"namespace", "metric", ...}]
"""
import argparse
import gzip
import json
import math
import os
import sys
import urllib.parse
from xml.sax.saxutils import escape

if __name__ == "__main__":
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.service import Service  # noqa: E402
from fakes.sigv4 import KEY_ID, SECRET, Refused, verify  # noqa: E402

TARGET = "GraniteServiceVersion20100801.PutMetricData"
JSON_TYPE = "application/x-amz-json-1.0"
FORM_TYPE = "application/x-www-form-urlencoded"
BODY_MAX = 1000000
MOST, LEAST = 1.174271e108, 8.515920e-109
UNITS = ["Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"] + [
    prefix + base + rate
    for base, prefixes in (("ytes", ("B", "Kilob", "Megab", "Gigab", "Terab")),
                           ("its", ("B", "Kilob", "Megab", "Gigab", "Terab")))
    for prefix in prefixes for rate in ("", "/Second")]


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
def is_json(request):
    return request.headers.get("content-type", "") == JSON_TYPE


def is_query(request):
    return request.headers.get("content-type", "").split(";")[0].strip() == FORM_TYPE


class CloudWatch(Service):
    """Runs from construction to close(); usable in a with statement."""

    def __init__(self, context=None, region=None, keys=None, namespaces=None, port=0):
        self.namespaces, self.data = namespaces, []
        super().__init__(context, region, keys, port)

    def env(self):
        """The variables that lead the agent here."""
        key, words = next(iter(self.keys.items()))
        env = {"AWS_REGION": self.region or "eu-west-1", "AWS_ACCESS_KEY_ID": key,
               "AWS_SECRET_ACCESS_KEY": words["secret"],
               "AWS_ENDPOINT_URL_CLOUDWATCH": self.url}
        if words.get("token"):
            env["AWS_SESSION_TOKEN"] = words["token"]
        return env

    def understand(self, request):
        if not is_json(request) and not is_query(request):
            raise Refused(404, "UnknownOperationException", "")
        _, keys = verify(request, self, "monitoring")
        body = read_body(request)
        tree = (read_json if is_json(request) else read_query)(request, body)
        if keys.get("denied") or (self.namespaces is not None
                                  and tree.get("Namespace") not in self.namespaces):
            raise Refused(403, "AccessDeniedException",
                          "User: arn:aws:iam::123456789012:user/test is not authorized to "
                          "perform: cloudwatch:PutMetricData because no identity-based policy "
                          "allows the cloudwatch:PutMetricData action")
        check_request(tree, self.now())
        return tree

    def control(self, what, said):
        if what == "data":
            with self.news:
                return list(self.data)
        return super().control(what, said)

    def take(self, request, tree):
        with self.news:
            self.data.extend(accepted(tree, self.now()))
        self.note(request, 200, "")
        if is_json(request):
            return b"{}", {"Content-Type": JSON_TYPE}
        return (b'<PutMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/">'
                b"<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>"
                b"</PutMetricDataResponse>", {"Content-Type": "text/xml"})

    def error(self, request, refused):
        legacy = refused.code
        for long, short in (("MissingRequiredParameterException", "MissingParameter"),
                            ("InternalServiceFault", "InternalServiceError")):
            legacy = legacy.replace(long, short)
        if legacy.startswith(("InvalidParameter", "Throttling")):
            legacy = legacy.removesuffix("Exception")
        side = "Receiver" if refused.status >= 500 else "Sender"
        if is_query(request):
            return (f'<ErrorResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/">'
                    f"<Error><Type>{side}</Type><Code>{escape(legacy)}</Code><Message>"
                    f"{escape(refused.message)}</Message></Error><RequestId>0</RequestId>"
                    f"</ErrorResponse>").encode(), {"Content-Type": "text/xml"}
        if refused.status == 413:
            return b"", {}
        body = {"__type": "com.amazonaws.cloudwatch#" + refused.code, "message": refused.message}
        return json.dumps(body).encode(), {"Content-Type": JSON_TYPE,
                                           "x-amzn-query-error": f"{legacy};{side}"}

    def await_data(self, metric, count=1, limit=60):
        def found():
            return [d for d in self.data if d["metric"] == metric]
        with self.news:
            if not self.news.wait_for(lambda: len(found()) >= count, limit):
                raise AssertionError(f"{metric}: {len(found())} data, not {count}; "
                                     f"requests: {self.requests}")
            return found()


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
