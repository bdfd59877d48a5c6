# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made by openssl in a folder that goes away."""
import atexit
import os
import shutil
import ssl
import subprocess
import tempfile


class Authority:
    """A certificate authority of one test run."""

    def __init__(self, name="test authority"):
        self.folder = tempfile.mkdtemp(prefix="scalebridge-ca-")
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.key, self.certificate = self.path("ca.key"), self.path("ca.pem")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                     "-keyout", self.key, "-out", self.certificate,
                     "-subj", f"/CN={name}")

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

    def context(self, names="DNS:localhost,IP:127.0.0.1,IP:::1"):
        """A server context with a certificate for these names."""
        key, request, certificate = (self.path(n) for n in ("s.key", "s.csr", "s.pem"))
        extensions = self.path("s.ext")
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"subjectAltName={names}\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                     "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=test server")
        self.openssl("x509", "-req", "-in", request, "-CA", self.certificate,
                     "-CAkey", self.key, "-CAcreateserial", "-days", "2",
                     "-extfile", extensions, "-out", certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context
