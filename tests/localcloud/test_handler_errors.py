"""What a handler raises reaches its callers as on AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clew.localcloud import LocalCloud, Stack

pytestmark = pytest.mark.local_cloud

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Breaks:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
        seen = []
        class CardRefused(Exception):
            pass
        def refuse():
            raise CardRefused("no money on 4111")
        def handler(event, context):
            seen.append(1)
            if event.get("return") == "count":
                return len(seen)
            if event.get("return") == "nonsense":
                return {1, 2}
            if event.get("return") == "exit":
                raise SystemExit(1)
            refuse()
      FunctionUrlConfig: {AuthType: NONE}
      Events:
        Rest: {Type: Api, Properties: {Path: /it, Method: GET}}
        Http: {Type: HttpApi, Properties: {Path: /it, Method: GET}}
  Steps:
    Type: AWS::Serverless::StateMachine
    Properties:
      Role: arn:aws:iam::000000000000:role/steps
      Definition:
        StartAt: Try
        States:
          Try:
            Type: Task
            Resource: !GetAtt Breaks.Arn
            Catch: [{ErrorEquals: [CardRefused], Next: Caught}]
            Next: Missed
          Caught: {Type: Pass, End: true}
          Missed: {Type: Fail}
Outputs:
  Rest: {Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/it"}
  Http: {Value: !Sub "${ServerlessHttpApi.ApiEndpoint}/it"}
  Url: {Value: !GetAtt BreaksUrl.FunctionUrl}
  Steps: {Value: !Ref Steps}
"""


@pytest.fixture(scope="module")
def stack(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    path: Path = tmp_path_factory.mktemp("breaks") / "template.yaml"
    path.write_text(TEMPLATE)
    return cloud.deploy(path, "breaks")


def _invoked(cloud: LocalCloud, stack: Stack, **event: str) -> tuple[str | None, Any]:
    answer = cloud.client("lambda").invoke(
        FunctionName=stack.functions["Breaks"], Payload=json.dumps(event)
    )
    return answer.get("FunctionError"), json.load(answer["Payload"])


def test_invoke_tells_the_exception(cloud: LocalCloud, stack: Stack) -> None:
    kind, told = _invoked(cloud, stack)
    assert kind == "Unhandled"
    assert list(told) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert (told["errorType"], told["errorMessage"]) == ("CardRefused", "no money on 4111")
    assert [frame.split(", in ")[1].split("\n")[0] for frame in told["stackTrace"]] == [
        "handler",
        "refuse",
    ]
    messages = [line.message for line in cloud.log_lines(stack.functions["Breaks"])]
    assert any("CardRefused: no money on 4111" in message for message in messages)
    assert any(told["requestId"] in message for message in messages)


def test_what_json_cannot_say_is_an_error_of_its_own(cloud: LocalCloud, stack: Stack) -> None:
    kind, told = _invoked(cloud, stack, **{"return": "nonsense"})
    assert (kind, told["errorType"]) == ("Unhandled", "Runtime.MarshalError")
    assert told["errorMessage"].startswith("Unable to marshal response: ")


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("import nothere", "Runtime.ImportModuleError", "Unable to import module 'index': No"),
        ("def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'index': "),
        ("a = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'index'"),
        ("1 / 0", "ZeroDivisionError", "division by zero"),
    ],
)
def test_a_module_that_does_not_start_is_told_and_logged(
    cloud: LocalCloud, tmp_path: Path, code: str, kind: str, message: str
) -> None:
    function = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"Runtime": "python3.12", "Handler": "index.handler", "InlineCode": code},
    }
    path = tmp_path / "template.json"
    transform = "AWS::Serverless-2016-10-31"
    path.write_text(json.dumps({"Transform": transform, "Resources": {"F": function}}))
    name = cloud.deploy(path, f"starts-{kind.rpartition('.')[2]}").functions["F"]
    answer = cloud.client("lambda").invoke(FunctionName=name)
    told = json.load(answer["Payload"])
    assert (answer["FunctionError"], told["errorType"]) == ("Unhandled", kind)
    assert told["errorMessage"].startswith(message)
    messages = [line.message for line in cloud.log_lines(name)]
    assert f"[ERROR] {kind}: {told['errorMessage']}" in messages
    assert any(line.startswith("Traceback") for line in messages)


def test_the_process_lives_on(cloud: LocalCloud, stack: Stack) -> None:
    _, before = _invoked(cloud, stack, **{"return": "count"})
    for _ in range(3):
        assert _invoked(cloud, stack)[0] == "Unhandled"
    assert _invoked(cloud, stack, **{"return": "count"}) == (None, before + 4)
    # A process that exits is another thing.
    kind, told = _invoked(cloud, stack, **{"return": "exit"})
    assert (kind, told["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert _invoked(cloud, stack, **{"return": "count"}) == (None, 1)


@pytest.mark.parametrize(
    ("where", "status", "body"),
    [
        ("Rest", 502, {"message": "Internal server error"}),
        ("Http", 500, {"message": "Internal Server Error"}),
        ("Url", 502, {"message": "Internal Server Error"}),
    ],
)
def test_the_edge_tells_nothing(stack: Stack, where: str, status: int, body: Any) -> None:
    answer = requests.get(stack.outputs[where], timeout=10)
    assert (answer.status_code, answer.json()) == (status, body)


def test_a_state_machine_catches_it_by_its_name(
    cloud: LocalCloud, stack: Stack, until: Callable[..., Any]
) -> None:
    steps = cloud.client("stepfunctions")
    run = steps.start_execution(stateMachineArn=stack.outputs["Steps"], input="{}")

    def ended() -> Any:
        described = steps.describe_execution(executionArn=run["executionArn"])
        return described if described["status"] != "RUNNING" else None

    described = until(ended, "the execution is over")
    assert described["status"] == "SUCCEEDED"
    assert json.loads(described["output"])["Error"] == "CardRefused"
