# SPDX-License-Identifier: Apache-2.0
"""The fake CloudWatch takes what the official SDK sends, and refuses the rest."""
import datetime
import gzip
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.cloudwatch import KEY_ID, SECRET, CloudWatch  # noqa: E402
from fakes.tls import Authority  # noqa: E402
from lib.tap import case, clean_env, equal, holds, main  # noqa: E402


def client(fake, protocol="json", key=KEY_ID, secret=SECRET, token=None, **more):
    """botocore's own serializer, signer and parser, in the protocol we speak or in Query."""
    os.environ["NO_PROXY"] = "*"
    session = botocore.session.Session()
    session.set_credentials(key, secret, token)
    loader = session.get_component("data_loader")
    plain = loader.load_service_model

    def load(name, *args, **kwargs):
        model = plain(name, *args, **kwargs)
        if "metadata" in model:
            model["metadata"].update(protocol=protocol, protocols=[protocol], jsonVersion="1.0",
                                     targetPrefix="GraniteServiceVersion20100801")
        return model

    loader.load_service_model = load
    made = session.create_client(
        "cloudwatch", region_name="eu-west-1", endpoint_url=fake.url,
        config=Config(retries={"max_attempts": 0}, read_timeout=30), **more)

    def query_mode(request, **_):
        del request.headers["x-amzn-query-mode"]  # newer botocore sends it by itself
        request.headers["x-amzn-query-mode"] = "true"
    if protocol == "json":
        made.meta.events.register("before-sign.cloudwatch", query_mode)
    return made


def put(made, *data, namespace="Membrane"):
    return made.put_metric_data(Namespace=namespace, MetricData=list(data))


def error(made, *data, **more):
    try:
        put(made, *data, **more)
    except ClientError as e:
        return e.response["ResponseMetadata"]["HTTPStatusCode"], \
            e.response["Error"]["Code"], e.response["Error"]["Message"]
    raise AssertionError("it was accepted")


ONE = {"MetricName": "JobsPerWorker", "Value": 7.0, "Unit": "Count"}


@case
def the_sdks_json_requests_are_accepted_and_recorded():
    with CloudWatch() as fake:
        stamp = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        put(client(fake), {**ONE, "Timestamp": stamp, "StorageResolution": 1,
                           "Dimensions": [{"Name": "Environment", "Value": "prod"}]},
            {"MetricName": "Many", "Values": [1.0, 2.5], "Counts": [3.0, 1.0]})
        equal(fake.data[0], {
            "namespace": "Membrane", "metric": "JobsPerWorker",
            "dimensions": {"Environment": "prod"}, "values": [[7.0, 1]], "statistics": None,
            "unit": "Count", "timestamp": stamp.timestamp(), "resolution": 1})
        equal(fake.data[1]["values"], [[1.0, 3.0], [2.5, 1.0]])
        equal([r["status"] for r in fake.requests], [200])


@case
def the_sdks_query_requests_are_accepted_as_well():
    with CloudWatch() as fake:
        put(client(fake, "query"), {**ONE, "Dimensions": [{"Name": "A b", "Value": "c+d&e"}]},
            {"MetricName": "Many", "Values": [1.0, 2.5], "Counts": [3.0, 1.0]},
            {"MetricName": "Set", "StatisticValues": {"SampleCount": 2.0, "Sum": 3.0,
                                                      "Minimum": 1.0, "Maximum": 2.0}})
        equal(fake.data[0]["dimensions"], {"A b": "c+d&e"})
        equal(fake.data[1]["values"], [[1.0, 3.0], [2.5, 1.0]])
        equal(fake.data[2]["statistics"]["Sum"], 3.0)


@case
def the_sdk_is_accepted_over_tls_with_a_session_token():
    authority = Authority()
    keys = {"ASIA": {"secret": "s", "token": "t/+="}}
    with CloudWatch(authority.context(), "eu-west-1", keys) as fake:
        put(client(fake, key="ASIA", secret="s", token="t/+=", verify=authority.certificate), ONE)
        equal(len(fake.data), 1)
        holds(fake.url, "https://")


