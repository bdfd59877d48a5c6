# SPDX-License-Identifier: Apache-2.0
"""Signatures of random requests: ours and botocore's, byte by byte the same; and
curl's of requests as CloudWatch gets them.

    sigv4_diff.py [COUNT [SEED]]     default: 5000 requests, seed 1
"""
import base64
import datetime
import gzip
import http.server
import json
import os
import random
import shutil
import subprocess
import sys
import threading
from urllib.parse import quote

import botocore.auth
import botocore.awsrequest
import botocore.credentials

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib.tap import Skip, case, equal, main  # noqa: E402

TOOL = os.path.join(os.environ.get("builddir", "."), "test/conformance/sigv4_tool")
ODD = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
LETTERS = "abcXYZ019" * 3 + ODD + "\u00e9\u1234\U0001f600\u00a0"
PATH_PARTS = ["", ".", "..", "a", "b.c", "...", "%2F", "%25", "a%20b", "%E1%88%B4", "x;y=z", "~u",
              "A!$&'()*+,=:@"]
# What every botocore leaves unsigned, and what newer ones do.
UNSIGNED = [h for h in ("User-Agent", "Expect", "X-Amzn-Trace-Id", "Connection", "TE", "Upgrade",
                        "Keep-Alive", "Trailer", "Proxy-Authorization")
            if h.lower() in botocore.auth.SIGNED_HEADERS_BLACKLIST]


def word(dice, most, letters=LETTERS):
    return "".join(dice.choice(letters) for _ in range(dice.randint(0, most)))


def escaped(dice, text):
    """A legal spelling of the text in a query: the shortest, or with more escapes, or small ones."""
    out = []
    for byte in text.encode():
        plain = chr(byte) in "-._~" or (chr(byte).isalnum() and byte < 128)
        if plain and dice.random() < 0.9:
            out.append(chr(byte))
        else:
            out.append(("%%%02x" if dice.random() < 0.3 else "%%%02X") % byte)
    return "".join(out)


def header_value(dice):
    blanks = dice.choice([" ", "  ", "\t", " \t "])
    value = blanks.join(word(dice, 8, "abcABC019-_;:/=+\"',") for _ in range(dice.randint(0, 4)))
    return dice.choice(["", " ", "\t"]) + value + dice.choice(["", "  "])


def headers(dice):
    names = ["Content-Type", "X-Amz-Target", "x-amzn-query-mode", "content-encoding", "My-Header",
             "my-header2", "ACCEPT", "x-amz-Meta-b", "x-amz-meta-a", "Zeta", "a", "X-A", "x-a-b"]
    made = [(name, header_value(dice)) for name in dice.sample(names, dice.randint(0, 8))]
    if dice.random() < 0.2:
        made.append(("My-Header", header_value(dice)))
    if dice.random() < 0.3:
        made.append((dice.choice(UNSIGNED), "whatever"))
    if dice.random() < 0.1:
        made.append(("x-amz-content-sha256", dice.choice(["UNSIGNED-PAYLOAD", "0" * 64])))
    dice.shuffle(made)
    return made


def request(dice):
    path = "/".join(dice.choice(PATH_PARTS) if dice.random() < 0.7
                    else quote(word(dice, 6), safe="") for _ in range(dice.randint(0, 6)))
    params = [(word(dice, 5), word(dice, 6)) for _ in range(dice.choice([0, 0, 1, 2, 5]))]
    query = "&".join(f"{escaped(dice, n)}={escaped(dice, v)}" for n, v in params)
    host = dice.choice(["monitoring.eu-west-1.amazonaws.com", "Example.AmazonAWS.com",
                        "127.0.0.1:4566", "[::1]:80", "[fd00::1]", "localhost:443", "h:8443"])
    stamp = datetime.datetime(1990, 1, 1) + datetime.timedelta(seconds=dice.randrange(60 * 365 * 86400))
    return {
        "method": dice.choice(["GET", "POST", "PUT", "DELETE"]), "params": params,
        "url": f"{dice.choice(['http', 'https'])}://{host}/{path}" + ("?" + query if query else ""),
        "headers": headers(dice),
        "body": base64.b64encode(dice.choice([b"", b"{}", dice.randbytes(dice.randint(1, 300))])).decode(),
        "key_id": dice.choice(["AKIDEXAMPLE", "ASIA" + word(dice, 16, "ABC234567")]),
        "secret": word(dice, 40, "abcABC/+019") or "s",
        "token": dice.choice(["", word(dice, 300, "abcABC/+=019")]),
        "region": dice.choice(["us-east-1", "eu-west-1", "us-gov-west-1"]),
        "service": dice.choice(["monitoring", "ecs", "sts", "servicediscovery"]),
        "time_ms": int(stamp.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000),
        "stamp": stamp.strftime("%Y%m%dT%H%M%SZ")}


