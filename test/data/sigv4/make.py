#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the cases of this folder: requests and what each stage must give.

Nothing but Python's hmac, hashlib and urllib is used, and nothing of
scalebridge, so that both can be wrong only in the same way by accident.  The
behaviours are those of AWS's published signing tests, with the constants that
everybody uses for them; two whole signatures are compared with ones that
botocore made for the very requests this program sends.

    make.py            writes all files
    make.py --check    exit status 1 if one of them differs
"""
import gzip
import hashlib
import hmac
import json
import os
import re
import sys
from urllib.parse import quote, unquote_to_bytes, urlsplit

HERE = os.path.dirname(os.path.abspath(__file__))
KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TIME = "20150830T123600Z"
HOST = "https://example.amazonaws.com"
NEVER_SIGNED = {"authorization", "connection", "expect", "keep-alive", "proxy-authenticate",
                "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
                "user-agent", "x-amzn-trace-id"}


def canonical_path(path, s3):
    if s3:
        return path or "/"
    kept = []
    for segment in path.split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(segment)
    clean = "/" + "/".join(kept)
    if path.endswith("/") and kept:
        clean += "/"
    return quote(clean, safe="/~")


def canonical_query(query):
    def form(text):
        return quote(unquote_to_bytes(text), safe="-_.~")
    pairs = [part.partition("=") for part in query.split("&") if part]
    return "&".join(f"{n}={v}" for n, v in sorted((form(p[0]), form(p[2])) for p in pairs))


def sign(case):
    url = urlsplit(case["url"])
    headers = [(n, v) for n, v in case["headers"]]
    headers.append(("X-Amz-Date", TIME))
    if case["token"]:
        headers.append(("X-Amz-Security-Token", case["token"]))
    named = {}
    for name, value in headers:
        if name.lower() not in NEVER_SIGNED:
            named.setdefault(name.lower(), []).append(re.sub(r"\s+", " ", value).strip())
    if "host" not in named:
        odd = url.port if url.port and (url.scheme, url.port) not in (("https", 443), ("http", 80)) \
            else None
        named["host"] = [url.hostname + (f":{odd}" if odd else "")]
    body = case["body"]
    digest = named.get("x-amz-content-sha256", [hashlib.sha256(body).hexdigest()])[0]
    names = ";".join(sorted(named))
    canonical = "\n".join([
        case["method"], canonical_path(url.path, case["s3"]), canonical_query(url.query),
        *(f"{n}:{','.join(named[n])}" for n in sorted(named)), "", names, digest])
    scope = f"{TIME[:8]}/us-east-1/{case['service']}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", TIME, scope,
                         hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + SECRET).encode()
    for word in scope.split("/"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return canonical, to_sign, (f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, "
                                f"SignedHeaders={names}, Signature={signature}")


CASES = {}


def case(name, target="/", method="GET", headers=(), body=b"", token="", service="service",
         s3=False, host=HOST):
    CASES[name] = {"method": method, "url": host + target, "headers": list(headers),
                   "body": body, "token": token, "service": service, "s3": s3}


UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FORM = ("Content-Type", "application/x-www-form-urlencoded")

case("get-vanilla")
case("get-no-path", "")
case("get-unreserved", "/" + UNRESERVED)
case("get-utf8", "/%E1%88%B4")
case("get-space", "/example%20space/")
case("get-relative", "/example/..")
case("get-relative-relative", "/example1/example2/../..")
case("get-relative-above-the-root", "/../../a")
case("get-slash", "//")
case("get-slashes", "//example//")
case("get-slash-dot-slash", "/./")
case("get-slash-pointless-dot", "/./example")
case("get-trailing-dot", "/example/.")
case("get-dots-that-are-names", "/.../a..b/.c")
case("path-is-encoded-twice", "/a%2Fb%25c/%E2%82%AC")
case("path-is-left-alone-for-s3", "/a//./b/../c%20d", s3=True)
case("path-of-sub-delimiters", "/a!b$c&d'e(f)g*h+i,j;k=l:m@n")
case("query-empty-value", "/?Param1=")
case("query-no-equals-sign", "/?Param1")
case("query-empty-name", "/?=value")
case("query-order-name", "/?Param2=value2&Param1=value1")
case("query-order-name-case", "/?param=b&Param=a&pARAM=c")
case("query-order-value", "/?Param1=value2&Param1=value1&Param1=Value1")
case("query-name-before-value", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1")
case("query-unreserved", f"/?{UNRESERVED}={UNRESERVED}")
case("query-utf8", "/?%E1%88%B4=bar")
case("query-lower-case-escapes", "/?a%2fb=c%e2%82%ac")
case("query-needless-escapes", "/?%61=%7e%41")
case("query-blank-and-plus", "/?a=b%20c&d=e%2Bf")
case("query-equals-in-value", "/?a=b=c")
case("query-empty-parts", "/?&a=1&&b=2&")
case("header-key-duplicate", headers=[("My-Header1", "value2"), ("My-Header1", "value2"),
                                      ("My-Header1", "value1")])
case("header-key-duplicate-in-other-case", headers=[("x-one", "b"), ("Zz", "1"), ("X-ONE", "a")])
case("header-value-multiline", headers=[("My-Header1", "value1\n  value2\n     value3")])
case("header-value-order", headers=[("My-Header1", "value4"), ("My-Header1", "value1"),
                                    ("My-Header1", "value3")])
case("header-value-trim", headers=[("My-Header1", "  value1 \t"),
                                   ("My-Header2", ' "a   b   c" ')])
case("header-value-empty", headers=[("My-Header1", "")])
case("header-value-case", headers=[("My-Header1", "VALUE1")], method="POST")
case("header-name-sort", headers=[("Zebra", "1"), ("a-b", "2"), ("a", "3"), ("A-c", "4")])
case("header-host-given", headers=[("Host", "Other.example.com")])
case("headers-that-proxies-change", headers=[("User-Agent", "x"), ("Expect", "100-continue"),
                                             ("Connection", "close"), ("X-Amzn-Trace-Id", "Root=1"),
                                             ("TE", "trailers"), ("Transfer-Encoding", "chunked")])
case("host-with-odd-port", host="http://127.0.0.1:4566")
case("host-with-its-own-port", host="https://example.amazonaws.com:443")
case("host-of-ipv6", host="http://[::1]:8080", headers=[("Host", "[::1]:8080")])
case("post-vanilla", method="POST")
case("post-form", method="POST", headers=[FORM], body=b"Param1=value1")
case("post-form-parameters", method="POST", body=b"Param1=value1",
     headers=[("Content-Type", "application/x-www-form-urlencoded; charset=utf8")])
case("post-token-is-signed", method="POST", token="AQoDYXdzEPT//////////wEXAMPLEtc764/+=")
case("post-content-sha256", method="POST", headers=[
    ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")], body=b"whatever")
case("post-gzip", "/", "POST", [("Content-Type", "application/x-amz-json-1.0"),
                                ("Content-Encoding", "gzip")],
     gzip.compress(b'{"Namespace":"Membrane"}' * 20, mtime=0), service="monitoring")
case("put-metric-data-json", "/", "POST", [
    ("Content-Type", "application/x-amz-json-1.0"),
    ("X-Amz-Target", "GraniteServiceVersion20100801.PutMetricData"),
    ("x-amzn-query-mode", "true")],
     b'{"Namespace":"Membrane/Scaling","MetricData":[{"MetricName":"JobsPerWorker",'
     b'"Value":2.5,"Unit":"Count"}]}', service="monitoring",
     host="https://monitoring.us-east-1.amazonaws.com")
case("put-metric-data-query", "/", "POST", [
    ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
     b"Action=PutMetricData&Version=2010-08-01&Namespace=Membrane%2FScaling"
     b"&MetricData.member.1.MetricName=JobsPerWorker&MetricData.member.1.Value=2.5",
     token="TOKENEXAMPLE", service="monitoring",
     host="https://monitoring.us-east-1.amazonaws.com")

# Made by botocore for these requests.
GOLDEN = {
    "put-metric-data-json": "beb452e18bca7e2dfa82d1313dfc934b16871e697f065c8fac6e28f8bf1fc103",
    "put-metric-data-query": "bec1409255d62a2e65cc520352863a8614d5fef3862e492470263b5d10d906ec",
}


def files():
    for name, c in CASES.items():
        canonical, to_sign, authorization = sign(c)
        if name in GOLDEN:
            assert authorization.endswith(GOLDEN[name]), name
        context = {"key_id": KEY_ID, "secret": SECRET, "token": c["token"],
                   "region": "us-east-1", "service": c["service"],
                   "time": "2015-08-30T12:36:00Z", "s3_path": c["s3"]}
        request = f"{c['method']} {c['url']}\n" \
            + "".join(f"{n}:{v}\n" for n, v in c["headers"]) + "\n"
        for file, content in (("context.json", (json.dumps(context, indent=1) + "\n").encode()),
                              ("request.txt", request.encode() + c["body"]),
                              ("canonical.txt", canonical.encode()),
                              ("string-to-sign.txt", to_sign.encode()),
                              ("authorization.txt", authorization.encode())):
            yield os.path.join(HERE, name, file), content


def main():
    wrong = 0
    for path, content in files():
        if "--check" in sys.argv[1:]:
            with open(path, "rb") as file:
                if file.read() != content:
                    print("differs:", path)
                    wrong = 1
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    sys.exit(wrong)


if __name__ == "__main__":
    main()
