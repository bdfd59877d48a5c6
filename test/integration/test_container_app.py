# SPDX-License-Identifier: Apache-2.0
"""Running replicas as Azure Resource Manager tells them, over TLS, with a
managed identity: right, or with the reason why not."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.arm import APP, Arm, replica  # noqa: E402
from fakes.entra import HEADER, Entra  # noqa: E402
from fakes.membrane import Membrane  # noqa: E402
from fakes.tls import Authority  # noqa: E402
from lib.tap import case, config_file, equal, expect, holds, lacks, main  # noqa: E402

AUTHORITY = Authority()
CONTEXT = AUTHORITY.context()


class World:
    def __init__(self, *revisions):
        self.membrane, self.entra = Membrane(), Entra()
        self.arm = Arm(CONTEXT, self.entra.tokens)
        self.arm.revisions = list(revisions)

    def __enter__(self):
        self.membrane.__enter__()
        return self

    def __exit__(self, *words):
        self.arm.close()
        self.entra.close()
        self.membrane.__exit__(*words)

    def dry(self, status=0, app=APP):
        path = config_file(f"""
capacity:
  instant-tasks-worker: {{container_app: {{resource_id: "{app}", endpoint: "{self.arm.url}"}}}}
""")
        env = {**self.membrane.env(), "SCALEBRIDGE_SINKS": "none",
               "SSL_CERT_FILE": AUTHORITY.certificate,
               "IDENTITY_ENDPOINT": self.entra.url + "/msi/token", "IDENTITY_HEADER": HEADER}
        report = expect(status, "--dry-run", "--output", "json", "--config", path, env=env).json()
        jobs = next(m for m in report["metrics"] if m["name"] == "JobsPerWorker")
        return report["workers"][0], jobs["value"]


@case
def ready_replicas_of_active_revisions_are_the_denominator():
    slow, dead = replica(ready=False), replica(state="NotRunning")
    with World(("old", False, [replica()]), ("a", True, [replica(containers=2)] * 2 + [slow]),
               ("b", True, [replica(), dead])) as w:
        said, value = w.dry()
        equal((said["count"], said["desired"], value), (3, 5, 14))  # 42 jobs
        equal(said["source"], "container app workers")
        equal(w.arm.asked, [APP + "/revisions", APP + "/revisions/a/replicas",
                            APP + "/revisions/b/replicas"])
        equal([s["query"]["resource"] for s in w.entra.seen], ["https://management.azure.com/"])


@case
def an_app_at_zero_is_a_true_zero():
    with World(("a", True, [])) as w:
        said, value = w.dry()
        equal((said["count"], value), (0, 42))


@case
def a_list_of_several_pages_is_read_to_its_end():
    with World(*[(f"r{i}", i > 2, [replica()]) for i in range(6)]) as w:
        w.arm.page = 2
        equal(w.dry()[0]["count"], 3)


@case
def a_next_page_elsewhere_gets_no_token():
    with World(("a", True, [replica()]), ("b", True, [replica()])) as w:
        w.arm.page, w.arm.away = 1, w.arm.url + ".example.com"
        said, value = w.dry(status=3)
        holds(said["reason"], "leads away")
        equal(value, None)


@case
def a_token_that_is_refused_is_fetched_anew_once():
    with World(("a", True, [replica()])) as w:
        w.arm.faults = [(401, "ExpiredAuthenticationToken")]
        equal(w.dry()[0]["count"], 1)
        equal(len(w.entra.tokens), 2)
        w.arm.faults = [(401, "ExpiredAuthenticationToken")] * 2
        holds(w.dry(status=3)[0]["reason"], "401 ExpiredAuthenticationToken")


@case
def refusals_are_told_with_the_mend_and_are_never_a_zero():
    with World(("a", True, [replica()])) as w:
        for fault, part in (((403, "AuthorizationFailed"), "the role Reader"),
                            ((429, "ResourceRequestsThrottled"), "429"),
                            ((503, "ServerBusy"), "503")):
            w.arm.faults = [fault]
            said, value = w.dry(status=3)
            holds(said["reason"], part, fault[1])
            equal(value, None)
            for token in w.entra.tokens:
                lacks(said["reason"], token)
        holds(w.dry(status=3, app=APP + "x")[0]["reason"], "ResourceNotFound", "resource_id")


@case
def what_is_no_container_app_is_a_fault_of_the_configuration():
    for key, value, part in (("resource_id", "/x", "containerApps/NAME"),
                             ("resource_id", APP + "/revisions/r", "containerApps/NAME"),
                             ("resource_id", APP.replace("rg", ".."), "containerApps/NAME"),
                             ("endpoint", "http://example.com", "write https"),
                             ("endpoint", "https://example.com/a", "without a path")):
        where = {"resource_id": APP, key: value}
        text = ", ".join(f'{k}: "{v}"' for k, v in where.items())
        path = config_file(f"""
scrape: {{jobs: [{{name: api, targets: ["http://127.0.0.1:1"]}}]}}
capacity: {{a: {{container_app: {{{text}}}}}}}
""")
        holds(expect(2, "check-config", path).err, part, "container_app." + key)


main()
