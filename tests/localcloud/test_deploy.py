"""Templates deployed to a real emulator."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from clew.localcloud import LocalCloud, LocalCloudError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud import Stack, StackEvent


pytestmark = pytest.mark.local_cloud

PLAIN = Path(__file__).parent / "templates" / "plain" / "template.yaml"


@pytest.fixture(scope="module")
def plain(cloud: LocalCloud) -> Stack:
    return cloud.deploy(PLAIN)


def _messages(cloud: LocalCloud, function: str) -> list[str]:
    return [line.message for line in cloud.log_lines(function)]


def test_the_outputs_are_urls_that_answer(plain: Stack) -> None:
    edge = requests.get(plain.outputs["EdgeUrl"], headers={"X-Mine": "1"}, timeout=10)
    assert edge.status_code == 200
    event = edge.json()["event"]
    assert event["requestContext"]["stage"] == "Prod"
    assert event["headers"]["x-mine"] == "1"
    http = requests.get(plain.outputs["HttpUrl"], timeout=10)
    assert http.json()["event"]["routeKey"] == "GET /http"
    below = plain.outputs["EdgeUrl"].removesuffix("edge") + "any/thing/at/all"
    assert requests.put(below, timeout=10).json()["event"]["httpMethod"] == "PUT"
    assert requests.get(plain.outputs["JoinedUrl"], timeout=10).status_code == 200


def test_one_request_crosses_http_sns_and_kinesis(
    cloud: LocalCloud, plain: Stack, until: Callable[..., Any]
) -> None:
    answer = requests.post(plain.outputs["EdgeUrl"], data="pass it on", timeout=20)
    assert answer.status_code == 200, answer.text
    assert answer.json()["back"]["event"]["path"] == "/back"
    until(lambda: "drained from edge" in _messages(cloud, "Drained"), "the record arrives")
    until(lambda: any("from edge" in m for m in _messages(cloud, "Heard")), "the message arrives")


def test_another_region_works_from_end_to_end(until: Callable[..., Any]) -> None:
    with LocalCloud.start(PLAIN, region="eu-central-1") as there:
        answer = requests.post(there.outputs["EdgeUrl"], data="pass it on", timeout=20)
        assert answer.status_code == 200, answer.text
        assert answer.json()["environment"]["AWS_REGION"] == "eu-central-1"
        assert there.outputs["TopicArn"].startswith("arn:aws:sns:eu-central-1:")
        configuration = there.client("lambda").get_function_configuration(
            FunctionName=there.functions["Edge"]
        )
        assert configuration["FunctionArn"].startswith("arn:aws:lambda:eu-central-1:")
        assert requests.get(there.outputs["HttpUrl"], timeout=10).status_code == 200
        until(lambda: "drained from edge" in _messages(there, "Drained"), "the record arrives")
        until(lambda: any("from edge" in m for m in _messages(there, "Heard")), "and the message")
        there.deploy(PLAIN, parameters={"Greeting": "once more"})
        requests.get(there.outputs["EdgeUrl"], timeout=10).raise_for_status()
        assert "edge says once more" in _messages(there, "Edge")


def test_a_function_sees_the_emulator_and_not_the_user(cloud: LocalCloud, plain: Stack) -> None:
    answer = requests.get(plain.outputs["EdgeUrl"], timeout=10).json()
    environment = answer["environment"]
    assert environment["AWS_ENDPOINT_URL"] == cloud.endpoint_url
    assert environment["AWS_ACCESS_KEY_ID"] == "000000000000"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == plain.functions["Edge"]
    assert answer["python"] == sys.executable


def test_log_lines_say_when_where_and_what(cloud: LocalCloud, plain: Stack) -> None:
    requests.get(plain.outputs["EdgeUrl"], timeout=10)
    lines = cloud.log_lines("Edge")
    said = [line for line in lines if line.message == "edge says hello"]
    assert said[-1].log_group == f"/aws/lambda/{plain.functions['Edge']}"
    assert said[-1].timestamp.utcoffset() is not None
    assert cloud.log_lines(plain.functions["Edge"]) == lines
    assert not cloud.log_lines("Edge", since=lines[-1].timestamp.replace(year=2999))
    with pytest.raises(LocalCloudError, match="There is no function Nobody here"):
        cloud.log_lines("Nobody")


def test_a_stack_is_updated_and_an_unchanged_one_is_left(cloud: LocalCloud) -> None:
    events: list[StackEvent] = []
    parameters = {"Greeting": "good day"}
    stack = cloud.deploy(PLAIN, "again", on_event=events.append)
    assert {event.logical_id for event in events} >= {"Edge", "Topic", "Stream"}

    cloud.deploy(PLAIN, "again", parameters=parameters)
    requests.get(stack.outputs["EdgeUrl"], timeout=10)
    assert "edge says good day" in [
        line.message for line in cloud.log_lines(stack.functions["Edge"])
    ]

    events.clear()
    assert cloud.deploy(PLAIN, "again", parameters=parameters, on_event=events.append)
    assert events == []
    assert "again" in cloud.stacks


def _sam(folder: Path, resources: dict[str, Any]) -> Path:
    path = folder / "template.json"
    transform = "AWS::Serverless-2016-10-31"
    path.write_text(json.dumps({"Transform": transform, "Resources": resources}))
    return path


def test_an_unsupported_resource_is_named(cloud: LocalCloud, tmp_path: Path) -> None:
    path = _sam(tmp_path, {"Fleet": {"Type": "AWS::GameLift::Fleet", "Properties": {}}})
    with pytest.raises(LocalCloudError) as caught:
        cloud.deploy(path, "unsupported")
    assert str(caught.value).startswith(str(path))
    assert "no such resource as Fleet (AWS::GameLift::Fleet)" in str(caught.value)


def test_missing_code_names_the_function(cloud: LocalCloud, tmp_path: Path) -> None:
    properties = {"Runtime": "python3.12", "Handler": "a.b", "CodeUri": "nowhere/"}
    mine = {"Type": "AWS::Serverless::Function", "Properties": properties}
    path = _sam(tmp_path, {"Mine": mine})
    with pytest.raises(LocalCloudError, match=r"the code of Mine is not there: .*nowhere"):
        cloud.deploy(path, "missing-code")


def test_a_resource_that_fails_is_named_with_its_reason(cloud: LocalCloud, tmp_path: Path) -> None:
    wrong = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "not a name.fifo"}}
    with pytest.raises(LocalCloudError) as caught:
        cloud.deploy(_sam(tmp_path, {"Mine": wrong}), "failing")
    assert "template.json: the resource Mine (AWS::SQS::Queue) failed: " in str(caught.value)
    assert "hyphens" in str(caught.value)

    mended = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "a-name"}}
    stack = cloud.deploy(_sam(tmp_path, {"Mine": mended}), "failing")
    assert stack.resources["Mine"].endswith("/a-name")


def test_a_reference_to_nothing_is_named(cloud: LocalCloud, tmp_path: Path) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Nope"}}}
    with pytest.raises(LocalCloudError, match="Mine refers to Nope, which is neither"):
        cloud.deploy(_sam(tmp_path, {"Mine": topic}), "refers")


def test_clients_ignore_the_users_settings(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "there-is-no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    session = cloud.session()
    credentials = session.get_credentials()
    assert credentials
    assert credentials.access_key == "local"
    assert session.client("sts").get_caller_identity()["Account"] == "000000000000"
    assert session.resource("s3").meta.client.meta.endpoint_url == cloud.endpoint_url
    assert cloud.client("sns").meta.endpoint_url == cloud.endpoint_url
