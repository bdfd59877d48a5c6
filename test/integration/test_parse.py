#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`scalebridge parse`: one object a line, faults by place, exit status."""
import http.server
import json
import os
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import case, equal, expect, holds, main  # noqa: E402

GOOD = b'# TYPE a histogram\na_bucket{le="1",x="y\\n"} 3 1500\nb NaN\n'
ROWS = [
    {"name": "a_bucket", "labels": {"le": "1.0", "x": "y\n"}, "value": "3", "timestamp": 1.5},
    {"name": "b", "labels": {}, "value": "NaN", "timestamp": None},
]


def rows(result):
    return [json.loads(line) for line in result.out.splitlines()]


def parse(body, *options, status=0):
    with tempfile.NamedTemporaryFile() as f:
        f.write(body)
        f.flush()
        result = expect(status, "parse", *options, f.name)
        result.err = result.err.replace(f.name, "FILE")
        return result


@case
def samples_are_printed_one_object_a_line():
    equal(rows(parse(GOOD)), ROWS)


@case
def an_empty_body_is_good():
    equal(parse(b"").out, "")


@case
def a_fault_is_told_by_file_line_and_column_and_nothing_is_printed():
    result = parse(GOOD + b"c 1,0\n", status=1)
    equal(result.err, 'FILE:4:3: "1,0" is not a number that fits a float\n')
    equal(result.out, "")


@case
def the_end_of_a_file_tells_the_format_unless_it_is_given():
    equal(rows(parse(b"a 1 1.5\n# EOF\n"))[0]["timestamp"], 1.5)
    holds(parse(b"a 1 1.5\n# EOF\n", "--format", "prometheus", status=1).err, "FILE:1:6: ")
    holds(parse(b"a 1\n", "--format=openmetrics", status=1).err, "FILE:2:1: ", "# EOF")
    holds(parse(b"a 1\n", "--format=xml", status=2).err, "prometheus or openmetrics")


@case
def strict_asks_for_what_the_specification_says():
    body = b"# TYPE a counter\na 1\n# EOF\n"
    equal(len(rows(parse(body))), 1)
    holds(parse(body, "--strict", status=1).err, "FILE:2:1: ", "_total")


@case
def lint_tells_faults_of_style_and_prints_the_samples():
    result = parse(b"# TYPE jobs counter\njobs 1\n", "--lint", status=1)
    holds(result.err, "FILE:1:8: ", "_total", "help")
    equal(len(rows(result)), 1)


@case
def a_file_that_is_not_there_is_named():
    holds(expect(1, "parse", "/nonexistent/file").err, "/nonexistent/file")


class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        if self.path == "/om":
            self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0")
        elif self.path == "/text":
            self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"a 1 2\n" if self.path == "/text" else b"a 1 2\n# EOF\n")

    def log_message(self, *args):
        pass


@case
def a_url_is_read_as_its_content_type_says():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        equal(rows(expect(0, "parse", url + "/om"))[0]["timestamp"], 2)
        equal(rows(expect(0, "parse", url + "/text"))[0]["timestamp"], 0.002)
        holds(expect(1, "parse", url + "/none").err, "blank Content-Type")
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
