#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`scalebridge eval`: the shape of its answers, its errors, its exit status."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import case, equal, expect, holds, main  # noqa: E402

TIMED = b"""jobs{q="a"} 1 1000
jobs{q="a"} 2 61000
jobs{q="b"} 5 61000
"""


def ask(expression, *more, samples=TIMED, status=0):
    with tempfile.NamedTemporaryFile() as f:
        f.write(samples)
        f.flush()
        return expect(status, "eval", "--metrics", f.name, *more, "--", expression)


@case
def a_vector_has_the_shape_of_the_query_api():
    equal(ask("jobs", "--time", "61").json(),
          {"resultType": "vector", "result": [
              {"metric": {"__name__": "jobs", "q": "a"}, "value": [61, "2"]},
              {"metric": {"__name__": "jobs", "q": "b"}, "value": [61, "5"]}]})


@case
def a_scalar_a_string_and_a_matrix_have_their_own_shapes():
    equal(ask("1 / 0", "--time", "1.5").json(), {"resultType": "scalar", "result": [1.5, "+Inf"]})
    equal(ask("'x'", "--time", "2").json(), {"resultType": "string", "result": [2, "x"]})
    equal(ask('jobs{q="a"}[2m]', "--time", "61").json(),
          {"resultType": "matrix", "result": [
              {"metric": {"__name__": "jobs", "q": "a"}, "values": [[1, "1"], [61, "2"]]}]})


@case
def without_a_time_it_is_that_of_the_newest_sample():
    result = ask("sum(jobs)")
    equal(result.json()["result"], [{"metric": {}, "value": [61, "7"]}])
    holds(result.err, "61.000", "newest sample")


@case
def samples_without_a_time_are_those_of_the_evaluation():
    result = ask("jobs", "--time", "12", samples=b"jobs 3\n")
    equal(result.json()["result"][0]["value"], [12, "3"])
    result = ask("time() - timestamp(jobs)", samples=b"jobs 3\n")
    equal(result.json()["result"][0]["value"][1], "0")


@case
def an_expression_may_begin_with_a_minus_and_rows_keep_the_order_of_sort():
    equal([r["value"][1] for r in ask("-jobs", "--time", "61").json()["result"]], ["-2", "-5"])
    equal([r["value"][1] for r in ask("sort_desc(jobs)", "--time", "61").json()["result"]], ["5", "2"])


@case
def standard_input_is_read_for_a_dash():
    result = expect(0, "eval", "--metrics", "-", "--time", "5", "jobs + 1", stdin=b"jobs 3\n")
    equal(result.json()["result"][0]["value"], [5, "4"])


@case
def a_bad_expression_shows_the_place():
    result = ask("sum(jobs) by", "--time", "61", status=1)
    equal(result.out, "")
    holds(result.err, '1:13: parse error: unexpected end of input in grouping opts, expected "("',
          "sum(jobs) by\n            ^\n")


@case
def a_failed_evaluation_tells_the_reason():
    holds(ask("jobs * on () jobs", "--time", "61", status=1).err, "found duplicate series")


@case
def a_bad_file_tells_line_and_column():
    holds(ask("jobs", status=1, samples=b"jobs 1\njobs x\n").err, ":2:6: ")


@case
def wrong_usage_is_status_2():
    holds(expect(2, "eval", "1").err, "--metrics")
    holds(ask("1", "--time", "soon", status=2).err, "--time", "soon")


main()
