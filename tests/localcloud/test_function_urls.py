"""The URL of a function leads to the emulator, wherever it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Front:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
        import os, urllib.request
        def handler(event, context):
            if event["rawPath"] == "/ahead":
                return urllib.request.urlopen(os.environ["BACK"] + "deep/down?a=b").read().decode()
            return event["rawPath"] + "?" + event["rawQueryString"]
      FunctionUrlConfig: {AuthType: NONE}
      Environment: {Variables: {BACK: !GetAtt BackUrl.FunctionUrl}}
  Back:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            return "back " + event["rawPath"] + " of " + event["requestContext"]["domainName"]
      FunctionUrlConfig: {AuthType: NONE}
Outputs:
  Whole: {Value: !GetAtt FrontUrl.FunctionUrl}
  Ahead: {Value: !Sub "${FrontUrl.FunctionUrl}ahead"}
  Joined: {Value: !Join ["", [!GetAtt FrontUrl.FunctionUrl, "a/b?c=d"]]}
"""


def test_the_url_of_a_function_answers(cloud: LocalCloud, tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    stack = cloud.deploy(path, "addressed")
    assert stack.outputs["Whole"].startswith(f"{cloud.endpoint_url}/_aws/lambda-url/")
    assert requests.get(stack.outputs["Whole"], timeout=10).text == "/?"
    assert requests.get(stack.outputs["Joined"], timeout=10).text == "/a/b?c=d"
    ahead = requests.get(stack.outputs["Ahead"], timeout=10).text
    assert ahead.startswith("back /deep/down of ")
    assert ahead.endswith(".lambda-url.us-east-1.on.aws")

    functions = cloud.client("lambda")
    told = functions.get_function_url_config(FunctionName=stack.functions["Front"])
    assert told["FunctionUrl"] == stack.outputs["Whole"]
    functions.delete_function_url_config(FunctionName=stack.functions["Front"])
    made = functions.create_function_url_config(
        FunctionName=stack.functions["Front"], AuthType="NONE"
    )
    assert requests.get(made["FunctionUrl"], timeout=10).text == "/?"
    assert requests.get(stack.outputs["Whole"], timeout=10).status_code == 404
