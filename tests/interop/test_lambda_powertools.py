"""The real ``@dazn/lambda-powertools`` packages and clew in one estate, in both directions.

Node sends through the local cloud and clew captures; clew sends, with its context under the other
name, and Node's middleware captures.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.invocation import Invocation
from matrix import sends
from matrix.cell import TEMPLATE, World

from .node import HERE, Node, NodeIsMissingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud import LocalCloud

    Line = dict[str, Any]

pytestmark = pytest.mark.local_cloud

ADDED = {"x-correlation-user-id": "42", "x-correlation-order-id": "7"}
AGENT = "interop/1.0"
CHAIN = 3


@pytest.fixture(scope="session")
def node() -> Node:
    """Node, or a skip that says why not."""
    try:
        return Node.ready()
    except NodeIsMissingError as reason:
        pytest.skip(f"the Node peers cannot be run: {reason}")


@pytest.fixture(scope="module")
def world(cloud: LocalCloud) -> World:
    """The template of the matrix: one function behind everything."""
    return World(cloud, cloud.deploy(TEMPLATE, "interop"))


def lines_of(world: World) -> dict[str, list[Line]]:
    """The function's lines, by the id that they have."""
    found: dict[str, list[Line]] = {}
    for line in world.cloud.log_lines(world["Receive"]):
        if line.message.startswith("{"):
            parsed = json.loads(line.message)
            found.setdefault(parsed.get("x-correlation-id", ""), []).append(parsed)
    return found


def received(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["message"] == "received"]


# Node sends, clew captures.

#: What is sent by Node -> (the source, how many messages).
FROM_NODE = {
    "sns publish": ("aws:sns", 1),
    "sns publish, through sqs": ("aws:sqs", 1),
    "sqs sendMessage": ("aws:sqs", 1),
    "sqs sendMessageBatch": ("aws:sqs", 2),
    "kinesis putRecord": ("aws:kinesis", 1),
    "kinesis putRecords": ("aws:kinesis", 2),
    "firehose putRecord": ("aws:firehose", 1),
    "firehose putRecordBatch": ("aws:firehose", 2),
    "eventbridge putEvents": ("aws:events", 1),
    "lambda invoke": ("aws:lambda", 1),
    "lambda invoke, asynchronous": ("aws:lambda", 1),
    "step functions startExecution": ("aws:lambda", 1),
    "dynamodb put": ("aws:dynamodb", 1),
    "dynamodb update": ("aws:dynamodb", 1),
    "dynamodb batchWrite": ("aws:dynamodb", 2),
    "dynamodb transactWrite": ("aws:dynamodb", 1),
    "http": ("aws:apigateway", 1),
}


class Sent:
    """What Node sent, and what came of it."""

    def __init__(self, ids: dict[str, str], lines: dict[str, list[Line]]) -> None:
        self._ids = ids
        self._lines = lines

    def lines(self, name: str) -> list[Line]:
        return self._lines.get(self._ids[name], [])

    @property
    def complete(self) -> bool:
        return all(len(received(self.lines(name))) >= FROM_NODE[name][1] for name in FROM_NODE)


@pytest.fixture(scope="module")
def from_node(node: Node, world: World, until: Callable[..., Any]) -> Sent:
    """Everything that Node can send, sent."""
    ids = {name: f"node-{uuid.uuid4().hex[:12]}" for name in FROM_NODE}
    said = node.run(
        "send.js",
        {
            "endpoint": world.cloud.endpoint_url,
            "region": world.cloud.region,
            "topic": world["Topic"],
            "topicToQueue": world["ToQueue"],
            "queue": world["Queue"],
            "stream": world["Stream"],
            "firehose": world["Firehose"],
            "bus": world["Bus"],
            "function": world["Receive"],
            "machine": world["Straight"],
            "table": world["Items"],
            "url": world.url("REST API"),
            "ids": ids,
            # As the middleware leaves it: the chain length is a number.
            "context": {
                **ADDED,
                "User-Agent": AGENT,
                "debug-log-enabled": "true",
                "call-chain-length": CHAIN,
                "awsRequestId": "of-node",
            },
        },
    )
    assert said["failed"] == {}
    assert set(said["known"]) == set(FROM_NODE), "every client of Node's is tried"

    def complete() -> Sent | None:
        sent = Sent(ids, lines_of(world))
        return sent if sent.complete else None

    found: Sent = until(complete, "all that Node sent has been received", timeout_s=30)
    return found


@pytest.mark.parametrize("name", FROM_NODE)
def test_clew_captures_what_node_sends(name: str, from_node: Sent) -> None:
    source, count = FROM_NODE[name]
    lines = from_node.lines(name)
    came = received(lines)
    assert len(came) == count
    for line in came:
        assert line["source"] == source
        assert line.items() >= ADDED.items()
        assert line["user-agent"] == AGENT
        assert line["debug-log-enabled"] == "true"
        assert line["call-chain-length"] == str(CHAIN + 1)
    assert sum(line["message"] == "in detail" for line in lines) == count, "DEBUG is on"


