# SPDX-License-Identifier: Apache-2.0
"""Where Azure's tokens come from, on loopback: Microsoft Entra ID's token
endpoint, the identity endpoint of App Service and Container Apps, and the
metadata service of a virtual machine.

Strict: an unknown path, parameter or api-version, a missing or wrong header,
a parameter that is given twice are refused.  Client assertions are verified
by PyJWT with the certificates of `certificates`.  `seen` holds what was asked,
`tokens` what was handed out.
"""
import base64
import hashlib
import json
import os
import ssl
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.service import Request, Service  # noqa: E402
from fakes.sigv4 import Refused  # noqa: E402

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
OBJECT = "99999999-8888-7777-6666-555555555555"
SECRET = "s3cr~t+with/odd=signs &%"
HEADER = "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a"
RESOURCE = ("/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity"
            "/userAssignedIdentities/i")
AUDIENCES = ("https://monitoring.azure.com/", "https://management.azure.com/")
BY_JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# What MSAL adds for Microsoft's statistics.
TELEMETRY = ("client_info", "x-client-SKU", "x-client-VER", "x-client-OS", "x-client-CPU",
             "x-ms-lib-capability", "x-client-current-telemetry", "x-client-last-telemetry",
             "client-request-id", "claims")


def part(data):
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def once(text):
    """Parameters of a query or a form, each given once."""
    pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, strict_parsing=True)
    if len({name for name, _ in pairs}) != len(pairs):
        raise Refused(400, "invalid_request", "a parameter is given twice")
    return dict(pairs)


