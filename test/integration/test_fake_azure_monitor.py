# SPDX-License-Identifier: Apache-2.0
"""The fake Azure Monitor takes what the documentation shows, and refuses the rest."""
import copy
import datetime
import gzip
import json
import os
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.azure_monitor import AUDIENCE, RESOURCE, AzureMonitor  # noqa: E402
from fakes.entra import Entra  # noqa: E402
from lib.tap import case, equal, holds, main  # noqa: E402

os.environ["NO_PROXY"] = "*"


def stamp(seconds=0):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def document(**base):
    """The shape of the documentation's own sample."""
    return {"time": stamp(), "data": {"baseData": {
        "metric": "QueueDepth", "namespace": "Queue Processing", "dimNames": ["QueueName"],
        "series": [{"dimValues": ["ImagesToProcess"], "min": 3, "max": 20, "sum": 28,
                    "count": 3}], **base}}}


class Cloud:
    def __enter__(self):
        self.entra = Entra()
        self.fake = AzureMonitor(self.entra)
        self.token = self.entra.token(AUDIENCE)[0]
        return self

    def __exit__(self, *_):
        self.fake.close()
        self.entra.close()

    def post(self, body, kind="application/json", token=None, path=RESOURCE + "/metrics", **more):
        request = urllib.request.Request(
            self.fake.url + path, method="POST", data=body if isinstance(body, bytes)
            else json.dumps(body).encode(), headers={
                "Content-Type": kind, "Authorization": "Bearer " + (token or self.token), **more})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()


@case
def the_sample_of_the_documentation_is_taken_and_read_back():
    with Cloud() as c:
        equal(c.post(document()), (200, ""))
        minute = c.fake.data[0]["time"] // 60
        equal(c.fake.bucket("QueueDepth", minute), (28 / 3, 3, 20, 28, 3))
        equal(c.fake.bucket("QueueDepth", minute + 1), None)


@case
def lines_and_gzip_are_taken_and_a_bad_line_spoils_all():
    with Cloud() as c:
        line = json.dumps(document()).encode() + b"\n"
        equal(c.post(gzip.compress(line * 2), "application/x-ndjson",
                     **{"Content-Encoding": "gzip"})[0], 200)
        equal(len(c.fake.data), 2)
        equal(c.post(line + b"{}\n", "application/x-ndjson")[0], 400)
        equal(len(c.fake.data), 2)


def series(**more):
    one = {"dimValues": ["a"], "min": 1, "max": 1, "sum": 1, "count": 1, **more}
    return document(series=[{k: v for k, v in one.items() if v is not None}])


def without(name):
    made = copy.deepcopy(document())
    del made["data"]["baseData"][name]
    return made


FAULTY = {
    "no series": (lambda: without("series"), "'baseData.series' is required"),
    "no namespace": (lambda: without("namespace"), "'baseData.namespace' is required"),
    "no sum": (lambda: series(sum=None), "'series.sum' is required"),
    "a zero that was left out": (lambda: series(min=None), "'series.min' is required"),
    "no count": (lambda: series(count=0), "'count' must be"),
    "half a count": (lambda: series(count=1.5), "'count' must be"),
    "min above max": (lambda: series(min=2), "contradict"),
    "a sum that cannot be": (lambda: series(sum=9), "contradict"),
    "a number in quotes": (lambda: series(sum="1"), "'sum' is no number"),
    "an empty dimension": (lambda: series(dimValues=[""]), "'dimValues' must not be empty"),
    "too many values": (lambda: series(dimValues=["a", "b"]), "lengths differ"),
    "eleven dimensions": (lambda: document(dimNames=[str(i) for i in range(11)]), "lesser than 10"),
    "a long name": (lambda: document(metric="n" * 257), "longer than 256"),
    "a series twice": (lambda: document(series=series()["data"]["baseData"]["series"] * 2),
                       "one twice"),
    "an unknown member": (lambda: document(unit="Count"), "'baseData.unit' is unknown"),
    "an old time": (lambda: {**document(), "time": stamp(-21 * 60)}, "older than 30 minutes"),
    "a coming time": (lambda: {**document(), "time": stamp(5 * 60)}, "4 minutes in the future"),
    "a time with an offset": (lambda: {**document(), "time": "2026-01-01T00:00:00-7:00"},
                              "'time' is not ISO 8601"),
}


@case
def each_break_of_a_rule_is_told():
    with Cloud() as c:
        for what, (make, why) in FAULTY.items():
            status, body = c.post(make())
            equal(status, 400, what)
            holds(json.loads(body)["error"]["message"], why)
        equal(c.post(b'{"time": NaN}')[0], 400)
        equal(c.fake.data, [])


@case
def tokens_paths_types_and_sizes_are_checked():
    with Cloud() as c:
        equal(c.post(document(), token="x")[0], 401)
        equal(c.post(document(), token=c.entra.token("https://management.azure.com/")[0])[0], 401)
        equal(c.post(document(), path="/other" + RESOURCE + "/metrics")[0], 404)
        equal(c.post(document(), "text/plain")[0], 415)
        equal(c.post(b" " * 1000001)[0], 413)
        c.fake.denied = True
        equal(c.post(document())[0], 403)
        c.fake.denied, c.fake.region = False, "westus"
        holds(c.post(document())[1], "RegionMismatch")
        equal(c.fake.data, [])


if __name__ == "__main__":
    main()