# clew sends, Node captures.

#: What is sent by clew, and how.
FROM_CLEW = {
    "sns Publish": sends.publish("Topic"),
    "sns PublishBatch": sends.publish_batch("Topic"),
    "sns Publish, through sqs": sends.publish("ToQueue"),
    "sns Publish, raw through sqs": sends.publish("ToQueueRaw"),
    "sqs SendMessage": sends.send_message(),
    "sqs SendMessageBatch": sends.send_message_batch,
    "kinesis PutRecord": sends.put_record,
    "kinesis PutRecords": sends.put_records,
    "firehose PutRecord": sends.firehose_put,
    "firehose PutRecordBatch": sends.firehose_put_batch,
    "eventbridge PutEvents": sends.put_events("straight"),
    "lambda Invoke": sends.invoke("RequestResponse"),
    "lambda Invoke, asynchronous": sends.invoke("Event"),
    "step functions StartExecution": sends.start_execution("Straight"),
    "dynamodb PutItem": sends.put_item,
    "dynamodb UpdateItem": sends.update_item,
    "dynamodb BatchWriteItem": sends.batch_write_item,
    "dynamodb TransactWriteItems": sends.transact_write_items,
}


def send(correlation_id: str, how: Callable[[World], None], world: World) -> int:
    """Send under a correlation; how many messages it was."""
    fields = {
        "x-correlation-id": correlation_id,
        **ADDED,
        "debug-log-enabled": "true",
        "user-agent": AGENT,
        "call-chain-length": str(CHAIN),
    }
    invocation = Invocation("interop", {}, None)
    with clew.use(clew.Correlation(fields, invocation=invocation)):
        how(world)
    return len(invocation.sent)


@pytest.fixture(scope="module")
def from_clew(node: Node, world: World, until: Callable[..., Any]) -> dict[str, list[Line]]:
    """Everything that clew can send, sent, and what Node's middleware captured of each event."""
    ids = {name: f"clew-{uuid.uuid4().hex[:12]}" for name in FROM_CLEW}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEW_CONTEXT_FIELD", "__context__")
        patch.setenv("CLEW_FORWARD_TABLES", world["Items"])
        clew.instrument()
        counts = {name: send(ids[name], how, world) for name, how in FROM_CLEW.items()}
        clew.uninstrument()

    def delivered() -> list[Any] | None:
        lines = lines_of(world)
        came = {name: received(lines.get(ids[name], [])) for name in FROM_CLEW}
        if any(len(came[name]) < counts[name] for name in FROM_CLEW):
            return None
        whole = {json.dumps(line["event"]): line["event"] for name in came for line in came[name]}
        return list(whole.values())

    events = until(delivered, "all that clew sent has been received", timeout_s=30)
    captured = [one for found in node.run("capture.js", events) for one in found]
    return {
        name: [one for one in captured if one["x-correlation-id"] == ids[name]]
        for name in FROM_CLEW
    }


@pytest.mark.parametrize("name", FROM_CLEW)
def test_nodes_middleware_captures_what_clew_sends(
    name: str, from_clew: dict[str, list[Line]]
) -> None:
    assert from_clew[name], "it captured the id"
    for captured in from_clew[name]:
        assert_captured(captured)


def assert_captured(captured: Line) -> None:
    assert captured.items() >= ADDED.items()
    assert captured["User-Agent"] == AGENT
    assert captured["debug-log-enabled"] == "true"
    assert captured["call-chain-length"] == CHAIN + 1


@pytest.mark.parametrize("client", [sends.by_requests, sends.by_httpx, sends.by_http_client])
def test_nodes_middleware_captures_what_clew_requests(
    client: Callable[[str], int], node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """API Gateway hands headers over as they were written; the emulator makes them lower case."""
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    written: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            written.update(self.headers.items())
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    monkeypatch.setenv("CLEW_CONTEXT_FIELD", "__context__")
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        clew.instrument()
        try:
            send("by-http", lambda _: None if client(url) == 200 else pytest.fail(url), None)  # type: ignore[arg-type]
        finally:
            clew.uninstrument()
            thread.join()
    event = {
        "httpMethod": "GET",
        "headers": written,
        "requestContext": {"requestId": "of-api-gateway"},
    }
    ((captured,),) = node.run("capture.js", [event])
    assert captured["x-correlation-id"] == "by-http"
    assert_captured(captured)


def test_the_lock_file_names_no_registry() -> None:
    """Whoever runs this has a registry of their own."""
    packages = json.loads((HERE / "package-lock.json").read_text("utf-8"))["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all("integrity" in package for name, package in packages.items() if name)
