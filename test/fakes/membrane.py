# SPDX-License-Identifier: Apache-2.0
"""A Membrane whose numbers a test sets, and whose replicas can misbehave.

Strict: a scrape without the headers that Prometheus sends is answered 400,
so that an agent which forgets them fails its tests.
"""
import gzip
import http.server
import socket
import threading

NOISE = """# HELP process_resident_memory_bytes Resident memory in bytes.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 187392000
# HELP nodejs_heap_space_size_used_bytes Heap in use by space.
# TYPE nodejs_heap_space_size_used_bytes gauge
nodejs_heap_space_size_used_bytes{space="new"} 6012928
nodejs_heap_space_size_used_bytes{space="old"} 68812800
"""


def api_page(active=17, waiting=25, workers=4, required=10):
    return (f"# TYPE instant_tasks_jobs_active gauge\ninstant_tasks_jobs_active {active}\n"
            f"# TYPE instant_tasks_jobs_waiting gauge\ninstant_tasks_jobs_waiting {waiting}\n"
            f"# TYPE queued_tasks_workers gauge\nqueued_tasks_workers {workers}\n"
            "# TYPE queued_tasks_workers_required gauge\n"
            f"queued_tasks_workers_required {required}\n" + NOISE)


def runner_page(total=30, remaining=12):
    return ("# TYPE custom_code_runner_total_job_spaces gauge\n"
            f"custom_code_runner_total_job_spaces {total}\n"
            "# TYPE custom_code_runner_remaining_job_spaces gauge\n"
            f"custom_code_runner_remaining_job_spaces {remaining}\n" + NOISE)


def busy_page(busy=1):
    return ("# TYPE queued_tasks_worker_busy gauge\n"
            f"queued_tasks_worker_busy {busy}\n" + NOISE)


class Answer:
    """What a replica answers.  `raw` replaces everything from the status line
    on; `hang` accepts and never answers; `cut` closes after so many bytes of
    the body, though Content-Length promised all."""

    def __init__(self, body="", status=200, content_type="text/plain; version=0.0.4; charset=utf-8",
                 compress=True, encoding=None, raw=None, hang=False, cut=None, headers=()):
        self.body = body if isinstance(body, bytes) else body.encode()
        self.status, self.content_type, self.compress = status, content_type, compress
        self.encoding, self.raw, self.hang, self.cut = encoding, raw, hang, cut
        self.headers = headers


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        replica = self.server.replica
        with replica.lock:
            replica.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            answer = replica.answer(self.path)
            replica.news.notify_all()
        wrong = self.wrong_headers()
        if wrong:
            answer = Answer(wrong, status=400)
        elif answer is None:
            answer = Answer("not here", status=404)
        self.reply(answer)

    def wrong_headers(self):
        for name in ("Accept", "User-Agent", "Host"):
            if not self.headers.get(name):
                return f"header {name} is missing"
        try:
            if float(self.headers.get("X-Prometheus-Scrape-Timeout-Seconds", "")) <= 0:
                return "the scrape timeout is not above zero"
        except ValueError:
            return "header X-Prometheus-Scrape-Timeout-Seconds is no number"
        if "text/plain" not in self.headers["Accept"]:
            return "Accept does not offer text/plain"
        return None

    def reply(self, answer):
        if answer.hang:
            self.server.replica.released.wait(60)
            self.close_connection = True
            return
        if answer.raw is not None:
            self.wfile.write(answer.raw)
            self.close_connection = True
            return
        body, encoding = answer.body, answer.encoding
        if encoding is None and answer.compress and "gzip" in self.headers.get("Accept-Encoding", ""):
            body, encoding = gzip.compress(body, mtime=0), "gzip"
        self.send_response(answer.status)
        if answer.content_type is not None:
            self.send_header("Content-Type", answer.content_type)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer.cut is not None:
            self.wfile.write(body[:answer.cut])
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the agent had enough


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that goes away is the test's own doing


class Replica:
    """One pod: an address on loopback that serves pages by path."""

    def __init__(self, pages, context=None):
        self.pages = dict(pages)
        self.requests = []
        self.lock = threading.Lock()
        self.news = threading.Condition(self.lock)
        self.released = threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.replica = self
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.scheme = "https" if context else "http"
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def answer(self, path):
        page = self.pages.get(path.split("?")[0])
        if callable(page):
            page = page()
        return Answer(page) if isinstance(page, (str, bytes)) else page

    def set(self, path, page):
        with self.lock:
            self.pages[path] = page

    def url(self, path=""):
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    def await_requests(self, count, limit=60):
        with self.lock:
            if not self.news.wait_for(lambda: len(self.requests) >= count, limit):
                raise AssertionError(f"{len(self.requests)} scrapes, not {count}")

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


API, RUNNER, BUSY = "/prometheus", "/api/v2/prometheus", "/prometheus/queued-tasks"


class Membrane:
    """All three services, several replicas of each."""

    def __init__(self, api=2, runners=3, workers=4, context=None):
        self.api = [Replica({API: api_page()}, context) for _ in range(api)]
        self.runners = [Replica({RUNNER: runner_page()}, context) for _ in range(runners)]
        self.workers = [Replica({BUSY: busy_page(1 if i < 3 else 0)}, context)
                        for i in range(workers)]

    def all(self):
        return self.api + self.runners + self.workers

    def env(self):
        def urls(replicas):
            return ",".join(r.url() for r in replicas)
        return {"SCALEBRIDGE_API_URL": urls(self.api),
                "SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL": urls(self.runners),
                "SCALEBRIDGE_QUEUED_TASKS_WORKER_URL": urls(self.workers)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for replica in self.all():
            replica.close()
