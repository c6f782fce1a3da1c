"""Whatever comes in, is logged or is sent: nothing of clew's escapes, and every line is JSON.

Events of every known shape are broken in random places, and so are payloads, log calls and the
parameters of sends. A few examples by default, always the same; with ``CLEW_FUZZ=1`` (``make
fuzz``) many, and new ones every time.
"""

from __future__ import annotations

import copy
import json
import os
from typing import Any

import boto3
import pytest
import requests
from botocore.awsrequest import AWSResponse, HTTPHeaders
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import clew
from broken import (
    CALLS,
    CONTEXTS,
    NoText,
    OwnError,
    calls,
    contexts,
    events,
    fields,
    names,
    odd,
    payloads,
    scalars,
    texts,
    values,
)
from capture.events import Context, kinesis, with_context
from clew import payload, wire
from clew.capture import Record
from handlers.every import EVERY
from log.lines import invocation, logged

FUZZ = os.environ.get("CLEW_FUZZ") == "1"
some = settings(
    max_examples=5_000 if FUZZ else 100,
    derandomize=not FUZZ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
pytestmark = pytest.mark.timeout(900 if FUZZ else 60)
log = clew.get_logger("tests.robustness")
#: Handlers that have nothing to do where there are no records.
TAKE_RECORDS = ("sns", "kinesis", "dynamodb", "sqs", "kafka")


# ---- in


def look_at_everything(record: Record) -> None:
    """Ask a record for all that it has; only ``json()`` may raise, and only a `ValueError`."""
    for name in dir(type(record)):
        if not name.startswith("_") and isinstance(getattr(type(record), name), property):
            getattr(record, name)
    assert isinstance(record.data, bytes)
    assert all(isinstance(value, str) for value in record.position.values())
    if isinstance(record.payload, dict):
        assert not any(payload.has_context(record.payload, name) for name in CONTEXTS)
    try:
        found = record.json()
    except ValueError:
        return
    if isinstance(record, clew.KinesisRecord) and isinstance(found, dict):
        assert not any(payload.has_context(found, name) for name in CONTEXTS)


def is_sound(correlation: clew.Correlation) -> None:
    """What is in force may travel, and arrives whole."""
    assert wire.is_value(correlation.id)
    sent = correlation.outgoing("b" * 16)
    again = wire.check(sent.items())
    assert again.dropped == 0
    assert again.fields == dict(correlation)
    assert json.loads(correlation.as_context("b" * 16)) == sent


@some
@given(events(), contexts)
def test_any_event_is_captured(event: Any, context: Any) -> None:
    before = copy.deepcopy(event)
    with logged() as lines:
        delivery = clew.capture(event, context)
        is_sound(delivery.correlation)
        for record in delivery.records:
            look_at_everything(record)
            is_sound(record.correlation)
    assert same(event, before), "the event was changed"
    assert lines == [], "capture alone says nothing"


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, NaN being equal to itself."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one is other or one == other or (one != one and other != other)


@some
@given(st.sampled_from([*EVERY]), events(), contexts, st.booleans(), st.floats(0, 1), values)
def test_any_handler_takes_any_event(
    kind: str, event: Any, context: Any, fails: bool, rate: float, result: Any
) -> None:
    before = copy.deepcopy(event)
    calls: list[Any] = []

    def body(given: Any) -> Any:
        calls.append(given)
        is_sound(clew.current())
        log.debug("held or not %s", given, extra={"given": repr(type(given))})
        for record in given if isinstance(given, list) else [given]:
            if isinstance(record, Record):
                look_at_everything(record)
                record.logger.info("a record")
        if fails:
            raise OwnError
        return result

    handler = EVERY[kind][0](body, debug_sample_rate=rate)
    raised = False
    with logged() as lines:
        try:
            returned = handler(event, context)
        except OwnError:
            raised = True
    empty = isinstance(event, dict) and event.get("Records") == [] and kind in TAKE_RECORDS
    assert bool(calls) is not empty, "the handler did not get its event"
    assert raised is (fails and bool(calls))
    if not raised and kind == "direct":
        assert returned is result
    assert same(event, before), "the event was changed"
    wide = [line for line in lines if line["message"] == "invocation"]
    assert wide[0]["outcome"] == ("error" if raised else "ok")
    assert clew.current() == {}


@some
@given(payloads())
def test_a_handler_reads_the_senders_bytes(data: bytes) -> None:
    seen: list[clew.KinesisRecord] = []
    with logged():
        EVERY["kinesis"][0](seen.append)(kinesis(data), Context())
    (record,) = seen
    try:
        came = json.loads(data)
    except (ValueError, RecursionError):
        came = None
    contexts = [
        name for name in CONTEXTS if isinstance(came, dict) and payload.has_context(came, name)
    ]
    if contexts:
        rest = {name: value for name, value in came.items() if name not in contexts}
        assert same(json.loads(record.data), rest)
        assert same(record.payload, rest)
    else:
        assert record.data == data


# ---- the log


@some
@given(
    st.sampled_from(["debug", "info", "warning", "error", "exception", "critical"]),
    st.one_of(texts, odd),
    st.lists(odd, max_size=3),
    st.one_of(fields, fields, odd),
    st.sampled_from([None, True, KeyError("a"), OwnError(NoText()), (None, None, None)]),
    st.booleans(),
)
def test_anything_can_be_logged(
    level: str, message: Any, arguments: list[Any], extra: Any, exc_info: Any, debug: bool
) -> None:
    """Live, held and written on failure, and under a record's correlation."""

    def body(_: Any) -> None:
        keywords = {} if exc_info is None else {"exc_info": exc_info}
        getattr(log, level)(message, *arguments, extra=extra, **keywords)
        sent = with_context(b"{}", {"debug-log-enabled": str(debug).lower()})
        (another,) = clew.capture(kinesis(sent)).records
        getattr(another.logger, level)(message, *arguments, extra=extra, **keywords)
        raise OwnError(message)

    handler = EVERY["direct"][0](body, debug_sample_rate=float(debug))
    with logged() as lines, pytest.raises(OwnError):
        handler({"a": 1}, Context())
    wide = invocation(lines)
    mine = [line for line in lines if line["logger"] in ("tests.robustness", "clew.record")]
    held = level == "debug" and not debug
    assert len(mine) == (1 if held else 2), "the other record's is held for its own invocation"
    assert mine[0].get("flightRecorder", False) is held
    reserved = {"requestId", "function", "version", "coldStart"}
    assert {name: mine[0][name] for name in reserved} == {name: wide[name] for name in reserved}
    assert mine[0]["x-correlation-id"] == wide["x-correlation-id"]


@some
@given(st.dictionaries(st.text(st.characters(exclude_categories=[])), odd, max_size=6))
def test_anything_can_be_bound(ids: dict[str, Any]) -> None:
    with logged() as lines, clew.use(clew.capture({}, Context()).correlation) as before:
        bound = clew.bind(**ids)
        assert clew.current() is bound
        assert before.items() <= bound.items() or "id" in ids
        is_sound(bound)
    assert len(lines) <= 1


# ---- out


@pytest.fixture(scope="module")
def clients() -> dict[str, Any]:
    """Clients whose calls are answered before they leave the process."""

    def answer(request: Any, **_: Any) -> AWSResponse:
        body = b"<r/>" if "Action" in str(request.body) else b"{}"
        raw = type("Raw", (), {"stream": lambda self, **_: iter([body]), "read": lambda self: b""})
        return AWSResponse(request.url, 200, HTTPHeaders(), raw())

    session: Any = boto3.Session(
        aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-1"
    )
    made = {}
    for service in {service for service, _ in CALLS.values()}:
        made[service] = session.client(service)
        made[service].meta.events.register("before-send", answer)
    return made


def outcome(call: Any) -> tuple[Any, ...]:
    """What a call comes to: that it returns, or what it raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001
        return type(error), str(error)
    return ()


@some
@given(calls())
def test_a_call_of_boto3_ends_as_it_does_without_clew(
    clients: dict[str, Any], call: tuple[str, dict[str, Any]]
) -> None:
    name, params = call
    before = copy.deepcopy(params)
    method = getattr(clients[CALLS[name][0]], name)
    found: list[Any] = []
    with logged() as lines:
        EVERY["direct"][0](lambda _: found.append(outcome(lambda: method(**params))))({}, Context())
    assert same(params, before), "the user's own parameters were changed"
    assert found == [outcome(lambda: method(**params))]
    assert all(one["outcome"] in ("ok", "error", "pending") for one in invocation(lines)["sent"])


class Nowhere(requests.adapters.BaseAdapter):
    """Answers every request itself."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        response = requests.Response()
        response.request, response.status_code = request, 200
        response.url = request.url or ""
        return response

    def close(self) -> None:
        """Nothing is open."""


@some
@given(
    st.sampled_from(["GET", "post", "", None, b"PUT", "\n", 7]),
    st.sampled_from(["http://127.0.0.1/a?b#c", "http://u:p@127.0.0.1", "http://[::1", "x:"])
    | texts,
    st.none() | st.dictionaries(names | st.binary(max_size=5), texts | scalars, max_size=4),
)
def test_a_request_ends_as_it_does_without_clew(method: Any, url: Any, headers: Any) -> None:
    session = requests.Session()
    session.mount("http://", Nowhere())
    session.mount("https://", Nowhere())

    def call() -> None:
        session.request(method, url, headers=headers)

    before = copy.deepcopy(headers)
    found: list[Any] = []
    with logged():
        EVERY["direct"][0](lambda _: found.append(outcome(call)))({}, Context())
    assert same(headers, before)
    assert found == [outcome(call)]
