# SPDX-License-Identifier: Apache-2.0
"""Where AWS keys come from, on loopback: the container endpoint, the instance
metadata service (version 2 alone) and STS.

Strict: an unknown path, a missing or old token, a request that is signed and
should not be (or the other way round), an unknown parameter are refused.
STS' signatures are verified by botocore's code.  Keys that are handed out are
entered in `keys`, which a fake of another service may share: what was handed
out here is good there.
"""
import datetime
import json
import os
import sys
import time
import urllib.parse
from xml.sax.saxutils import escape

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.service import Request, Service, Handler  # noqa: E402
from fakes.sigv4 import Refused, verify  # noqa: E402

ACCOUNT = "123456789012"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/"
XMLNS = "https://sts.amazonaws.com/doc/2011-06-15/"
PARAMETERS = {
    "GetCallerIdentity": (),
    "AssumeRole": ("RoleArn", "RoleSessionName", "ExternalId", "DurationSeconds"),
    "AssumeRoleWithWebIdentity": ("RoleArn", "RoleSessionName", "WebIdentityToken",
                                  "DurationSeconds"),
}


class AwsAuth(Service):
    """Paths: /container, /latest/..., /metadata/task and / for STS."""

    def __init__(self, keys=None, **more):
        super().__init__(**more)
        self.keys = {} if keys is None else keys  # shared, though it may be empty
        self.container_token = None  # Authorization that /container wants
        self.web_token = "header.payload.signature"
        self.external_id = None
        self.role, self.life = "worker", 3600
        self.versions = (2,)  # of the metadata service
        self.session = None   # its newest token
        self.task = None      # what an ECS task's metadata tells
        self.arns, self.serials = {}, 0

    def mint(self, who):
        """A new pair of keys with a token, good for `life` seconds."""
        with self.news:
            self.serials += 1
            key = f"ASIA{self.serials:016d}"
            self.keys[key] = {"secret": f"secret/{self.serials}+of==",
                              "token": f"token{self.serials}//+="}
            self.arns[key] = f"arn:aws:sts::{ACCOUNT}:assumed-role/{who}"
        end = datetime.datetime.fromtimestamp(self.now() + self.life, datetime.timezone.utc)
        return key, self.keys[key], end.strftime("%Y-%m-%dT%H:%M:%SZ")

    def as_json(self, who, **more):
        key, words, end = self.mint(who)
        return json.dumps({**more, "AccessKeyId": key, "SecretAccessKey": words["secret"],
                           "Token": words["token"], "Expiration": end}).encode(), \
            {"Content-Type": "application/json"}

    #
    # What is there to GET and PUT.
    #
    def understand(self, request):
        path = request.path
        if request.method == "PUT" and path == "/latest/api/token":
            return self.imds_token(request)
        if request.method == "GET" and path.startswith("/latest/"):
            return self.imds(request)
        if request.method == "GET" and path.startswith("/container"):
            return self.container(request)
        if request.method == "GET" and path == "/metadata/task" and self.task:
            return json.dumps(self.task).encode(), {"Content-Type": "application/json"}
        if request.method == "POST" and path == "/":
            return self.sts(request)
        raise Refused(404, "NotFound", path)

    def imds_token(self, request):
        if 2 not in self.versions:
            raise Refused(404, "NotFound")
        ttl = request.headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
        if not ttl.isdigit() or not 1 <= int(ttl) <= 21600 or "x-forwarded-for" in request.headers:
            raise Refused(400, "BadRequest")
        self.session = f"session{time.monotonic_ns()}=="
        return self.session.encode(), {"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": ttl}

    def imds(self, request):
        if request.headers.get("x-aws-ec2-metadata-token") != self.session or not self.session:
            raise Refused(401, "Unauthorized")
        if request.path == "/latest/meta-data/placement/region" and self.region:
            return self.region.encode(), {"Content-Type": "text/plain"}
        roles = "/latest/meta-data/iam/security-credentials/"
        if request.path == roles and self.role:
            return self.role.encode(), {"Content-Type": "text/plain"}
        if self.role and request.path == roles + self.role:
            return self.as_json(self.role + "/i-1", Code="Success", Type="AWS-HMAC",
                                LastUpdated="2026-01-01T00:00:00Z")
        raise Refused(404, "NotFound")

    def container(self, request):
        if request.headers.get("authorization") != self.container_token:
            raise Refused(401, "Unauthorized", "the token is not good")
        return self.as_json("task/1", RoleArn=ROLE_ARN + "task")

    #
    # STS.
    #
    def sts(self, request):
        if request.headers.get("content-type", "").split(";")[0] != \
                "application/x-www-form-urlencoded":
            raise Refused(400, "MalformedInput", "Content-Type")
        pairs = urllib.parse.parse_qsl(request.body.decode("ascii"), keep_blank_values=True,
                                       strict_parsing=True)
        said = dict(pairs)
        action = said.pop("Action", None)
        if said.pop("Version", None) != "2011-06-15" or action not in PARAMETERS:
            raise Refused(400, "InvalidAction", "Could not find the operation")
        for name in said:
            if name not in PARAMETERS[action] or len(pairs) != len(said) + 2:
                raise Refused(400, "ValidationError", f"{name} is not known")
        if action == "AssumeRoleWithWebIdentity":
            return self.by_token(request, said)
        key, _ = verify(request, self, "sts")
        if action == "GetCallerIdentity":
            return self.xml(action, f"<Arn>{escape(self.arns.get(key, ROLE_ARN + 'user'))}</Arn>"
                                    f"<UserId>U</UserId><Account>{ACCOUNT}</Account>")
        if self.external_id != said.get("ExternalId"):
            raise Refused(403, "AccessDenied", "not authorized to perform: sts:AssumeRole")
        return self.assumed(action, said)

    def by_token(self, request, said):
        if "authorization" in request.headers:
            raise Refused(400, "ValidationError", "this is not to be signed")
        if said.get("WebIdentityToken") != self.web_token:
            raise Refused(400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT")
        return self.assumed("AssumeRoleWithWebIdentity", said)

    def assumed(self, action, said):
        if not said.get("RoleArn", "").startswith(ROLE_ARN) or not said.get("RoleSessionName"):
            raise Refused(400, "ValidationError", "RoleArn and RoleSessionName are wanted")
        key, words, end = self.mint(said["RoleArn"][len(ROLE_ARN):] + "/" + said["RoleSessionName"])
        return self.xml(action, f"<AssumedRoleUser><Arn>{escape(self.arns[key])}</Arn>"
                                "<AssumedRoleId>R:S</AssumedRoleId></AssumedRoleUser><Credentials>"
                                f"<AccessKeyId>{key}</AccessKeyId>"
                                f"<SecretAccessKey>{escape(words['secret'])}</SecretAccessKey>"
                                f"<SessionToken>{escape(words['token'])}</SessionToken>"
                                f"<Expiration>{end}</Expiration></Credentials>")

    def xml(self, action, inside):
        return (f'<{action}Response xmlns="{XMLNS}">\n  <{action}Result>{inside}</{action}Result>\n'
                f"  <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\n"
                f"</{action}Response>\n").encode(), {"Content-Type": "text/xml"}

    def take(self, request, tree):
        self.note(request, 200, "")
        return tree

    def error(self, request, refused):
        if request.method == "POST":
            side = "Receiver" if refused.status >= 500 else "Sender"
            return (f'<ErrorResponse xmlns="{XMLNS}"><Error><Type>{side}</Type>'
                    f"<Code>{escape(refused.code.removesuffix('Exception'))}</Code>"
                    f"<Message>{escape(refused.message)}</Message></Error>"
                    f"<RequestId>r</RequestId></ErrorResponse>").encode(), \
                {"Content-Type": "text/xml"}
        return json.dumps({"code": refused.code, "message": refused.message}).encode(), {}

    def get(self, handler):
        self.serve(handler, Request(handler, b""))


def do_put(handler):
    handler.server.fake.serve(handler, Request(handler, handler.body()))


Handler.do_PUT = do_put