@case
def wrong_unknown_and_expired_keys_are_refused_as_the_cloud_does():
    with CloudWatch() as fake:
        equal(error(client(fake, secret="wrong"), ONE)[:2], (403, "InvalidSignatureException"))
        equal(error(client(fake, key="AKIDOTHER"), ONE)[:2], (403, "UnrecognizedClientException"))
        equal(error(client(fake, token="t"), ONE)[:2], (403, "UnrecognizedClientException"))
        fake.keys[KEY_ID]["expired"] = True
        equal(error(client(fake), ONE)[:2], (403, "ExpiredTokenException"))
        equal(fake.data, [])


@case
def a_clock_that_is_off_by_more_than_a_quarter_of_an_hour_is_refused():
    with CloudWatch() as fake:
        for offset, words in ((16 * 60, "expired"), (-16 * 60, "not yet current")):
            fake.offset = offset
            status, code, message = error(client(fake), ONE)
            equal((status, code), (403, "InvalidSignatureException"))
            holds(message, words)
        fake.offset = 14 * 60
        put(client(fake), ONE)


@case
def other_regions_and_namespaces_without_permission_are_refused():
    with CloudWatch(region="us-east-1") as fake:
        equal(error(client(fake), ONE)[:2], (403, "InvalidSignatureException"))
    with CloudWatch(namespaces=["Membrane"]) as fake:
        put(client(fake), ONE)
        equal(error(client(fake), ONE, namespace="Other")[0], 403)


LIMITS = [
    ({"Value": 1.2e108}, "The value 1.2e+108 for parameter MetricData.member.2.Value is invalid."),
    ({"Value": -1e-120}, "MetricData.member.2.Value"),
    ({"Value": 1.0, "MetricName": "n" * 256}, "MetricData.member.2.MetricName must be shorter"),
    ({"Value": 1.0, "MetricName": ":n"}, "MetricData.member.2.MetricName must not start"),
    ({"Value": 1.0, "MetricName": "caf\u00e9"}, "contains non-ASCII characters"),
    ({"Value": 1.0, "MetricName": "a\tb"}, "contains control characters"),
    ({"Value": 1.0, "Dimensions": [{"Name": f"d{i}", "Value": "v"} for i in range(31)]},
     "The collection MetricData.member.2.Dimensions must not have a size greater than 30."),
    ({"Value": 1.0, "Dimensions": [{"Name": "d", "Value": "v" * 1025}]},
     "MetricData.member.2.Dimensions.member.1.Value must be shorter than 1025"),
    ({"Value": 1.0, "Dimensions": [{"Name": "d", "Value": "  "}]}, "not white space"),
    ({"Values": [1.0] * 151}, "MetricData.member.2.Values must not have a size greater than 150."),
    ({"Values": [1.0, 2.0], "Counts": [1.0]}, "MetricData.member.2.Counts must have the size"),
    ({"Value": 1.0, "Values": [1.0]}, "mutually exclusive"),
    ({"Value": 1.0, "Unit": "Jobs"}, "MetricData.member.2.Unit"),
    ({"Value": 1.0, "StorageResolution": 10}, "MetricData.member.2.StorageResolution"),
    ({"Value": 1.0, "Timestamp": datetime.datetime(2020, 1, 1)}, "last two weeks"),
    ({"Value": 1.0, "Timestamp": datetime.datetime(2100, 1, 1)}, "two hours in the future"),
    ({}, "MetricData.member.2.Value is required"),
]


@case
def one_bad_member_refuses_the_whole_request_and_is_named():
    with CloudWatch() as fake:
        for protocol in ("json", "query"):
            made = client(fake, protocol)
            for change, words in LIMITS:
                status, _, message = error(made, ONE, {"MetricName": "Bad", **change})
                equal(status, 400)
                holds(message, words)
        equal(fake.data, [])


@case
def requests_are_limited_in_data_and_bytes_compressed_or_not():
    with CloudWatch() as fake:
        made = client(fake)
        put(made, *[ONE] * 1000)
        holds(error(made, *[ONE] * 1001)[2], "size greater than 1000")
        long = {"MetricName": "n" * 255, "Values": [1 / (i + 3) for i in range(150)]}
        equal(error(made, *[long] * 400)[0], 413)
        assert any(r["headers"].get("content-encoding") == "gzip" for r in fake.requests) or \
            botocore.__version__ < "1.34", "the SDK would have compressed"


