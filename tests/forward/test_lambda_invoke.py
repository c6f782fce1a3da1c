"""Lambda: the event that the other function gets."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from clew.forward.lambda_invoke import Invoke
from clew.forward.limits import LAMBDA_EVENT_PAYLOAD, LAMBDA_PAYLOAD

from .aws import unique
from .conftest import fields_of, only

if TYPE_CHECKING:
    import clew
    from clew.invocation import Invocation
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud

CODE = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("as asked")
    return {"event": event}
"""


@pytest.fixture(scope="module")
def functions(cloud: LocalCloud) -> Any:
    return cloud.client("lambda")


@pytest.fixture(scope="module")
def echo(functions: Any) -> str:
    """A function that answers with its event."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("index.py", CODE)
    name = unique("echo")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/x",
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    return name


def _event(answer: Any) -> Any:
    return json.loads(answer["Payload"].read())["event"]


@pytest.mark.parametrize("payload", [b'{"a": 1}', '{"a": 1}', bytearray(b'{"a": 1}')])
def test_the_event_carries_them(
    payload: Any, functions: Any, echo: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    answer = functions.invoke(FunctionName=echo, Payload=payload)
    sent = only(invocation.sent)
    assert _event(answer) == {"__context": fields_of(sent), "a": 1}
    assert (sent.service, sent.operation, sent.target) == ("lambda", "Invoke", echo)
    assert (sent.outcome, sent.status) == ("ok", 200)
    assert sent.position == {"invocationType": "RequestResponse"}


@pytest.mark.parametrize("more", [{}, {"Payload": b""}])
def test_an_invocation_without_a_payload_gets_one(
    more: Any, functions: Any, echo: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    answer = functions.invoke(FunctionName=echo, **more)
    assert _event(answer) == {"__context": fields_of(only(invocation.sent))}


def test_a_payload_that_is_a_file_goes_as_it_is_with_one_warning(
    functions: Any,
    echo: str,
    invocation: Invocation,
    in_force: clew.Correlation,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(2):
        answer = functions.invoke(FunctionName=echo, Payload=io.BytesIO(b'{"a": 1}'))
        assert _event(answer) == {"a": 1}
    assert [sent.carried for sent in invocation.sent] == [False, False]
    assert len(caplog.records) == 1


def test_a_function_that_fails_was_invoked(
    functions: Any, echo: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    answer = functions.invoke(FunctionName=echo, Payload=b'{"fail": true}')
    assert answer["FunctionError"]
    sent = only(invocation.sent)
    assert sent.outcome == "ok"
    assert sent.error.startswith("the function failed: ")


def test_a_dry_run_invokes_nothing(
    functions: Any, echo: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    functions.invoke(FunctionName=echo, InvocationType="DryRun", Payload=b"{}")
    assert invocation.sent == []


@pytest.mark.parametrize(
    ("kind", "limit"), [("Event", LAMBDA_EVENT_PAYLOAD), ("RequestResponse", LAMBDA_PAYLOAD)]
)
def test_a_payload_near_the_limit_is_not_pushed_over_it(
    kind: str, limit: int, in_force: clew.Correlation
) -> None:
    for spare, carried in ((1_000, True), (100, False)):
        given = b'{"pad":"%s"}' % (b"x" * (limit - 10 - spare))
        params = {"FunctionName": "f", "InvocationType": kind, "Payload": given}
        assert only(Invoke.stamp(params, in_force)).carried is carried
        assert len(params["Payload"]) <= limit


def test_a_durable_execution_started_again_has_the_same_payload(
    in_force: clew.Correlation,
) -> None:
    params = {"FunctionName": "f", "DurableExecutionName": "order-1", "Payload": b"{}"}
    first, again = dict(params), dict(params)
    Invoke.stamp(first, in_force)
    Invoke.stamp(again, in_force)
    assert first == again
    assert b"__context" in first["Payload"]
