"""Values, events, log calls and calls of boto3: of every known shape, broken in random places."""

from __future__ import annotations

import copy
import json
import logging
from base64 import b64decode, b64encode
from typing import Any

from hypothesis import strategies as st

from capture.events import (
    FIELDS,
    Context,
    attributes,
    http_api,
    kinesis,
    packed,
    rest_api,
    sns,
    with_context,
)
from capture.sources.samples import SAMPLES
from clew import wire

names = st.one_of(
    st.sampled_from([*FIELDS, "tracestate", "clew-context", "__context", "__context__"]),
    st.sampled_from(["Records", "headers", "requestContext", "httpMethod", "resource", "version"]),
    st.sampled_from(["kinesis", "data", "Sns", "Message", "MessageAttributes", "Value", "body"]),
    st.text(st.characters(exclude_categories=[]), max_size=8),
)
texts = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=20),
    st.sampled_from(["true", "false", "2.0", "-1", "9999", FIELDS["traceparent"], "%%%", "e30="]),
    st.sampled_from(["a" * 257, "a" * 100_000, "\x1b[2J", "\n", "\u202e", "{" * 5_000, '{"a":1}']),
    st.binary(max_size=40).map(lambda data: b64encode(data).decode()),
)
json_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(10**4_000), st.floats(), texts
)
scalars = json_scalars | st.binary(max_size=20)


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Lists and dicts of ``leaves``."""
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
        max_leaves=10,
    )


json_values = nested(json_scalars)
values = nested(scalars)


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    """A record's bytes: JSON with a context, and then some of it broken."""
    data = with_context(b'{"a": 1, "b": [true]}', FIELDS, draw(st.sampled_from(CONTEXTS)))
    kind = draw(st.sampled_from(["whole", "cut", "changed", "other", "any"]))
    if kind == "cut":
        return data[: draw(st.integers(0, len(data)))]
    if kind == "changed":
        at = draw(st.integers(0, len(data) - 1))
        return data[:at] + draw(st.binary(max_size=3)) + data[at + 1 :]
    if kind == "other":
        return json.dumps({"a": 1, draw(st.sampled_from(CONTEXTS)): draw(json_values)}).encode()
    return draw(st.binary(max_size=60)) if kind == "any" else data


CONTEXTS = wire.CONTEXT_ALIASES


@st.composite
def events(draw: st.DrawFn) -> Any:
    """An event of one of the known shapes, broken in up to five places; now and then any value."""
    kind = draw(st.sampled_from([*SHAPES, "any"]))
    if kind == "any":
        return draw(json_values)
    event = copy.deepcopy(SHAPES[kind])
    if kind == "kinesis":
        for record in event["Records"]:
            record["kinesis"]["data"] = b64encode(draw(payloads())).decode()
    for _ in range(draw(st.integers(0, 5))):
        break_somewhere(draw, event, json_values)
    return event


SHAPES: dict[str, Any] = {
    "rest api": rest_api(dict(FIELDS)),
    "http api": http_api(dict(FIELDS)),
    "sns": sns("hello", attributes(FIELDS)),
    "sns packed": sns("hello", packed(json.dumps(FIELDS))),
    "kinesis": kinesis(b"{}", b"{}", b"{}"),
    "direct": {"a": {"b": [1]}, "__context": dict(FIELDS)},
    "node": {"a": {"b": [1]}, "__context__": {**FIELDS, "call-chain-length": 2}},
    **{f"sample {name}": sample.make(dict(FIELDS)) for name, sample in SAMPLES.items()},
}


def break_somewhere(draw: st.DrawFn, value: Any, members: st.SearchStrategy[Any]) -> None:
    """Replace, take away or add one member, somewhere in ``value`` or in JSON inside of it."""
    containers = [found for found in walk(value) if found]
    if not containers:
        return
    inside = draw(st.sampled_from(containers))
    key = draw(st.sampled_from(list(inside) if isinstance(inside, dict) else range(len(inside))))
    change = draw(st.sampled_from(["replace", "replace", "inside", "inside", "remove", "add"]))
    if change == "remove":
        del inside[key]
    elif change == "inside" and isinstance(inside[key], str):
        inside[key] = broken_text(draw, inside[key])
    elif change != "add":
        inside[key] = draw(members)
    elif isinstance(inside, dict):
        inside[draw(names)] = draw(members)
    else:
        inside.insert(key, draw(members))


def broken_text(draw: st.DrawFn, text: str) -> str:
    """``text``, of which a member is broken if it is JSON, plain or in base64; else a letter."""
    for opened, closed in ((str, str), (b64decode, lambda done: b64encode(done.encode()).decode())):
        try:
            value = json.loads(opened(text))
        except ValueError:
            continue
        if isinstance(value, dict | list):
            break_somewhere(draw, value, json_values)
            return closed(json.dumps(value))
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.text(st.characters(exclude_categories=[]), max_size=2)) + text[at:]


def walk(value: Any) -> list[Any]:
    """Every list and dict in ``value``."""
    if not isinstance(value, dict | list):
        return []
    inner = value.values() if isinstance(value, dict) else value
    return [value, *(found for one in inner for found in walk(one))]


class Broken:
    """A context whose every attribute raises."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


contexts: st.SearchStrategy[Any] = st.sampled_from([None, Context(), Broken(), "text", {}])


class OwnError(Exception):
    """An error of the user's."""


class NoText:
    """A value that has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def circle() -> Any:
    """A value that contains itself, several times."""
    around: dict[str, Any] = {"a": []}
    around["a"] += [around] * 5
    return around


odd = st.one_of(
    values,
    st.builds(object),
    st.builds(NoText),
    st.builds(circle),
    st.sampled_from([{1, 2}, frozenset(), (1, (2,)), 1j, Ellipsis, NotImplemented, logging, int]),
    st.dictionaries(scalars, values, max_size=3),
)
fields = st.dictionaries(
    st.one_of(
        names, st.sampled_from(["message", "name", "level", "level_", "password", "args", "extra"])
    ),
    odd,
    max_size=5,
)

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "publish": ("sns", {"TopicArn": "arn:aws:sns:eu-west-1:1:topic", "Message": "hello"}),
    "publish_batch": (
        "sns",
        {
            "TopicArn": "arn:aws:sns:eu-west-1:1:topic",
            "PublishBatchRequestEntries": [{"Id": "1", "Message": "hello"}],
        },
    ),
    "put_record": ("kinesis", {"StreamName": "s", "PartitionKey": "1", "Data": b'{"a":1}'}),
    "put_records": (
        "kinesis",
        {
            "StreamName": "s",
            "Records": [
                {"PartitionKey": "1", "Data": b'{"a":1}'},
                {"PartitionKey": "2", "Data": b"x"},
            ],
        },
    ),
    "invoke": ("lambda", {"FunctionName": "f", "Payload": b'{"a":1}'}),
    "describe_stream": ("kinesis", {"StreamName": "s"}),
}


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A call of boto3, and parameters of it that the user got wrong."""
    name = draw(st.sampled_from(list(CALLS)))
    params = copy.deepcopy(CALLS[name][1])
    for _ in range(draw(st.integers(0, 4))):
        break_somewhere(draw, params, values)
    return name, params
