"""Step Functions: the input that an execution was started with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.forward.limits import STEP_FUNCTIONS_INPUT
from clew.forward.step_functions import StartExecution, StartSyncExecution

from .aws import unique
from .conftest import FIELDS, TRACE, fields_of, only

if TYPE_CHECKING:
    from clew.invocation import Invocation
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud

PASS = json.dumps({"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}})


@pytest.fixture(scope="module")
def states(cloud: LocalCloud) -> Any:
    return cloud.client("stepfunctions")


@pytest.fixture(scope="module")
def machine(states: Any) -> str:
    made: str = states.create_state_machine(
        name=unique("machine"), definition=PASS, roleArn="arn:aws:iam::000000000000:role/x"
    )["stateMachineArn"]
    return made


def test_an_execution_carries_them_in_its_input(
    states: Any, machine: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    answer = states.start_execution(stateMachineArn=machine, input='{ "a": 1 }')
    sent = only(invocation.sent)
    given = json.loads(states.describe_execution(executionArn=answer["executionArn"])["input"])
    assert given == {"__context": fields_of(sent), "a": 1}
    assert (sent.service, sent.operation) == ("stepfunctions", "StartExecution")
    assert sent.target == machine
    assert sent.position == {"executionArn": answer["executionArn"]}


def test_an_execution_without_an_input_gets_one(
    states: Any, machine: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    answer = states.start_execution(stateMachineArn=machine)
    given = json.loads(states.describe_execution(executionArn=answer["executionArn"])["input"])
    assert given == {"__context": fields_of(only(invocation.sent))}


def test_an_input_that_is_no_object_goes_as_it_is(
    states: Any, machine: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    answer = states.start_execution(stateMachineArn=machine, input="[1]")
    assert states.describe_execution(executionArn=answer["executionArn"])["input"] == "[1]"
    assert not only(invocation.sent).carried


def test_started_again_under_its_name_the_input_is_the_same(invocation: Invocation) -> None:
    """A function that is tried again starts its execution again, and the service knows it."""
    inputs = []
    for _ in range(2):
        correlation = clew.Correlation(FIELDS, trace_id=TRACE, invocation=invocation)
        params = {"stateMachineArn": "arn:m", "name": "order-1", "input": '{"a":1}'}
        StartExecution.stamp(params, correlation)
        inputs.append(params["input"])
    assert inputs[0] == inputs[1]
    other = {"stateMachineArn": "arn:m", "name": "order-2", "input": '{"a":1}'}
    StartExecution.stamp(other, correlation)
    assert other["input"] != inputs[0]


def test_an_input_near_the_limit_is_not_pushed_over_it(in_force: clew.Correlation) -> None:
    given = '{"pad":"%s"}' % ("é" * (STEP_FUNCTIONS_INPUT // 2 - 20))
    params = {"stateMachineArn": "arn:m", "input": given}
    assert not only(StartExecution.stamp(params, in_force)).carried
    assert params["input"] == given


def test_an_express_execution_that_failed_was_started_all_the_same(
    in_force: clew.Correlation,
) -> None:
    params = {"stateMachineArn": "arn:m", "input": "{}"}
    for parsed, error in (
        ({"executionArn": "arn:e", "status": "SUCCEEDED"}, ""),
        (
            {"executionArn": "arn:e", "status": "FAILED", "error": "Oops", "cause": "no"},
            "the execution ended as FAILED: Oops: no",
        ),
    ):
        sent = StartSyncExecution.stamp(dict(params), in_force)
        StartSyncExecution.answered(sent, parsed)
        assert only(sent).outcome == "ok"
        assert only(sent).error == error
        assert only(sent).position == {"executionArn": "arn:e"}
