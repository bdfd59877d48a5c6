# SPDX-License-Identifier: Apache-2.0
"""moto, an independent emulator of AWS, as a server on loopback; and the AWS
CLI.  ./quickstart check installs both from PyPI into the folder `aws` of
SCALEBRIDGE_ORACLES; where they are not, tests are skipped."""
import json
import os
import subprocess
import tempfile
import threading
import urllib.request

from lib.tap import LIMIT, Skip, clean_env

REGION = "eu-west-1"
ADMIN = {"Version": "2012-10-17",
         "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def installed(program):
    places = (os.environ.get("SCALEBRIDGE_ORACLES"), "../oracles", "build/oracles")
    for place in (os.path.abspath(p) for p in places if p):
        path = os.path.join(place, "aws", "bin", program)
        if os.access(path, os.X_OK):
            return path
    raise Skip(f"{program} is not installed (./quickstart check does it where pip reaches PyPI)")


# Says where it listens: the port is the system's choice.
SERVER = """
import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app),
                     threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""


class Moto:
    """With `signed`, what is not signed by `key_id` and `secret`, whose holder
    may do all, is refused."""

    def __init__(self, signed=True):
        env = clean_env({"HOME": "/nonexistent"})
        if signed:  # but for the three calls that make the first keys
            env["INITIAL_NO_AUTH_ACTION_COUNT"] = "3"
        self.process = subprocess.Popen(
            [os.path.join(os.path.dirname(installed("moto_server")), "python"), "-c", SERVER],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        port = self.process.stdout.readline().strip().decode()
        if not port:
            raise AssertionError(self.process.stderr.read().decode("utf-8", "replace"))
        self.drain = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.drain.start()
        self.url = f"http://127.0.0.1:{port}"
        self.key_id, self.secret = "a", "b"
        if signed:
            self.key_id, self.secret = self.user("first", ADMIN)

    def user(self, name, may):
        """Keys of a new user who may do what the policy says."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(may))
        return key["AccessKeyId"], key["SecretAccessKey"]

    def client(self, service):
        import botocore.session
        return botocore.session.get_session().create_client(
            service, region_name=REGION, endpoint_url=self.url,
            aws_access_key_id=self.key_id, aws_secret_access_key=self.secret)

    def reset(self):
        urllib.request.urlopen(urllib.request.Request(
            self.url + "/moto-api/reset", method="POST"), timeout=LIMIT).close()

    def env(self, **more):
        return {"AWS_ACCESS_KEY_ID": self.key_id, "AWS_SECRET_ACCESS_KEY": self.secret,
                "AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION, **more}

    def run(self, *command, script=None):
        """A command, or a script of sh, with the AWS CLI in its path."""
        env = clean_env(self.env(AWS_DEFAULT_REGION=REGION, HOME=tempfile.gettempdir(),
                                 AWS_CONFIG_FILE="/dev/null", AWS_PAGER="",
                                 AWS_SHARED_CREDENTIALS_FILE="/dev/null"))
        env["PATH"] = os.path.dirname(installed("aws")) + ":" + env["PATH"]
        done = subprocess.run(command or ["sh"], env=env, input=script, capture_output=True,
                              text=True, timeout=LIMIT, check=False)
        if done.returncode:
            raise AssertionError(f"{command}: exit status {done.returncode}\n{done.stderr}")
        return done.stdout

    def aws(self, *args):
        return json.loads(self.run("aws", "--output", "json", *args) or "{}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(LIMIT)
        self.drain.join(LIMIT)
        self.process.stdout.close()
        self.process.stderr.close()
