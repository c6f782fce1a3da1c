"""From an event to a sink: every way of delivery, dead letters, and what comes again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import jsonschema  # type: ignore[import-untyped]
import pytest

import clew
import clew.streams
from clew.shipping import handlers
from clew.shipping.errors import ShippingError
from clew.shipping.function import answer, own_groups_of, packages_of, ship
from clew.shipping.settings import read_address
from clew.shipping.sinks import open_sink
from clew.shipping.unpack import batches
from clew.streams import clients
from clew.streams.envelope import unseal
from clew.streams.failure import NotAnEnvelope
from clew.streams.policy import dead_letter

from . import protocols
from .making import GROUP, batch, clew_line, event, text_of
from .server import Answer, Request, in_turn, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.localcloud import LocalCloud

OWN = "/aws/lambda/ship"
SCHEMA = json.loads(
    (Path(clew.streams.__file__).parent / "dead-letter.schema.json").read_text("utf-8")
)


class Context:
    aws_request_id = "0b9af643-d073-4992-a7e3-33446fa39a3a"
    function_name = "ship"
    function_version = "$LATEST"

    def __init__(self, left_ms: int = 60_000) -> None:
        self._left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        return self._left_ms


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Sets the function's environment; each time another process, as it were."""

    def set_(**values: str) -> None:
        own = {"AWS_LAMBDA_FUNCTION_NAME": "ship", "CLEW_FORWARD": "off"}  # as in the template
        for name, value in {**own, **values}.items():
            monkeypatch.setenv(name, value)
        handlers._tools.cache_clear()

    yield set_
    handlers._tools.cache_clear()
    clew.uninstrument()  # the hooks know that forwarding was off


@pytest.fixture
def queue(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a queue, which the function's own clients reach."""
    for name, value in {
        "AWS_ENDPOINT_URL": cloud.endpoint_url, "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": cloud.region,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    clients.forget()
    url: str = cloud.client("sqs").create_queue(QueueName=f"dead-{uuid4().hex[:8]}")["QueueUrl"]
    yield url
    clients.forget()


def kinesis(*packed: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventSource": "aws:kinesis",
                "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/logs",
                "kinesis": {"data": data, "sequenceNumber": str(n), "partitionKey": "p"},
            }
            for n, data in enumerate(packed)
        ]
    }


def firehose(*packed: str) -> dict[str, Any]:
    return {
        "invocationId": "i",
        "deliveryStreamArn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/logs",
        "records": [{"recordId": f"r{n}", "data": data} for n, data in enumerate(packed)],
    }


def letters(cloud: LocalCloud, queue: str) -> list[Any]:
    found = cloud.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [unseal(one["Body"]) for one in found.get("Messages", [])]


def test_every_way_of_delivery(environment: Callable[..., None]) -> None:
    got: list[str] = []

    def push(request: Request) -> Answer:
        got.extend(text for _, _, text, _ in protocols.loki(request))
        return Answer(204, b"")

    packed = [text_of(batch("one")), text_of(batch("two"), batch("three"))]
    with serving(push) as server:
        environment(CLEW_SHIP_TO=f"loki+http://127.0.0.1:{server.port}")
        assert handlers.ship(event(batch("one", clew_line())), Context()) == {
            "lines": 2, "sent": 2, "requests": 1, "deadLetters": 0,
        }  # fmt: skip
        assert handlers.ship(kinesis(*packed), Context()) == {"batchItemFailures": []}
        said = handlers.ship(firehose(*packed), Context())
        assert said["records"] == [
            {"recordId": f"r{n}", "result": "Ok", "data": data} for n, data in enumerate(packed)
        ]
    assert sorted(got) == sorted(["one", clew_line(), *["one", "two", "three"] * 2])
    assert all("x-correlation-id" not in one.headers for one in server.requests)


@pytest.mark.parametrize("wrong", [None, [], {}, {"Records": []}, {"Records": [{"Sns": {}}]}])
def test_another_event_is_said(wrong: Any) -> None:
    with pytest.raises(ShippingError, match="is none of a log subscription's"):
        handlers.ship(wrong, Context())


