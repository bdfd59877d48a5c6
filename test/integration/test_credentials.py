# SPDX-License-Identifier: Apache-2.0
"""The real program with keys of every origin; what signs for CloudWatch was
handed out by the fake before.  The fake itself is proven by botocore."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.awsauth import ACCOUNT, ROLE_ARN, AwsAuth  # noqa: E402
from fakes.cloudwatch import CloudWatch  # noqa: E402
from fakes.membrane import Membrane  # noqa: E402
from lib.tap import Running, case, equal, expect, holds, lacks, main  # noqa: E402


def file_with(text):
    handle, path = tempfile.mkstemp(prefix="scalebridge-test-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def container(auth):
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": auth.url + "/container"}


def instance(auth):
    return {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": auth.url,
            "AWS_METADATA_SERVICE_TIMEOUT": "20"}


def web_identity(auth):
    return {"AWS_WEB_IDENTITY_TOKEN_FILE": file_with(auth.web_token),
            "AWS_ROLE_ARN": ROLE_ARN + "web"}


def static_profile(auth):
    key, words, _ = auth.mint("static")
    return {"AWS_SHARED_CREDENTIALS_FILE": file_with(
        f"# mine\n[default]\naws_access_key_id = {key}\naws_secret_access_key = {words['secret']}\n"
        f"aws_session_token = {words['token']}\n")}


def role_profile(auth):
    """A role by another one's keys, which the container endpoint gives for its own."""
    auth.external_id = "e/1 2"
    return {**container(auth), "AWS_PROFILE": "last", "AWS_CONFIG_FILE": file_with(
        f"[profile last]\nrole_arn = {ROLE_ARN}last\nsource_profile = first\n"
        f"external_id = e/1 2\nrole_session_name = me\n"
        f"[profile first]\nrole_arn = {ROLE_ARN}first\ncredential_source = EcsContainer\n"
        "external_id = e/1 2\n")}


def program(auth):
    """Keys that another program prints."""
    import json
    key, words, until = auth.mint("printed")
    answer = file_with(json.dumps({
        "Version": 1, "AccessKeyId": key, "SecretAccessKey": words["secret"],
        "SessionToken": words["token"], "Expiration": until}))
    return {"AWS_CONFIG_FILE": file_with(
        f"[default]\ncredential_process = sh -c 'cat \"$1\"' \\x \"{answer}\"\n")}


def environment(auth):
    key, words, _ = auth.mint("env")
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": words["secret"],
            "AWS_SESSION_TOKEN": words["token"]}


WAYS = {"environment": (environment, "environment", "env"),
        "web identity": (web_identity, "web identity", "web/scalebridge"),
        "a static profile": (static_profile, "profile default", "static"),
        "a program": (program, "profile default", "printed"),
        "a chain of roles": (role_profile, "profile last", "last/me"),
        "the container endpoint": (container, "container endpoint", "task/1"),
        "instance metadata": (instance, "instance metadata", "worker/i-1")}


def common(auth, **more):
    return {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL_STS": auth.url,
            "SCALEBRIDGE_SINKS": "cloudwatch", **more}


def publishing(membrane, cloud, auth, **more):
    return common(auth, **membrane.env(), AWS_ENDPOINT_URL_CLOUDWATCH=cloud.url,
                  SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER="fixed:6",
                  SCALEBRIDGE_DELIVER_RETRY_MIN="10ms", **more)


@case
def keys_of_every_origin_sign_what_is_published():
    for name, (way, _, _) in WAYS.items():
        keys = {}
        with Membrane() as membrane, AwsAuth(keys=keys) as auth, CloudWatch(keys={"x": {}}) as cloud:
            cloud.keys = keys
            result = expect(0, "run", "--once", "--log-level", "debug",
                            env=publishing(membrane, cloud, auth, **way(auth)))
            equal([r["status"] for r in cloud.requests], [200], name)
            for words in keys.values():
                lacks(result.err + result.out, words["secret"], words["token"])


@case
def check_auth_tells_who_we_are_from_where_and_until_when():
    for name, (way, source, arn) in WAYS.items():
        with AwsAuth(region="eu-west-1") as auth:
            result = expect(0, "check-auth", env=common(auth, **way(auth)))
            holds(result.out, f"found: {source}, good ",
                  f"assumed-role/{arn} in account {ACCOUNT}", auth.url)
            equal("until 20" in result.out, way not in (environment, static_profile), name)
            for words in auth.keys.values():
                lacks(result.out + result.err, words["secret"], words["token"])


