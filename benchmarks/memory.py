"""A million invocations in one process: nothing may be kept of them."""

from __future__ import annotations

from benchmarks.measure import Result, in_fresh_process

_INVOCATIONS = 1_000_000
_CODE = """
import json, sys, os
import clew
from benchmarks.lines import Context, IDS, to_nowhere

log = clew.get_logger("benchmark")
event = {
    "resource": "/posts", "httpMethod": "GET", "headers": IDS,
    "requestContext": {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"},
}

@clew.api_handler
def handler(event, context):
    log.debug("held for a failure")
    clew.bind(post=42)
    return {"statusCode": 200}

def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

context = Context()
with to_nowhere():
    for _ in range(20_000):
        handler(event, context)
    before = rss()
    for _ in range(int(sys.argv[1])):
        handler(event, context)
    after = rss()
print(json.dumps([before, after]))
"""


def run() -> list[Result]:
    """The growth of the resident set, after 20,000 invocations to warm up."""
    before, after = in_fresh_process(_CODE, str(_INVOCATIONS))
    grown = max(after - before, 0.0)
    return [
        Result(
            claim=f"{_INVOCATIONS:,} invocations in one process: growth of memory, in MB",
            ours=after,
            peer=before,
            peer_name="itself before",
            peer_version="",
            ratio=grown,
            target=5.0,
            met=grown < 5.0,
            unit="MB",
        )
    ]
