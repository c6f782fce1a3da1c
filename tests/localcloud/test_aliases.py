"""An alias with weights shares its invocations out between two versions."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud

NAME = "weighed"


def _code(text: str) -> bytes:
    source = (
        f"def handler(event, context):\n"
        f"    return {{'says': {text!r}, 'arn': context.invoked_function_arn}}\n"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", source)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def function(cloud: LocalCloud) -> Any:
    """A Lambda client; version 1 says one, version 2 says two."""
    client = cloud.client("lambda")
    client.create_function(
        FunctionName=NAME,
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="app.handler",
        Code={"ZipFile": _code("one")},
        Publish=True,
    )
    client.update_function_code(FunctionName=NAME, ZipFile=_code("two"), Publish=True)
    client.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1")
    return client


def _weigh(function: Any, weights: dict[str, float]) -> None:
    function.update_alias(
        FunctionName=NAME, Name="live", RoutingConfig={"AdditionalVersionWeights": weights}
    )


def _invoke(function: Any, **how: Any) -> tuple[str, str, str]:
    answer = function.invoke(FunctionName=NAME, **how)
    said = json.loads(answer["Payload"].read())
    return answer["ExecutedVersion"], said["says"], said["arn"].rpartition(":")[2]


@pytest.mark.parametrize(
    ("weights", "version", "says"), [({}, "1", "one"), ({"2": 1.0}, "2", "two")]
)
def test_all_goes_to_one_version(
    function: Any, weights: dict[str, float], version: str, says: str
) -> None:
    _weigh(function, weights)
    for _ in range(5):
        assert _invoke(function, Qualifier="live") == (version, says, "live")


def test_both_versions_get_their_share(function: Any) -> None:
    _weigh(function, {"2": 0.5})
    counted = Counter(_invoke(function, Qualifier="live")[:2] for _ in range(30))
    assert set(counted) == {("1", "one"), ("2", "two")}
    assert min(counted.values()) >= 2


def test_a_version_that_is_asked_for_by_number_is_not_weighed(function: Any) -> None:
    _weigh(function, {"2": 1.0})
    assert _invoke(function, Qualifier="1")[:2] == ("1", "one")
    assert _invoke(function)[:2] == ("$LATEST", "two")
    described = function.get_function_configuration(FunctionName=NAME, Qualifier="live")
    assert described["Version"] == "1", "the alias's own version is what it is described by"


def test_who_calls_through_an_integration_is_weighed_too(
    cloud: LocalCloud, function: Any, until: Any
) -> None:
    _weigh(function, {"2": 1.0})
    arn = function.get_alias(FunctionName=NAME, Name="live")["AliasArn"]
    states = cloud.client("stepfunctions")
    definition = {
        "StartAt": "Call",
        "States": {"Call": {"Type": "Task", "Resource": arn, "End": True}},
    }
    machine = states.create_state_machine(
        name="weighed",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::000000000000:role/r",
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    output = until(
        lambda: states.describe_execution(executionArn=execution).get("output"), "it has run"
    )
    assert json.loads(output)["says"] == "two"
