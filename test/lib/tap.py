# SPDX-License-Identifier: Apache-2.0
"""Tests that print TAP, for automake's driver.

A test is a function whose name is a sentence, marked with @case; it fails by
raising.  main() runs them all, or those whose names hold a word given on the
command line.  The real program is run by scalebridge() and started by
Running; both are bounded in time and end only what they started.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback

CASES = []
PROGRAM = os.environ.get("SCALEBRIDGE", "./scalebridge")
# No test may wait longer than this for anything.
LIMIT = 60


class Skip(Exception):
    """The machine lacks what the test needs; the text says what."""


def case(function):
    CASES.append(function)
    return function


def main():
    words = sys.argv[1:]
    cases = [c for c in CASES if not words or any(w in c.__name__ for w in words)]
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for number, function in enumerate(cases, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
        except Skip as skip:
            print(f"ok {number} - {name} # SKIP {skip}")
        except Exception:
            failed += 1
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print("# " + line)
        else:
            print(f"ok {number} - {name}")
        sys.stdout.flush()
    sys.exit(1 if failed or not cases else 0)


def equal(got, want, what=""):
    if got != want:
        raise AssertionError(f"{what}\n got: {got!r}\nwant: {want!r}")


def holds(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError(f"{part!r} is not in:\n{text}")


def lacks(text, *parts):
    for part in parts:
        if part in text:
            raise AssertionError(f"{part!r} is in:\n{text}")


def clean_env(extra=None):
    """The environment of a container: nothing of the developer's own."""
    keep = ("PATH", "LANG", "LC_ALL", "ASAN_OPTIONS", "UBSAN_OPTIONS",
            "LSAN_OPTIONS", "LLVM_PROFILE_FILE", "GCOV_PREFIX")
    env = {k: os.environ[k] for k in keep if k in os.environ}
    env["AWS_EC2_METADATA_DISABLED"] = "true"  # no test asks a link-local address
    env.update(extra or {})
    return env


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"status {self.status}\n--- out\n{self.out}\n--- err\n{self.err}"


def scalebridge(*args, env=None, stdin=None, cwd=None, limit=LIMIT):
    done = subprocess.run([PROGRAM, *args], env=clean_env(env), input=stdin,
                          stdin=None if stdin is not None else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          cwd=cwd, timeout=limit, check=False)
    result = Result(done.returncode, done.stdout.decode("utf-8", "replace"),
                    done.stderr.decode("utf-8", "replace"))
    if "Sanitizer" in result.err or "runtime error:" in result.err:
        raise AssertionError(result.err)
    return result


def expect(status, *args, **more):
    result = scalebridge(*args, **more)
    if result.status != status:
        raise AssertionError(f"exit status {result.status}, not {status}\n{result!r}")
    return result


class Running:
    """The agent as a running process; its log is read line by line, and what it
    writes to standard output unless that goes elsewhere (`stdout`)."""

    def __init__(self, *args, env=None, cwd=None, stdout=subprocess.PIPE):
        self.process = subprocess.Popen([PROGRAM, *args], env=clean_env(env), cwd=cwd,
                                        stdin=subprocess.DEVNULL, stdout=stdout,
                                        stderr=subprocess.PIPE)
        self.lines, self.out = [], []
        self.news = threading.Condition()
        self.readers = [threading.Thread(target=self.read, args=(pipe, into)) for pipe, into in
                        ((self.process.stderr, self.lines), (self.process.stdout, self.out))
                        if pipe]
        for reader in self.readers:
            reader.daemon = True
            reader.start()

    def read(self, pipe, into):
        for line in pipe:
            with self.news:
                into.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.news.notify_all()
        with self.news:
            into.append(None)  # the end
            self.news.notify_all()

    def log(self):
        with self.news:
            return "\n".join(line for line in self.lines if line is not None)

    def await_log(self, *parts, limit=LIMIT):
        """The first line of the log that holds all parts; it may have come already."""
        seen = 0

        def found():
            nonlocal seen
            while seen < len(self.lines):
                line = self.lines[seen]
                seen += 1
                if line is None:
                    raise AssertionError(f"the agent ended without {parts!r}:\n"
                                         + "\n".join(l for l in self.lines if l))
                if all(part in line for part in parts):
                    return line
            return None

        with self.news:
            line = self.news.wait_for(found, limit)
        if not line:
            raise AssertionError(f"no line with {parts!r} in:\n{self.log()}")
        return line

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, limit=LIMIT):
        status = self.process.wait(limit)
        for reader in self.readers:
            reader.join(limit)
        log = self.log()
        if "Sanitizer" in log or "runtime error:" in log:
            raise AssertionError(log)
        return status

    def stop(self, limit=LIMIT):
        """SIGTERM, and the exit status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait(limit)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(LIMIT)


def config_file(text):
    """A configuration file in a folder of its own; gives its path."""
    folder = tempfile.mkdtemp(prefix="scalebridge-test-")
    path = os.path.join(folder, "scalebridge.yml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path