class Entra(Service):
    def __init__(self, **more):
        super().__init__(**more)
        self.seen, self.tokens = [], []
        self.certificates = {}  # thumbprint of SHA-256 in base64url: PEM
        self.jtis = set()
        self.federated, self.life = "issuer.token.signature", 3599
        self.times = None  # members that tell when a token ends

    def token(self, audience, app=CLIENT):
        end = int(self.now()) + self.life
        made = ".".join((part({"alg": "none"}), part({
            "aud": audience, "appid": app, "oid": OBJECT, "tid": TENANT, "exp": end,
            "n": len(self.tokens)}), "c2ln"))
        self.tokens.append(made)
        return made, end

    def understand(self, request):
        url = urllib.parse.urlsplit(request.path)
        path = url.path.rstrip("/")
        said = {"method": request.method, "path": path, "headers": request.headers,
                "query": once(url.query) if url.query else {},
                "form": once(request.body.decode()) if request.body else {}}
        self.seen.append(said)
        if path == f"/{TENANT}/v2.0/.well-known/openid-configuration":
            return self.configuration(said)
        if path == f"/{TENANT}/oauth2/v2.0/token" and request.method == "POST":
            return self.authority(said)
        if path == "/msi/token" and request.method == "GET":
            return self.identity(said)
        if path == "/metadata/identity/oauth2/token" and request.method == "GET":
            return self.metadata(said)
        raise Refused(404, "not_found", f"no such path: {path}")

    def take(self, request, tree):
        self.note(request, 200, "")
        return tree

    def get(self, handler):
        self.serve(handler, Request(handler, b""))

    def answer(self, **members):
        return json.dumps(members).encode(), {"Content-Type": "application/json; charset=utf-8"}

    def configuration(self, _):
        base = f"{self.url}/{TENANT}"
        return self.answer(issuer=f"{base}/v2.0", token_endpoint=f"{base}/oauth2/v2.0/token",
                           authorization_endpoint=f"{base}/oauth2/v2.0/authorize",
                           jwks_uri=f"{base}/discovery/v2.0/keys")

    #
    # Entra ID.
    #
    def authority(self, said):
        form = {k: v for k, v in said["form"].items() if k not in TELEMETRY}
        if not said["headers"].get("content-type", "").startswith(
                "application/x-www-form-urlencoded"):
            raise Refused(400, "invalid_request", "AADSTS900144: the body is no form")
        if form.pop("grant_type", None) != "client_credentials":
            raise Refused(400, "unsupported_grant_type", "AADSTS70003: grant_type")
        if form.pop("client_id", None) != CLIENT:
            raise Refused(400, "unauthorized_client", "AADSTS700016: Application with identifier "
                          "'x' was not found in the directory 'y'. Trace ID: t\r\nmore")
        audience, _, suffix = form.pop("scope", "").rpartition("/")
        if suffix != ".default" or audience not in AUDIENCES:
            raise Refused(400, "invalid_resource", "AADSTS500011: The resource principal was not "
                          "found")
        self.prove(said, form)
        token, _ = self.token(audience)
        return self.answer(token_type="Bearer", access_token=token, expires_in=self.life,
                           ext_expires_in=self.life)

    def prove(self, said, form):
        if set(form) == {"client_secret"}:
            if form["client_secret"] != SECRET:
                raise Refused(401, "invalid_client", "AADSTS7000215: Invalid client secret "
                              "provided. Ensure the secret being sent is the value. "
                              "Trace ID: t Correlation ID: c")
        elif set(form) == {"client_assertion", "client_assertion_type"}:
            if form["client_assertion_type"] != BY_JWT:
                raise Refused(400, "invalid_request", "AADSTS50027: client_assertion_type")
            if form["client_assertion"] != self.federated:
                self.verify(said, form["client_assertion"])
        else:
            raise Refused(400, "invalid_request", f"AADSTS900144: parameters {sorted(form)}")

    def verify(self, said, assertion):
        import jwt
        from cryptography import x509

        try:
            header = jwt.get_unverified_header(assertion)
            pem = self.certificates[header["x5t#S256"]]
            key = x509.load_pem_x509_certificate(pem).public_key()
            claims = jwt.decode(assertion, key, algorithms=["PS256"], audience=self.url
                                + said["path"], leeway=60,
                                options={"require": ["exp", "nbf", "iss", "sub", "jti", "aud"]})
        except (KeyError, jwt.PyJWTError) as wrong:
            raise Refused(401, "invalid_client", f"AADSTS700027: {wrong!r}") from None
        if not claims["iss"] == claims["sub"] == CLIENT or claims["jti"] in self.jtis \
                or claims["exp"] - self.now() > 660:
            raise Refused(401, "invalid_client", "AADSTS700024: claims")
        self.jtis.add(claims["jti"])
        said["assertion"] = {"header": header, "claims": claims}

    def trust(self, pem):
        """Takes a certificate; gives the thumbprint it is known by."""
        der = ssl.PEM_cert_to_DER_cert(pem.decode())
        name = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
        self.certificates[name] = pem
        return name, base64.b64encode(der).decode()

    #
    # Managed identities.
    #
    def managed(self, said, version, resource_id):
        query = dict(said["query"])
        if query.pop("api-version", None) != version:
            raise Refused(400, "invalid_request", "api-version")
        audience = query.pop("resource", None)
        if audience not in AUDIENCES:
            raise Refused(400, "invalid_resource", "resource")
        known = {"client_id": CLIENT, "object_id": OBJECT, resource_id: RESOURCE}
        if len(query) > 1 or any(known.get(k) != v for k, v in query.items()):
            raise Refused(400, "invalid_request", "Identity not found")
        return audience, self.token(audience)

    def identity(self, said):
        if said["headers"].get("x-identity-header") != HEADER:
            raise Refused(401, "unauthorized", "X-IDENTITY-HEADER")
        audience, (token, end) = self.managed(said, "2019-08-01", "mi_res_id")
        return self.answer(access_token=token, resource=audience, token_type="Bearer",
                           client_id=CLIENT, **(self.times or {"expires_on": str(end)}))

    def metadata(self, said):
        if said["headers"].get("metadata") != "true":
            raise Refused(400, "invalid_request", "Required metadata header not specified")
        audience, (token, end) = self.managed(said, "2018-02-01", "msi_res_id")
        return self.answer(access_token=token, refresh_token="", expires_in=str(self.life),
                           expires_on=str(end), not_before=str(int(self.now())),
                           resource=audience, token_type="Bearer")

    def error(self, request, refused):
        if request.path.startswith("/msi/"):
            body = {"statusCode": refused.status, "message": refused.message}
        else:
            body = {"error": refused.code, "error_description": refused.message,
                    "trace_id": "b1c2", "correlation_id": "d3e4", "error_codes": [7]}
        return json.dumps(body).encode(), {"Content-Type": "application/json"}