@case
def check_auth_shows_every_way_in_its_order():
    with AwsAuth() as auth:
        result = expect(0, "check-auth", "cloudwatch", env=common(auth, **container(auth)))
    lines = [" ".join(line.split()) for line in result.out.splitlines()]
    equal(lines[:4], ["cloudwatch", "environment not configured", "web identity not configured",
                      "profile not configured"])
    holds(lines[4], "container endpoint found: container endpoint, good until 20")
    equal(lines[5], "instance metadata not asked, as container endpoint comes before it")


@case
def check_auth_fails_where_nothing_works_and_says_why():
    with AwsAuth() as auth:
        result = expect(1, "check-auth", env=common(auth))
        holds(result.out, "no AWS credentials: on ECS give the task a role")
        result = expect(1, "check-auth", env=common(
            auth, AWS_PROFILE="typo", **container(auth)))
        holds(result.out, "failed: AWS_PROFILE: there is no profile typo", "not asked, as profile")
        equal(auth.requests, [])
        result = expect(1, "check-auth", env=common(
            auth, AWS_ACCESS_KEY_ID="AKIDUNKNOWN", AWS_SECRET_ACCESS_KEY="hush"))
        holds(result.out, "who we are          failed: sts answered 403 UnrecognizedClient")
        lacks(result.out + result.err, "hush")
        expect(2, "check-auth", "nowhere", env=common(auth))


@case
def an_endpoint_that_is_ill_for_a_moment_delays_and_loses_nothing():
    keys = {}
    with Membrane() as membrane, AwsAuth(keys=keys) as auth, CloudWatch(keys={"x": {}}) as cloud:
        cloud.keys = keys
        auth.script({"status": 500, "body": "{}"}, {"close": True})
        expect(0, "run", "--once", env=publishing(membrane, cloud, auth, **container(auth)))
        equal([r["status"] for r in auth.requests], [500, 0, 200])
        equal([r["status"] for r in cloud.requests], [200])


@case
def keys_that_expire_in_flight_are_fetched_anew_with_the_newest_token():
    keys = {}
    with Membrane() as membrane, AwsAuth(keys=keys) as auth, CloudWatch(keys={"x": {}}) as cloud:
        cloud.keys = keys
        path = file_with("first")
        auth.container_token = "first"
        env = publishing(membrane, cloud, auth, **container(auth),
                         AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=path,
                         SCALEBRIDGE_PUBLISH_INTERVAL="1s", SCALEBRIDGE_SCRAPE_INTERVAL="1s")
        with Running("run", env=env) as agent:
            cloud.await_data("JobsPerWorker", 1)
            with open(path, "w", encoding="utf-8") as file:
                file.write("second")
            auth.container_token = "second"
            for words in list(keys.values()):
                words["expired"] = True
            before = len(cloud.data)
            cloud.await_data("JobsPerWorker", 2)
            equal(len(cloud.data) > before, True)
            equal(agent.stop(), 0)
        equal(sum(1 for r in auth.requests if r["status"] == 200), 2)


@case
def a_program_that_fails_is_told_by_its_own_words():
    with AwsAuth() as auth:
        result = expect(1, "check-auth", env=common(auth, AWS_CONFIG_FILE=file_with(
            "[default]\ncredential_process = sh -c 'echo sign in >&2; exit 4' hush\n")))
        holds(result.out, "credential_process: it ended with status 4: sign in")
        result = expect(1, "check-auth", env=common(auth, AWS_CONFIG_FILE=file_with(
            "[default]\ncredential_process = /nonexistent hush\n")))
        holds(result.out, "credential_process: /nonexistent: cannot be started: no such file")
        lacks(result.out + result.err, "hush")


@case
def a_clock_that_is_off_is_corrected_for_roles_and_told():
    for offset in (-7200, 7200):
        keys = {}
        with Membrane() as membrane, AwsAuth(keys=keys) as auth, CloudWatch(keys={"x": {}}) as cloud:
            cloud.keys = keys
            auth.offset = cloud.offset = offset
            auth.life = 14400
            env = publishing(membrane, cloud, auth, **role_profile(auth))
            holds(expect(0, "check-auth", env=env).out, "this clock", " s; set it",
                  "last/me")
            expect(0, "run", "--once", env=env)
            equal([r["status"] for r in cloud.requests][-1], 200)
            # One refusal a fetch: the second role is asked for by the right time.
            equal([r["status"] for r in auth.requests if r["path"] == "/"][:3], [403, 200, 200])


