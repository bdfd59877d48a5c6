# SPDX-License-Identifier: Apache-2.0
"""Signature Version 4 as a server checks it: by botocore's code, never by ours.

Stricter than the cloud where that catches mistakes: every header that AWS
reads must be signed.
"""
import hmac
import time

import botocore.auth
import botocore.awsrequest
import botocore.credentials

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SKEW = 15 * 60


class Refused(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


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


def verify(request, server, service):
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
    if scope[3] != service or server.region not in (None, scope[2]):
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
