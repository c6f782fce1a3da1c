"""The quick way says of a line what the whole way says, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clew.stories.store import Entry
from clew.stories.store.batch import Batch, Known, prepare
from clew.stories.store.facts import INVOCATION, LINE, facts_of
from clew.stories.store.quick import common_of, quick

from .lines import request

HEAD = {"timestamp": "2026-01-01T00:00:00.000Z", "level": "INFO", "message": "m", "logger": "l"}
COMMON = {
    "requestId": "r-1",
    "function": "f",
    "version": "7",
    "coldStart": False,
    "x-correlation-id": "c-1",
    "traceId": "0" * 32,
}
REST = {"spanId": "1" * 16, "card": "visa"}

_TEXT = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ["", "{", "}", ":", '":', ",", '"', "\\", "c-1", "a b", "\x1f", "i" * 300, "\x7f", "\u2028"]
)
_SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | _TEXT
_NAMES = st.sampled_from(
    ["id", "span", "service", "target", "ids", "ms", "password", "a", "message", "outcome", ""]
)
_ENTRY = st.dictionaries(_NAMES, _TEXT | _SCALAR, max_size=4)
_VALUE = _SCALAR | _ENTRY | st.lists(_SCALAR | _ENTRY | st.lists(_ENTRY, max_size=2), max_size=3)
_MEMBER = st.tuples(
    st.sampled_from(
        [
            *(*HEAD, *COMMON, *REST, "x-correlation-user-id", "X-Correlation-Id", "user-agent"),
            *("parentSpanId", "exception", "received", "sent", "done", "source", "type", "record"),
            *("password", "own", "startedAt", "durationMs", "flightRecorder", "debug-log-enabled"),
        ]
    ),
    _VALUE,
)


def text_of(*members: tuple[str, Any]) -> str:
    told = [f"{json.dumps(n)}:{json.dumps(v, ensure_ascii=False)}" for n, v in members]
    return f"{{{','.join(told)}}}".replace(": ", ":").replace(", ", ",")


@st.composite
def messages(draw: st.DrawFn) -> str:
    """Lines like clew's, and some that only look so."""
    head: dict[str, Any] = dict(HEAD)
    if draw(st.booleans()):
        head |= {"message": "invocation", "logger": "clew"}
    if draw(st.integers(0, 3)) == 0:
        head |= draw(st.dictionaries(st.sampled_from(["level", "message", "logger"]), _VALUE))
    members: list[tuple[str, Any]] = [*head.items(), *COMMON.items(), *REST.items()]
    if head["message"] == "invocation":
        entries = st.lists(_ENTRY, max_size=3)
        members += [("outcome", "ok"), ("received", draw(entries)), ("sent", draw(entries))]
    members += draw(st.lists(st.tuples(st.sampled_from(["own", "exception"]), _VALUE), max_size=2))
    if draw(st.booleans()):
        for member in draw(st.lists(_MEMBER, max_size=3)):
            members.insert(draw(st.integers(0, len(members))), member)
    message = text_of(*members)
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(message)))
        message = message[:at] + draw(_TEXT) + message[at + draw(st.integers(0, 3)) :]
    return message


@given(messages())
@example('{"timestamp":"a","password":"hunter222","level":"INFO","message":"m","logger":"l",'
         '"requestId":"r","spanId":"s"}')  # fmt: skip
@example(text_of(*HEAD.items(), ("requestId", "r"), ("spanId", "s"), ("password", "hunter2")))
@example(text_of(*HEAD.items(), ("requestId", "r"), ("token", "x"), ("spanId", "s")))
@example(text_of(*HEAD.items(), ("requestId", "r"), ("spanId", "s"), ("requestId", "other")))
def test_both_ways_say_the_same(message: str) -> None:
    found = quick(message)
    common = common_of(found[0]) if found else None
    if found and common:
        facts = facts_of(message)
        assert facts.message == message
        assert (facts.kind, facts.level) == found[1:3]
        assert (facts.origin, facts.words) == (common, found[4])
        assert facts.others == found[3]


@given(st.lists(messages(), max_size=8), st.booleans())
def test_both_ways_give_the_same_rows(texts: list[str], again: bool) -> None:
    def stored(messages: list[str]) -> Any:
        batch = prepare([Entry(1, "g", "s", one) for one in messages], Known({}, 0, 0))
        names = dict(batch.names)
        origins = {
            one[0]: (*map(names.get, one[1:4]), one[4], _named(one[5], names))
            for one in batch.origins
        }
        ids = dict(batch.ids)
        lines = [
            (*line[:2], origins[line[2]], ids[line[2]], line[3], names.get(line[4]), *line[5:])
            for line in batch.lines
        ]
        return lines, batch.blocks, batch.words

    texts = texts * 2 if again else texts
    quickly = stored(texts)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("clew.stories.store.batch.quick", lambda _: None)
        assert stored(texts) == quickly


def _named(told: str, names: dict[int, str]) -> list[Any]:
    return [(names.get(int(one.partition("=")[0])), one.partition("=")[2])
            for one in told.split("\x1f") if one]  # fmt: skip


def test_lines_of_clew_go_the_quick_way() -> None:
    kinds = []
    for line in request("request-1"):
        found = quick(line.message)
        assert found is not None
        assert common_of(found[0]) is not None
        kinds.append(found[1])
    assert sorted(kinds) == [LINE, LINE, INVOCATION, INVOCATION]


def test_ids_of_other_requests_are_told_without_its_own() -> None:
    sent = [{"service": "sqs", "id": "c-1"}, {"service": "sqs", "id": "c-2"}, {"id": "c-3"}]
    head = HEAD | {"message": "invocation", "logger": "clew"}
    message = text_of(*head.items(), *COMMON.items(), ("spanId", "s"), ("sent", sent))
    found = quick(message)
    assert found is not None
    assert found[3] == ("c-2", "c-3") == facts_of(message).others
    known, batch = Known({}, 0, 0), Batch()
    first = known.origin_of_text("g", "s", found[0], found[3], batch)
    assert first != known.origin_of_text("g", "s", found[0], found[3], batch)
    assert batch.ids[0][1].split()[-2:] == ["c-2", "c-3"]


@pytest.mark.parametrize(
    "member",
    [("password", "hunter2"), ("x", {"token": "hunter2"}), ("x", [{"token": "hunter2"}])],
    ids=str,
)
def test_what_has_a_secret_goes_the_whole_way(member: tuple[str, Any]) -> None:
    before = quick(text_of(*HEAD.items(), *COMMON.items(), *REST.items()))
    assert before is not None
    assert quick(text_of(*HEAD.items(), *COMMON.items(), *REST.items(), member)) is None
    assert quick(text_of(member, *HEAD.items(), *COMMON.items(), *REST.items())) is None
    found = quick(text_of(*HEAD.items(), *COMMON.items(), member, *REST.items()))
    assert found is None or common_of(found[0]) is None