@case
def a_metadata_service_of_version_1_alone_is_refused():
    with AwsAuth() as auth:
        auth.versions = (1,)
        result = expect(1, "check-auth", env=common(auth, **instance(auth)))
        holds(result.out, "knows version 1 alone, which is never used")
        equal([r["path"] for r in auth.requests], ["/latest/api/token"])


@case
def a_silent_metadata_service_is_explained_by_the_hop_limit():
    with AwsAuth() as auth:
        auth.script(*[{"delay": True}] * 3)
        result = expect(1, "check-auth", env=common(
            auth, **{**instance(auth), "AWS_METADATA_SERVICE_TIMEOUT": "1"}))
        auth.release()
        holds(result.out, "--http-put-response-hop-limit 2")


@case
def a_task_on_an_instance_learns_its_region_from_its_metadata():
    with AwsAuth(region="ap-southeast-2") as auth:
        env = {**common(auth, **container(auth)),
               "ECS_CONTAINER_METADATA_URI_V4": auth.url + "/metadata"}
        del env["AWS_REGION"]
        auth.task = {"Cluster": "c", "TaskARN": "arn:aws:ecs:ap-southeast-2:123456789012:task/c/1"}
        expect(0, "check-auth", env=env)  # STS takes signatures of that region alone
        auth.task = {"Cluster": "c", "TaskARN": "arn:aws:ecs:evil.com:123456789012:task/c/1"}
        result = expect(2, "check-auth", env=env)
        holds(result.err, "the task metadata endpoint did not tell it", "region: not set")
        auth.task = None
        holds(expect(2, "check-auth", env=env).err, "it answered 404", "region: not set")
        before = len(auth.requests)
        expect(1, "check-auth", env={**env, "AWS_REGION": "eu-west-1"})
        lacks(str(auth.requests[before:]), "/metadata")


@case
def an_instance_learns_its_region_from_its_metadata():
    with AwsAuth(region="ap-southeast-2") as auth:
        env = {**common(auth, **container(auth)), **instance(auth)}
        del env["AWS_REGION"]
        expect(0, "check-auth", env=env)  # STS takes signatures of that region alone
        equal([r["path"] for r in auth.requests][:2],
              ["/latest/api/token", "/latest/meta-data/placement/region"])
        auth.script({"status": 503}, {"close": True})
        holds(expect(2, "check-auth", env=env).err, "the instance metadata service did not tell it: "
              "it answered 503", "region: not set")
        before = len(auth.requests)
        expect(0, "check-auth", env={**env, "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "2"})
        equal([r["status"] for r in auth.requests[before:]][:3], [0, 200, 200])
        before = len(auth.requests)
        expect(2, "check-auth", env={**env, "AWS_EC2_METADATA_DISABLED": "true"})
        equal(len(auth.requests), before)


def by_botocore(auth, variables):
    """Keys and identity as botocore finds them with these variables alone."""
    import botocore.session

    class Session(botocore.session.Session):
        """Where STS is, this botocore may not know from the environment."""

        def create_client(self, name, *args, **more):
            more["endpoint_url"] = auth.url
            return super().create_client(name, *args, **more)

    saved = dict(os.environ)
    for name in [v for v in os.environ if v.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update({"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
                       "AWS_DEFAULT_REGION": "eu-west-1", **variables})
    try:
        session = Session()
        found = session.get_credentials().get_frozen_credentials()
        return found, session.create_client("sts").get_caller_identity()
    finally:
        os.environ.clear()
        os.environ.update(saved)


@case
def botocore_finds_the_same_identity_at_the_same_fake():
    for name, (way, _, arn) in WAYS.items():
        with AwsAuth() as auth:
            found, who = by_botocore(auth, common(auth, **way(auth)))
            equal(auth.keys[found.access_key]["secret"], found.secret_key, name)
            equal(who["Account"], ACCOUNT)
            holds(who["Arn"], arn.replace("/scalebridge", "/"))


if __name__ == "__main__":
    main()
