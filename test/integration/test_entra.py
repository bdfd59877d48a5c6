# SPDX-License-Identifier: Apache-2.0
"""Tokens for Azure by every way, from a strict fake over TLS, through the
agent's own lease and HTTP; and the same asked by Microsoft's library."""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.entra import (AUDIENCES, CLIENT, HEADER, OBJECT, RESOURCE, SECRET,  # noqa: E402
                         TELEMETRY, TENANT, Entra)
from fakes.tls import Authority  # noqa: E402
from lib.tap import Skip, case, clean_env, equal, expect, holds, lacks, main  # noqa: E402

MONITOR, ARM = AUDIENCES
TOOL = os.environ.get("ENTRA_TOOL", "test/conformance/entra_tool")
HERE = os.path.dirname(os.path.abspath(__file__))
WORD = "pass word"
STATE = {}


def shared():
    """The authority and the client's certificate, made once."""
    if not STATE:
        authority = Authority()
        key, pem, both, store, locked = (authority.path(n) for n in (
            "c.key", "c.pem", "both.pem", "c.p12", "locked.pem"))
        authority.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                          "-keyout", key, "-out", pem, "-subj", "/CN=client")
        authority.openssl("pkcs12", "-export", "-inkey", key, "-in", pem, "-out", store,
                          "-passout", "pass:" + WORD)
        authority.openssl("pkcs8", "-topk8", "-in", key, "-out", locked, "-passout",
                          "pass:" + WORD)
        certificate = open(pem, "rb").read()
        elliptic, short = authority.path("ec.pem"), authority.path("short.pem")
        for path, kind in ((elliptic, ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")),
                           (short, ("rsa:1024",))):
            authority.openssl("req", "-x509", "-newkey", *kind, "-nodes", "-days", "2",
                              "-keyout", path + ".key", "-out", path, "-subj", "/CN=x")
            with open(path, "ab") as file:
                file.write(open(path + ".key", "rb").read())
        with open(authority.path("alien.pem"), "wb") as file:
            file.write(open(key, "rb").read() + open(authority.certificate, "rb").read())
        for path, text in ((both, open(key, "rb").read()), (locked, open(locked, "rb").read())):
            with open(path, "wb") as file:
                file.write(certificate + text)
        STATE.update(authority=authority, certificate=certificate, both=both, store=store,
                     locked=locked, key=key, elliptic=elliptic, short=short,
                     alien=authority.path("alien.pem"), context=authority.context())
    return STATE


def verifier():
    try:
        import cryptography  # noqa: F401
        import jwt  # noqa: F401
    except ImportError as missing:
        raise Skip(f"assertions cannot be verified: {missing}") from None


def entra():
    fake = Entra(context=shared()["context"])
    fake.thumbprint, fake.der = fake.trust(shared()["certificate"])
    return fake


def token_file(text):
    handle, path = tempfile.mkstemp(prefix="scalebridge-test-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def application(fake, **more):
    return {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT,
            "AZURE_AUTHORITY_HOST": fake.url, **more}


def by_secret(fake):
    return application(fake, AZURE_CLIENT_SECRET=SECRET)


def by_certificate(fake, path=None, **more):
    return application(fake, AZURE_CLIENT_CERTIFICATE_PATH=path or shared()["both"], **more)


def by_workload(fake):
    return application(fake, AZURE_FEDERATED_TOKEN_FILE=token_file(fake.federated + "\n"))


def by_endpoint(fake):
    return {"IDENTITY_ENDPOINT": fake.url + "/msi/token", "IDENTITY_HEADER": HEADER}


def by_metadata(fake):
    return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": fake.url}


def run(env, *words, status=0):
    """Tokens as printed, and what was logged; no secret is in the latter."""
    done = subprocess.run([TOOL, f"ca_file={shared()['authority'].certificate}", *words],
                          env=clean_env(env), stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60, check=False, text=True)
    if "Sanitizer" in done.stderr or "runtime error:" in done.stderr:
        raise AssertionError(done.stderr)
    equal(done.returncode, status, done.stderr)
    lacks(done.stderr, SECRET, HEADER, WORD, "PRIVATE KEY")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for one in found:
        lacks(done.stderr, one["token"])
    return found, done.stderr


def good(env, fake, source, *words, audience=MONITOR):
    found, log = run(env, f"audience={audience}", *words)
    equal([f["source"] for f in found], [source], log)
    equal([f["token"] for f in found], fake.tokens[-1:])
    equal(abs(found[0]["expires_ms"] / 1000 - fake.now() - fake.life) < 60, True)
    holds(found[0]["who"], f"application {CLIENT}, object {OBJECT}, tenant {TENANT}, "
          f"audience {audience}")
    return fake.seen[-1]


@case
def a_secret_gives_tokens_for_each_audience():
    with entra() as fake:
        for audience in AUDIENCES:
            said = good(by_secret(fake), fake, "client secret", audience=audience)
            equal(said["form"], {"client_id": CLIENT, "client_secret": SECRET,
                                 "grant_type": "client_credentials",
                                 "scope": audience + "/.default"})


@case
def a_certificate_proves_by_ps256_from_pem_and_from_pkcs12():
    verifier()
    with entra() as fake:
        for path, word in (("both", None), ("store", WORD), ("locked", WORD)):
            more = {"AZURE_CLIENT_CERTIFICATE_PASSWORD": word} if word else {}
            said = good(by_certificate(fake, shared()[path], **more), fake, "client certificate")
            equal(said["assertion"]["header"],
                  {"alg": "PS256", "typ": "JWT", "x5t#S256": fake.thumbprint}, path)
            claims = said["assertion"]["claims"]
            equal(claims["exp"] - claims["nbf"], 600)
        said = good(by_certificate(fake, AZURE_CLIENT_SEND_CERTIFICATE_CHAIN="true"), fake,
                    "client certificate")
        equal(said["assertion"]["header"]["x5c"], [fake.der])


@case
def a_certificate_that_cannot_be_used_is_told_without_its_password():
    with entra() as fake:
        for path, word, why in (("store", "wrong", "read with this password"),
                                ("locked", None, "an encrypted one needs its password"),
                                ("key", None, "holds no certificate beside the private key"),
                                ("elliptic", None, "its private key is not of type RSA"),
                                ("short", None, "has 1024 bits; make one of 2048 or more"),
                                ("alien", None, "none of its certificates belongs to"),
                                ("nowhere", None, "No such file")):
            more = {"AZURE_CLIENT_CERTIFICATE_PASSWORD": word} if word else {}
            _, log = run(by_certificate(fake, shared().get(path, "/nowhere"), **more), status=1)
            holds(log, "client certificate: AZURE_CLIENT_CERTIFICATE_PATH: ", why)
        equal(fake.seen, [])


@case
def a_projected_token_is_read_anew_each_time():
    verifier()
    with entra() as fake:
        env = by_workload(fake)
        good(env, fake, "workload identity")
        fake.federated = "second.token.signature"
        holds(run(env, status=1)[1], "AADSTS700027")
        with open(env["AZURE_FEDERATED_TOKEN_FILE"], "w", encoding="utf-8") as file:
            file.write(fake.federated)
        good(env, fake, "workload identity")


@case
def a_managed_identity_is_named_as_each_endpoint_wants_it():
    ways = ((by_endpoint, "identity endpoint", "mi_res_id"),
            (by_metadata, "instance metadata", "msi_res_id"))
    for way, source, resource_id in ways:
        with Entra() as fake:
            for option, name, value in ((None, None, None), ("client_id", "client_id", CLIENT),
                                        ("object_id", "object_id", OBJECT),
                                        ("resource_id", resource_id, RESOURCE)):
                said = good(way(fake), fake, source, *([f"{option}={value}"] if option else []))
                query = {k: v for k, v in said["query"].items() if k != "api-version"}
                equal(query, {"resource": MONITOR, **({name: value} if option else {})})


@case
def the_order_is_that_of_the_sdks_and_can_be_narrowed():
    verifier()
    with entra() as fake, Entra() as plain:
        everything = {**by_metadata(plain), **by_endpoint(plain), **by_workload(fake),
                      **by_certificate(fake), **by_secret(fake)}
        good(everything, fake, "client secret")
        for name, source in (("certificate", "client certificate"),
                             ("workload", "workload identity")):
            good(everything, fake, source, "credential=" + name)
        for name, source in (("managed", "identity endpoint"), ("imds", "instance metadata")):
            good(everything, plain, source, "credential=" + name)
        good({**everything, "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential"}, plain,
             "identity endpoint")


@case
def every_form_of_an_end_is_understood():
    end, text = 4102444800, "2100-01-01T00:00:00Z"
    forms = [{"expires_on": e} for e in (end, str(end), float(end), text, "01/01/2100 00:00:00",
                                         "1/1/2100 12:00:00 AM +00:00", "2100-01-01 00:00:00",
                                         "2100-01-01 00:00:00 +00:00")]
    with Entra() as fake:
        for form in forms:
            fake.times = form
            equal(run(by_endpoint(fake))[0][0]["expires_ms"], end * 1000, form)
        for form in ({"expires_in": 3600}, {"expires_in": "3600"},
                     {"expires_on": "soon", "expires_in": "3600"}):
            fake.times = form
            left = run(by_endpoint(fake))[0][0]["expires_ms"] / 1000 - fake.now()
            equal(3500 < left <= 3601, True, form)


@case
def a_refusal_is_told_with_its_code_its_trace_and_the_mend():
    with entra() as fake:
        _, log = run({**by_secret(fake), "AZURE_CLIENT_SECRET": "other~secret"}, status=1)
        holds(log, "client secret: it answered 401 invalid_client: AADSTS7000215: Invalid",
              "(trace b1c2); the secret is wrong: copy its value, not its id")
        lacks(log, "other~secret", "Correlation")
        _, log = run({**by_secret(fake), "AZURE_CLIENT_ID": "x"}, status=1)
        holds(log, "AADSTS700016", "look at AZURE_CLIENT_ID and AZURE_TENANT_ID")
        lacks(log, "more")
        equal(len(fake.seen), 2)  # what stays wrong is not asked again
    with Entra() as plain:
        _, log = run(by_endpoint(plain), "client_id=x", status=1)
        holds(log, "identity endpoint: it answered 400: Identity not found; the identity that is "
              "named is not assigned here")
        equal(len(plain.seen), 1)


@case
def what_passes_is_waited_for():
    with entra() as fake:
        fake.script({"status": 503, "body": "<html>"}, {"body": '{"access_token":"cut'})
        good(by_secret(fake), fake, "client secret")
    with Entra() as fake:
        fake.script({"status": 429, "headers": {"Retry-After": "1"}, "body": "{}"},
                    {"close": True})
        good(by_endpoint(fake), fake, "identity endpoint")


@case
def an_endpoint_that_begins_to_listen_late_is_waited_for():
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    fakes = []
    timer = threading.Timer(1.5, lambda: fakes.append(Entra(port=port)))
    timer.start()
    try:
        found, _ = run({"IDENTITY_ENDPOINT": f"http://localhost:{port}/msi/token",
                        "IDENTITY_HEADER": HEADER})
        equal(found[0]["token"], fakes[0].tokens[-1])
    finally:
        timer.join()
        for fake in fakes:
            fake.close()


@case
def a_token_that_the_service_refuses_in_mid_life_is_fetched_anew():
    with entra() as fake:
        found, _ = run(by_secret(fake), "again")
        equal([f["token"] for f in found], fake.tokens)
        equal(len(set(fake.tokens)), 2)


@case
def an_authority_whose_certificate_is_not_trusted_gets_no_secret():
    with entra() as fake:
        other = Authority("somebody else")
        _, log = run(by_secret(fake), f"ca_file={other.certificate}", status=1)
        holds(log, "client secret: ", "certificate")
        equal(fake.seen, [])


#
# The program's own words about it.
#
TARGET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/containerApps/workers"


def check_auth(status, env, **options):
    named = {"resource_id": TARGET, "region": "westeurope",
             "ca_file": shared()["authority"].certificate, **options}
    result = expect(status, "check-auth", "azure_monitor", env={
        "SCALEBRIDGE_SINKS": "azure_monitor", **env,
        **{"SCALEBRIDGE_SINKS_AZURE_MONITOR_" + k.upper(): v for k, v in named.items()}})
    lacks(result.out + result.err, SECRET, HEADER, WORD)
    return result, [" ".join(line.split()) for line in result.out.splitlines()]


@case
def check_auth_names_each_way_who_we_are_and_the_role_that_is_needed():
    with entra() as fake:
        _, lines = check_auth(0, {**by_workload(fake), **by_endpoint(fake)})
        equal(lines[:3], ["azure_monitor", "client secret not configured",
                          "client certificate not configured"])
        holds(lines[3], "workload identity found: workload identity, good until 20")
        equal(lines[4:7], [f"{name} not asked, as workload identity comes before it"
                           for name in ("identity endpoint", "azure arc", "instance metadata")])
        equal(lines[7:], [f"who we are application {CLIENT}, object {OBJECT}, tenant {TENANT}, "
                          f"audience {MONITOR}; needs the role Monitoring Metrics Publisher on "
                          f"{TARGET}", "as says the token"])
        equal(len(fake.seen), 1)


@case
def check_auth_takes_the_identity_that_the_settings_name():
    with Entra() as fake:
        result, _ = check_auth(0, by_metadata(fake), credential="imds", object_id=OBJECT,
                               audience=ARM)
        equal(fake.seen[-1]["query"]["object_id"], OBJECT)
        holds(result.out, "audience " + ARM)
        result, _ = check_auth(1, by_metadata(fake), credential="imds", client_id="other")
        holds(result.out, "instance metadata   failed: it answered 400 invalid_request: Identity "
              "not found (trace b1c2); the identity that is named is not assigned here")
        result, _ = check_auth(1, by_endpoint(fake), credential="secret")
        holds(result.out, "no Azure credentials: give the container app")
        result, _ = check_auth(2, {}, client_id="a", object_id="b")
        holds(result.err, "leave one of them")


#
# Microsoft's own library, at the same fake.
#
def oracle():
    """Where @azure/identity is installed."""
    places = (os.environ.get("SCALEBRIDGE_ORACLES"), "../oracles", "build/oracles")
    for place in (os.path.abspath(p) for p in places if p):
        if os.path.isdir(os.path.join(place, "node_modules", "@azure", "identity")):
            if shutil.which("node"):
                return os.path.join(place, "node_modules")
    raise Skip("@azure/identity is not installed (./quickstart check does it where npm reaches "
               "its registry)")


def by_sdk(modules, env, way, scope, *selector):
    done = subprocess.run(
        ["node", os.path.join(HERE, "..", "conformance", "azure_identity.js"), way, scope,
         *selector],
        env={"PATH": os.environ["PATH"], "NODE_PATH": modules, **env,
             "NODE_EXTRA_CA_CERTS": shared()["authority"].certificate},
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, text=True)
    equal(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)


# Header fields that carry meaning; all others are the HTTP library's own.
MEANING = ("metadata", "x-identity-header", "authorization", "content-type")


def meaning(said):
    """A request without what is random, of today or for statistics."""
    form, query = ({k: v for k, v in said[part].items() if k not in TELEMETRY}
                   for part in ("form", "query"))
    if "assertion" in said:
        del form["client_assertion"]
        header, claims = said["assertion"]["header"], said["assertion"]["claims"]
        form["header"] = header
        form["claims"] = {k: v for k, v in claims.items() if k not in ("jti", "iat", "nbf", "exp")}
        form["life"] = claims["exp"] - claims["nbf"]
    headers = {k: v.split(";")[0] for k, v in said["headers"].items()
               if k in MEANING and (said["method"] == "POST" or k != "content-type")}
    return {"method": said["method"], "path": said["path"], "query": query,
            "form": form, "headers": headers}


def compare(fake, modules, env, way, source, *selector, ours=()):
    theirs = by_sdk(modules, env, way, MONITOR + "/.default", *selector)
    equal(theirs["token"], fake.tokens[-1])
    said = meaning(fake.seen[-1])
    equal(meaning(good(env, fake, source, *ours)), said, source)


@case
def microsofts_library_asks_the_authority_for_the_same():
    verifier()
    modules = oracle()
    with entra() as fake:
        compare(fake, modules, by_secret(fake), "environment", "client secret")
        compare(fake, modules, by_certificate(fake), "environment", "client certificate")
        compare(fake, modules, by_certificate(fake, AZURE_CLIENT_SEND_CERTIFICATE_CHAIN="1"),
                "chain", "client certificate")
        compare(fake, modules, by_workload(fake), "workload", "workload identity")


@case
def microsofts_library_asks_managed_identities_for_the_same():
    modules = oracle()
    choices = ((), ("clientId", CLIENT), ("objectId", OBJECT), ("resourceId", RESOURCE))
    options = {"clientId": "client_id", "objectId": "object_id", "resourceId": "resource_id"}
    for way, source in ((by_endpoint, "identity endpoint"), (by_metadata, "instance metadata")):
        with Entra() as fake:
            for choice in choices:
                ours = [f"{options[choice[0]]}={choice[1]}"] if choice else []
                compare(fake, modules, way(fake), "managed", source, *choice, ours=ours)


if __name__ == "__main__":
    main()