def test_what_could_not_be_shipped_comes_again(environment: Callable[..., None]) -> None:
    with serving(in_turn(Answer(401, b""))) as server:
        environment(CLEW_SHIP_TO=f"loki+http://127.0.0.1:{server.port}")
        with pytest.raises(ShippingError, match=r"have to come again: .* answered 401"):
            handlers.ship(event(batch("one")), Context())
        packed = [text_of(batch("one")), text_of(batch("two"))]
        assert handlers.ship(kinesis(*packed), Context()) == {
            "batchItemFailures": [{"itemIdentifier": "0"}]
        }
        with pytest.raises(ShippingError):
            handlers.ship(firehose(*packed), Context())


def test_only_what_is_behind_the_failure_comes_again() -> None:
    def push(request: Request) -> Answer:
        bad = any("two" in text for _, _, text, _ in protocols.loki(request))
        return Answer(400, b"no") if bad else Answer(204, b"")

    kind, packages = packages_of(kinesis(*(text_of(batch(each)) for each in ("one", "two", "3"))))
    with serving(push) as server:
        sink = open_sink(read_address(f"loki+http://127.0.0.1:{server.port}"))
        done = ship(packages, sink, own_groups=frozenset())
    assert (done.sent, done.failed) == (2, {1})
    assert answer(kind, packages, done) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_the_end_of_the_time_is_respected(environment: Callable[..., None]) -> None:
    busy = Answer(503, b"", (("Retry-After", "30"),))
    with serving(in_turn(busy)) as server:
        environment(CLEW_SHIP_TO=f"loki+http://127.0.0.1:{server.port}")
        with pytest.raises(ShippingError, match="answered 503"):
            handlers.ship(event(batch("one")), Context(3_000))
        assert len(server.requests) == 1
        with pytest.raises(ShippingError, match="the time is nearly up"):
            handlers.ship(event(batch("one")), Context(300))
        assert len(server.requests) == 1


@pytest.mark.local_cloud
def test_what_is_refused_for_good_is_a_dead_letter(
    environment: Callable[..., None], cloud: LocalCloud, queue: str
) -> None:
    def push(request: Request) -> Answer:
        bad = any("bad" in text for _, _, text, _ in protocols.loki(request))
        return Answer(400, b"stream has too many labels") if bad else Answer(204, b"")

    came = [batch("good", "bad", "fine", "bad too"), batch("bad", group="/aws/lambda/other")]
    with serving(push) as server:
        environment(
            CLEW_SHIP_TO=f"loki+http://127.0.0.1:{server.port}", CLEW_SHIP_DEAD_LETTER=queue
        )
        said = handlers.ship(event(*came), Context())
        assert (said["lines"], said["sent"], said["deadLetters"]) == (5, 2, 2)
        found = sorted(letters(cloud, queue), key=lambda one: str(one.members["origin"]))
        letter = next(one for one in found if one.members["origin"]["logGroup"] == GROUP)
        assert "stream has too many labels" in letter.members["error"]["message"]
        jsonschema.validate(letter.members, SCHEMA)
        assert letter.source == "aws:logs"
        assert letter.function == "ship"
        assert letter.members["origin"]["lines"] == "2"
        (kept,) = batches(letter.payload)
        assert kept == {
            **came[0], "logEvents": [came[0]["logEvents"][1], came[0]["logEvents"][3]],
        }  # fmt: skip
    # And the function takes it again, once the sink does.
    with serving(in_turn(Answer(204, b""))) as server:
        environment(CLEW_SHIP_TO=f"loki+http://127.0.0.1:{server.port}")
        assert handlers.ship(letter.event(), Context())["sent"] == 2
    with pytest.raises(NotAnEnvelope, match="is a whole event"):
        letter.record()


