"""Whatever is wrong with an event, its handler gets it, and a correlation is in force."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clew
from clew import capture
from clew.capture import EVENT_SOURCES, RECORD_SOURCES, SOURCES

from ..events import FIELDS, REQUEST_ID, Context
from .samples import SAMPLES, sent

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEP = "[" * 50_000
JUNK: list[Any] = [
    None,
    7,
    "text",
    "\ud800\x00\n",
    [None],
    {"": None},
    '{"__context": ',
    '{"__context": {}, "detail-type": 1, "detail": [], "Type": "Notification", "Message": 2}',
    '{"__context":' + DEEP,
    "84mawg==",  # begins as what the Kinesis Producer Library puts together
    "__context" * 20_000,
]
MISSING = object()


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each member and item of a JSON value."""
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for name, member in inner:
        yield (*path, name)
        yield from paths(member, (*path, name))


def changed(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    """``value`` with something else at ``path``, or nothing."""
    if not path:
        return junk
    copy = value.copy()
    if len(path) == 1 and junk is MISSING:
        copy.pop(path[0])
    else:
        copy[path[0]] = changed(value[path[0]], path[1:], junk)
    return copy


def use(event: Any) -> None:
    """Capture an event and look at everything that it gives."""
    delivery = capture(event, Context())
    assert delivery.correlation.id
    assert delivery.correlation.chain_length >= 1
    for record in delivery.records:
        assert record.correlation.id
        for name in dir(type(record)):
            if not name.startswith("_") and isinstance(getattr(type(record), name), property):
                getattr(record, name)
        repr(record)
    clew.s3_records(delivery)
    clew.alarm_in(delivery)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_member_that_is_something_else(name: str) -> None:
    event = sent(name)
    for path in paths(event):
        for junk in JUNK:
            use(changed(event, path, junk))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_member_that_is_not_there(name: str) -> None:
    """The handler runs, with the ids that are left or a fresh one."""

    @clew.handler
    def function(event: Any, context: Any) -> Any:
        return clew.current().id

    event = sent(name)
    for path in paths(event):
        without = changed(event, path, MISSING)
        use(without)
        assert function(without, Context())


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("number", [3, 300])
def test_a_batch_is_handed_over_whole(name: str, number: int) -> None:
    """However many records there are, and whatever stands among them."""
    event = sent(name)
    key = next((k for k in ("Records", "records", "messages") if k in event), None)
    if not isinstance(event, dict) or not isinstance(event.get(key), list):
        return
    [record] = event[key]
    event[key] = [record, None, "text", 7, {}, *[record] * number]
    delivery = capture(event, Context())
    assert len(delivery.records) == number + 5
    assert len({record.correlation.span_id for record in delivery.records}) == number + 5
    assert delivery.correlation.id == REQUEST_ID
    use(event)


_names = sorted(
    {
        *RECORD_SOURCES,
        *EVENT_SOURCES,
        *(member for member, _ in SOURCES),
        *("Records", "eventSource", "EventSource", "records", "detail", "source", "body"),
        *("Sns", "Message", "kinesis", "dynamodb", "NewImage", "headers", "multiValueHeaders"),
        *("requestPayload", "responseContext", "functionArn", "condition", "Input", "Execution"),
        *("messageAttributes", "attributes", "data", "value", "__context", "__context__"),
        *("eventType", "connectionId", "http", "elb", "version", "type", "authorizer", "lambda"),
        *FIELDS,
    }
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(_names),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_names), inner, max_size=5)
    ),
    max_leaves=25,
)


@settings(deadline=None)
@given(_json)
def test_any_json_at_all(event: Any) -> None:
    use(event)


@settings(deadline=None)
@given(_json)
def test_any_json_in_the_body_of_a_message(inner: Any) -> None:
    message = {"eventSource": "aws:sqs", "messageId": "1", "body": json.dumps(inner)}
    use({"Records": [message]})
    failed = {
        "ErrorCode": {"stringValue": "200"},
        "RequestID": {"stringValue": "1"},
    }
    use({"Records": [{**message, "messageAttributes": failed}]})
    use(
        {"requestContext": {"functionArn": "", "condition": ""}, "responseContext": 1}
        | {"requestPayload": inner}
    )
