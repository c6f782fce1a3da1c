"""X-Ray: its header comes in and is named in every line, clew never writes it, its SDK works."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests

from .functions import Functions, http_event

if TYPE_CHECKING:
    from forward.server import Server

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
HEADER = f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1"
TRACE = "5759e988bd862e3fe1be46a994272793"


def test_every_line_names_the_trace_and_nothing_that_is_sent_has_the_header(
    functions: Functions, server: Server
) -> None:
    def handler(event: Any, _: Any) -> Any:
        return requests.get(server.url(), timeout=5).json()

    received = functions.invoke("a", handler, http_event({"X-Amzn-Trace-Id": HEADER}))
    assert {line["xrayTraceId"] for line in functions.lines} == {ROOT}
    assert {line["traceId"] for line in functions.lines} == {TRACE}
    assert "x-amzn-trace-id" not in received["names"]
    assert received["headers"]["traceparent"].startswith(f"00-{TRACE}-")


#: A function that X-Ray's SDK traces: requests, the standard library's client and botocore.
PROGRAM = """
import json, os, sys
import boto3, requests, http.client
from urllib.parse import urlsplit
from aws_xray_sdk.core import patch, xray_recorder
import clew

class Kept:
    def __init__(self): self.segments = []
    def send_entity(self, entity): self.segments.append(json.loads(entity.serialize()))
    def set_daemon_address(self, address): pass

kept, url, order = Kept(), sys.argv[1], sys.argv[2]
xray_recorder.configure(service="a", sampling=False, emitter=kept)
if order == "clew first":
    clew.instrument()
patch(("requests", "httplib", "botocore"))

@clew.handler
def handler(event, context):
    xray_recorder.begin_segment("a", traceid=event["root"])
    by_requests = requests.get(url, timeout=5).json()
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    with xray_recorder.in_subsegment("work"):  # without one its patch adds no header
        connection.request("GET", "/plain", headers={})
        plain = json.loads(connection.getresponse().read())
    connection.close()
    sqs = boto3.client("sqs", endpoint_url=url, region_name="us-east-1",
                       aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="none")
    try:
        sqs.send_message(QueueUrl=url, MessageBody="hello")
    except Exception:
        pass  # it is no queue; what was sent is looked at
    xray_recorder.end_segment()
    return [by_requests, plain]

os.environ["_X_AMZN_TRACE_ID"] = f"Root={sys.argv[3]};Parent=53995c3f42cd8ad8;Sampled=1"
answers = handler({"root": sys.argv[3]}, None)
os.write(2, json.dumps([answers, kept.segments]).encode())
"""


@pytest.mark.skipif(
    importlib.util.find_spec("aws_xray_sdk") is None, reason="aws-xray-sdk is not installed"
)
@pytest.mark.parametrize("order", ["clew first", "X-Ray first"])
def test_its_sdk_works_beside_clew(order: str, server: Server) -> None:
    """In a process of its own: the SDK cannot take all of its patches out again."""
    server.received.clear()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, server.url("/"), order, ROOT],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers, segments = json.loads(done.stderr)
    wide = json.loads(done.stdout.splitlines()[-1])
    for answer in answers:
        assert answer["names"].count("x-amzn-trace-id") == 1
        assert answer["headers"]["x-amzn-trace-id"].startswith(f"Root={ROOT}")
        assert answer["names"].count("traceparent") == 1
        assert answer["headers"]["traceparent"].startswith(f"00-{TRACE}-")
    (segment,) = segments
    assert segment["trace_id"] == ROOT
    assert {one["name"] for one in segment["subsegments"]} >= {"127.0.0.1", "work", "sqs"}
    assert wide["xrayTraceId"] == ROOT
    assert [one["operation"] for one in wide["sent"]] == ["GET", "GET", "SendMessage"]
    (message,) = (one for one in server.received if "x-amz-target" in one["headers"])
    assert "x-correlation-id" in json.loads(message["body"])["MessageAttributes"]