def raw(fake, body, drop=(), sign=True, **headers):
    """A request of our own making, signed by botocore; gives status and answer."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    said = {"Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData",
            "x-amzn-query-mode": "true", **headers}
    request = AWSRequest("POST", fake.url + "/", {k: v for k, v in said.items() if k not in drop},
                         body)
    if sign:
        SigV4Auth(Credentials(KEY_ID, SECRET), "monitoring", "eu-west-1").add_auth(request)
    try:
        with urllib.request.urlopen(urllib.request.Request(
                request.url, body, dict(request.headers.items())), timeout=30) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode(), e.headers


GOOD = json.dumps({"Namespace": "Membrane", "MetricData": [ONE]}).encode()


@case
def what_a_careless_client_forgets_is_noticed():
    with CloudWatch() as fake:
        equal(raw(fake, GOOD)[0], 200)
        equal(raw(fake, gzip.compress(GOOD), **{"Content-Encoding": "gzip"})[0], 200)
        equal(raw(fake, GOOD, sign=False)[0], 403)
        equal(raw(fake, GOOD, drop=["X-Amz-Target"])[0], 404)
        equal(raw(fake, GOOD, drop=["x-amzn-query-mode"])[0], 400)
        equal(raw(fake, GOOD, **{"Content-Type": "application/json"})[0], 404)
        equal(raw(fake, GOOD, **{"Content-Encoding": "gzip"})[0], 400)
        equal(raw(fake, GOOD + b" ")[0], 200)
        for wrong in (b"", b"[]", b"{", GOOD[:-1], b'{"Namespace":"M","MetricData":[{"MetricName"'
                      b':"A","Value":NaN}]}', GOOD.replace(b'"Unit"', b'"unit"'),
                      GOOD.replace(b'"Namespace"', b'"EntityMetricData": [], "Namespace"')):
            equal(raw(fake, wrong)[0], 400, wrong)
        equal(len(fake.data), 3)


@case
def the_legacy_code_stands_in_the_query_error_header():
    with CloudWatch() as fake:
        _, body, headers = raw(fake, b'{"Namespace":"M","MetricData":[{"MetricName":"A"}]}')
        equal(headers["x-amzn-query-error"], "MissingParameter;Sender")
        holds(body, "com.amazonaws.cloudwatch#MissingRequiredParameterException")


@case
def faults_come_in_the_order_they_were_scripted_and_then_it_is_well():
    with CloudWatch() as fake:
        fake.script({"status": 400, "code": "ThrottlingException", "message": "Rate exceeded"},
                    {"status": 503, "headers": {"Retry-After": "7"}, "body": "busy"},
                    {"close": True}, {"garbage": True}, None,
                    {"accept": True, "close": True})
        status, body, headers = raw(fake, GOOD)
        equal((status, headers["x-amzn-query-error"]), (400, "Throttling;Sender"))
        holds(body, "Rate exceeded")
        status, body, headers = raw(fake, GOOD)
        equal((status, body, headers["Retry-After"]), (503, "busy", "7"))
        for taken in (0, 0, 1, 2):
            try:
                raw(fake, GOOD)
            except OSError:
                pass
            except Exception as e:  # http.client's own, for garbage
                holds(type(e).__name__, "BadStatusLine")
            equal(len(fake.data), taken)
        equal(raw(fake, GOOD)[0], 200)


@case
def it_runs_as_a_program_and_is_controlled_over_http():
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes",
                           "cloudwatch.py")
    with subprocess.Popen([sys.executable, program, "--tls", "--region", "eu-west-1"],
                          env=clean_env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        said = json.loads(process.stdout.readline())
        import ssl
        context = ssl.create_default_context(cafile=said["ca_file"])

        def control(what, data=None):
            body = None if data is None else json.dumps(data).encode()
            with urllib.request.urlopen(f"{said['url']}/_fake/{what}", body, 30,
                                        context=context) as answer:
                return json.load(answer)

        class There:
            url = said["url"]
        made = client(There, verify=said["ca_file"])
        control("script", [{"status": 500, "code": "InternalServiceFault", "message": "oops"}])
        equal(error(made, ONE)[0], 500)
        put(made, ONE)
        equal(control("data")[0]["metric"], "JobsPerWorker")
        equal([r["status"] for r in control("requests")], [500, 200])
        control("clock", {"offset": 3600})
        equal(error(made, ONE)[1], "InvalidSignatureException")
        process.stdin.close()
        equal(process.wait(30), 0)


if __name__ == "__main__":
    main()