def by_botocore(r):
    """SigV4Auth.add_auth() with the time frozen: its own steps, one by one."""
    again = botocore.awsrequest.AWSRequest(
        method=r["method"], url=r["url"].split("?")[0], params=r["params"],
        data=base64.b64decode(r["body"]))
    for name, value in r["headers"]:
        again.headers.add_header(name, value)
    signer = botocore.auth.SigV4Auth(
        botocore.credentials.Credentials(r["key_id"], r["secret"], r["token"] or None),
        r["service"], r["region"])
    again.context["timestamp"] = r["stamp"]
    signer._modify_request_before_signing(again)
    to_sign = signer.string_to_sign(again, signer.canonical_request(again))
    signer._inject_signature_to_request(again, signer.signature(to_sign, again))
    return again.headers["Authorization"]


def by_us(requests):
    lines = "".join(json.dumps({k: v for k, v in r.items() if k not in ("params", "stamp")}) + "\n"
                    for r in requests)
    done = subprocess.run([TOOL], input=lines.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=600, check=False)
    if done.returncode:
        raise AssertionError(done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode().splitlines()


def compare(count, seed):
    dice = random.Random(seed)
    requests = [request(dice) for _ in range(count)]
    for number, (r, ours) in enumerate(zip(requests, by_us(requests), strict=True)):
        equal(ours, by_botocore(r), f"request {number} of seed {seed}: {json.dumps(r)}")


COUNT = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 5000
SEED = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 1


@case
def random_requests_are_signed_as_botocore_signs_them():
    compare(COUNT, SEED)


@case
def every_single_odd_character_is_signed_as_botocore_signs_it():
    dice = random.Random(0)
    plain = {**request(dice), "headers": [], "body": "", "params": [],
             "url": "https://example.com/"}
    requests = []
    for code in [*range(1, 256), 0x1234, 0x1f600]:
        c = chr(code)
        pair = [(c, c), ("a" + c, ""), ("a", c)]
        query = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in pair)
        requests.append({**plain, "params": pair,
                         "url": f"https://example.com/{quote(c, safe='')}/x{quote(c, safe='')}?{query}"})
    for r, ours in zip(requests, by_us(requests), strict=True):
        equal(ours, by_botocore(r), json.dumps(r))


class Ear(http.server.BaseHTTPRequestHandler):
    """Keeps the headers of what it hears."""
    heard = []

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append(dict(self.headers.items()))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def put_metric_data(dice, url):
    """A request as the sink makes it, in either protocol, long ones zipped."""
    if dice.random() < 0.5:
        made = [("Content-Type", "application/x-amz-json-1.0"),
                ("X-Amz-Target", "GraniteServiceVersion20100801.PutMetricData"),
                ("x-amzn-query-mode", "true")]
    else:
        made = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
    body = word(dice, 400).encode() or b"{}"
    if dice.random() < 0.3:
        body = gzip.compress(body)
        made.append(("Content-Encoding", "gzip"))
    return {"method": "POST", "url": url, "headers": made, "key_id": "AKIDEXAMPLE",
            "body": base64.b64encode(body).decode(), "service": "monitoring",
            "secret": word(dice, 40, "abcABC/+019") or "s",
            "token": dice.choice(["", word(dice, 300, "abcABC/+=019")]),
            "region": dice.choice(["us-east-1", "eu-west-1", "us-gov-west-1"])}


def by_curl(r):
    """What curl sent; it takes the time from its own clock."""
    given = r["headers"] + ([("X-Amz-Security-Token", r["token"])] if r["token"] else [])
    subprocess.run(["curl", "-q", "-sS", "--fail", "--noproxy", "*", "--max-time", "60",
                    "--aws-sigv4", f"aws:amz:{r['region']}:{r['service']}",
                    "--user", f"{r['key_id']}:{r['secret']}", "--data-binary", "@-",
                    *(part for name, value in given for part in ("-H", f"{name}: {value}")),
                    r["url"]], input=base64.b64decode(r["body"]), timeout=120, check=True)
    return Ear.heard.pop()


def curl_signs():
    """Older ones leave out headers that they are given."""
    if not shutil.which("curl"):
        return False
    told = subprocess.run(["curl", "--version"], stdout=subprocess.PIPE, timeout=60, check=True)
    return tuple(int(n) for n in told.stdout.split()[1].split(b".")[:2]) >= (7, 88)


@case
def requests_to_cloudwatch_are_signed_as_curl_signs_them():
    if not curl_signs():
        raise Skip("no curl of 7.88 or later")
    server = http.server.HTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    dice = random.Random(SEED)
    url = f"http://127.0.0.1:{server.server_port}/"
    for number in range(40):
        r = put_metric_data(dice, url)
        sent = {name.lower(): value for name, value in by_curl(r).items()}
        stamp = datetime.datetime.strptime(sent["x-amz-date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
        r["time_ms"] = int(stamp.timestamp()) * 1000
        equal(by_us([r]), [sent["authorization"]], f"request {number}: {json.dumps(r)}")
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main()
