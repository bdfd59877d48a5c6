# SPDX-License-Identifier: Apache-2.0
"""The forms a request to CloudWatch can take, as the agent really sends it."""
import gzip
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.cloudwatch import CloudWatch  # noqa: E402
from fakes.membrane import Membrane  # noqa: E402
from lib.tap import Skip, case, equal, expect, holds, lacks, main  # noqa: E402


def once(fake, **more):
    with Membrane() as membrane:
        return expect(0, "run", "--once", env={
            **membrane.env(), **fake.env(), "SCALEBRIDGE_SINKS": "cloudwatch",
            "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "fixed:6",
            "SCALEBRIDGE_DELIVER_RETRY_MIN": "10ms", **more})


def value(fake, metric):
    return [d["values"] for d in fake.data if d["metric"] == metric]


@case
def the_query_protocol_brings_the_same_numbers_in():
    with CloudWatch() as fake:
        once(fake, SCALEBRIDGE_SINKS_CLOUDWATCH_PROTOCOL="query",
             SCALEBRIDGE_PUBLISH_DIMENSIONS="Environment=a b+c")
        equal(value(fake, "JobsPerWorker"), [[[7, 1]]])
        equal({d["dimensions"]["Environment"] for d in fake.data}, {"a b+c"})
        holds(fake.requests[0]["headers"]["content-type"], "x-www-form-urlencoded")
        lacks(str(fake.requests[0]["headers"]), "x-amz-target")


@case
def an_error_in_xml_is_read_and_the_request_tried_again():
    with CloudWatch() as fake:
        fake.script({"status": 400, "code": "ThrottlingException", "message": "Rate exceeded"})
        once(fake, SCALEBRIDGE_SINKS_CLOUDWATCH_PROTOCOL="query")
        equal([r["status"] for r in fake.requests], [400, 200])
        equal(value(fake, "JobsPerWorker"), [[[7, 1]]])


@case
def a_body_over_the_threshold_is_zipped_and_its_signature_holds():
    with CloudWatch() as fake:
        once(fake, AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES="100")
        equal(fake.requests[0]["headers"]["content-encoding"], "gzip")
        equal(value(fake, "JobsPerWorker"), [[[7, 1]]])
    with CloudWatch() as fake:
        once(fake, AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES="100",
             AWS_DISABLE_REQUEST_COMPRESSION="true")
        lacks(str(fake.requests[0]["headers"]), "content-encoding")


@case
def a_login_page_in_between_takes_no_points():
    with CloudWatch() as fake:
        fake.script({"status": 200, "body": "<html>Please log in</html>",
                     "headers": {"Content-Type": "text/html"}},
                    {"status": 302, "headers": {"Location": "http://127.0.0.1:9/"}})
        once(fake)
        equal(len(fake.requests), 3)
        equal(value(fake, "JobsPerWorker"), [[[7, 1]]])


@case
def an_endpoint_below_a_path_is_signed_with_its_path():
    with CloudWatch() as fake:
        once(fake, AWS_ENDPOINT_URL_CLOUDWATCH=fake.url + "/base/cw")
        equal(fake.requests[0]["path"], "/base/cw/")
        equal(value(fake, "JobsPerWorker"), [[[7, 1]]])


#
# Amazon's own library, at the same fake.
#
def oracle():
    """Where @aws-sdk/client-cloudwatch is installed."""
    places = (os.environ.get("SCALEBRIDGE_ORACLES"), "../oracles", "build/oracles")
    for place in (os.path.abspath(p) for p in places if p):
        if os.path.isdir(os.path.join(place, "node_modules", "@aws-sdk", "client-cloudwatch")):
            if shutil.which("node"):
                return os.path.join(place, "node_modules")
    raise Skip("@aws-sdk/client-cloudwatch is not installed (./quickstart check does it where npm "
               "reaches its registry)")


class Recorder(CloudWatch):
    """Keeps what was said, bodies and signed names with it."""

    def __init__(self):
        super().__init__()
        self.said = []

    def note(self, request, *args, **more):
        self.said.append(request)
        super().note(request, *args, **more)


def by_sdk(modules, fake, text, **more):
    done = subprocess.run(
        ["node", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance",
                              "cloudwatch_sdk.js"), fake.url],
        env={"PATH": os.environ["PATH"], "NODE_PATH": modules, "AWS_REGION": "eu-west-1",
             **fake.env(), **more},
        input=text, capture_output=True, timeout=60, check=False, text=True)
    equal(done.returncode, 0, done.stderr)


# What a library says of itself and of its own retries, and of its connection; and
# the body's hash, which S3 alone asks for (botocore does not send it either).
OWN = {"accept", "accept-encoding", "amz-sdk-invocation-id", "amz-sdk-request", "connection",
       "content-length", "host", "user-agent", "x-amz-content-sha256", "x-amz-user-agent"}


def meaning(request):
    """A request without what is of this moment or of one library."""
    headers = {k: v for k, v in request.headers.items() if k not in OWN}
    authorization = headers.pop("authorization")
    stamp = headers.pop("x-amz-date")
    equal(bool(re.fullmatch(r"\d{8}T\d{6}Z", stamp)), True)
    scope = re.search(r"Credential=[^/]+/\d{8}/([^,]+)", authorization)[1]
    signed = set(re.search(r"SignedHeaders=([^,]+)", authorization)[1].split(";")) - (
        OWN - {"host"})
    body = request.body
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return {"method": request.method, "path": request.path, "headers": headers,
            "algorithm": authorization.split()[0], "scope": scope, "signed": signed,
            "body": json.loads(body)}


@case
def amazons_library_sends_the_same_request_field_by_field():
    modules = oracle()
    for more in ({}, {"AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES": "100"}):
        with Recorder() as fake:
            once(fake, SCALEBRIDGE_PUBLISH_DIMENSIONS="Environment=a b+c,Stage=prod",
                 SCALEBRIDGE_SCRAPE_INTERVAL="1s", **more)
            ours = meaning(fake.said[-1])
            by_sdk(modules, fake, json.dumps(ours["body"]), **more)
            equal([r["status"] for r in fake.requests], [200, 200])
            theirs = meaning(fake.said[-1])
            for part, said in theirs.items():
                equal(ours[part], said, part)


if __name__ == "__main__":
    main()