@pytest.mark.local_cloud
def test_what_is_unreadable_is_a_dead_letter_or_comes_again(
    environment: Callable[..., None], cloud: LocalCloud, queue: str
) -> None:
    with serving(in_turn(Answer(204, b""))) as server:
        to = f"loki+http://127.0.0.1:{server.port}"
        environment(CLEW_SHIP_TO=to)
        broken = {"awslogs": {"data": text_of(batch("one"))[:40]}}
        with pytest.raises(ShippingError, match="ends in the middle"):
            handlers.ship(broken, Context())
        environment(CLEW_SHIP_TO=to, CLEW_SHIP_DEAD_LETTER=queue)
        mixed = kinesis("????", text_of(batch("one")))
        assert handlers.ship(mixed, Context()) == {"batchItemFailures": []}
        assert len(server.requests) == 1
    (letter,) = letters(cloud, queue)
    assert "no base64" in letter.members["error"]["message"]
    # A dead letter that cannot be written lets all of it come again.
    kind, packages = packages_of(kinesis("????"))
    gone: Any = dead_letter(f"{queue}-gone")
    done = ship(packages, open_sink(read_address(to)), own_groups=frozenset(), policy=gone)
    assert done.failed == {0}
    assert "and no dead letter of it" in done.why
    assert answer(kind, packages, done) == {"batchItemFailures": [{"itemIdentifier": "0"}]}


@pytest.mark.local_cloud
def test_its_own_log_is_never_shipped_and_its_subscription_ended(
    environment: Callable[..., None], cloud: LocalCloud, queue: str
) -> None:
    name = f"ship-{uuid4().hex[:8]}"
    own, logs = f"/aws/lambda/{name}", cloud.client("logs")
    logs.create_log_group(logGroupName=own)
    for filter_ in ("clew", "another"):
        logs.put_subscription_filter(
            logGroupName=own, filterName=filter_, filterPattern="",
            destinationArn=f"arn:aws:lambda:us-east-1:000000000000:function:{name}-x",
        )  # fmt: skip
    with serving(in_turn(Answer(204, b""))) as server:
        environment(
            CLEW_SHIP_TO=f"loki+http://127.0.0.1:{server.port}", AWS_LAMBDA_FUNCTION_NAME=name
        )
        said = handlers.ship(event(batch("around", group=own), batch("one")), Context())
        assert (said["lines"], said["sent"]) == (1, 1)
    left = logs.describe_subscription_filters(logGroupName=own)["subscriptionFilters"]
    assert [one["filterName"] for one in left] == ["another"]
    logs.delete_log_group(logGroupName=own)


def test_nothing_is_added_to_what_is_shipped() -> None:
    """In a function; where the module is only imported, the switch stays as it was."""
    code = "import os, clew.shipping.handlers; print(os.environ.get('CLEW_FORWARD'))"
    for more, said in (({"AWS_LAMBDA_FUNCTION_NAME": "ship"}, "off"), ({}, "None")):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True, text=True, check=True, env={"PATH": "", **more},
        )  # fmt: skip
        assert done.stdout.strip() == said


def test_its_own_log_groups() -> None:
    named = {"AWS_LAMBDA_FUNCTION_NAME": "ship", "AWS_LAMBDA_LOG_GROUP_NAME": "/shared"}
    assert own_groups_of(named) == {OWN, "/shared"}
    assert own_groups_of({}) == frozenset()


def test_the_log_says_nothing_of_what_is_shipped(
    environment: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(in_turn(Answer(401, b""))) as server:
        to = f"loki+http://me:hunter2-hunter2@127.0.0.1:{server.port}?env=x"
        environment(CLEW_SHIP_TO=to, CLEW_SHIP_TOKEN="a-token-0123456789")
        with pytest.raises(ShippingError):
            handlers.ship(event(batch(clew_line("what nobody else may read"))), Context())
    said = capsys.readouterr().out
    rows = [json.loads(row) for row in said.splitlines()]
    assert [row["message"] for row in rows if row["logger"] == "clew.shipping"] == [
        "logs were not shipped"
    ]
    assert rows[-1]["message"] in ("invocation", "the event of the failed invocation")
    for secret in ("hunter2", "a-token", "nobody else", "order-1"):
        assert secret not in said
