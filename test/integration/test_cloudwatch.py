# SPDX-License-Identifier: Apache-2.0
"""The forms a request to CloudWatch can take, as the agent really sends it."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.cloudwatch import CloudWatch  # noqa: E402
from fakes.membrane import Membrane  # noqa: E402
from lib.tap import case, equal, expect, holds, lacks, main  # noqa: E402


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


if __name__ == "__main__":
    main()
