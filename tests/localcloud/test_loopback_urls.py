"""URLs of APIs, as a template spells them for AWS, lead to the emulator."""

from __future__ import annotations

from typing import Any

import pytest

from clew.localcloud.loopback_urls import point_urls_at

HERE = "http://127.0.0.1:4566"
BASE = f"{HERE}/_aws/execute-api"


def pointed(value: Any) -> Any:
    """What ``value`` becomes as an output of a template with one HTTP API, called Web."""
    template = {
        "Resources": {"Web": {"Type": "AWS::ApiGatewayV2::Api"}},
        "Outputs": {"It": {"Value": value}},
    }
    return point_urls_at(HERE, template)["Outputs"]["It"]["Value"]


@pytest.mark.parametrize(
    ("on_aws", "here"),
    [
        (
            {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/Prod/a?b=c"},
            {"Fn::Sub": f"{BASE}/${{Api}}/Prod/a?b=c"},
        ),
        (
            {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/Prod"},
            {"Fn::Sub": f"{BASE}/${{Api}}/Prod"},
        ),
        (
            {"Fn::Sub": "https://${Api}.execute-api.cn-north-1.amazonaws.com.cn/Prod"},
            {"Fn::Sub": f"{BASE}/${{Api}}/Prod"},
        ),
        (
            {"Fn::Sub": ["https://${X}.execute-api.eu-west-1.amazonaws.com", {"X": {"Ref": "A"}}]},
            {"Fn::Sub": [f"{BASE}/${{X}}", {"X": {"Ref": "A"}}]},
        ),
        ("https://abc123.execute-api.us-east-1.amazonaws.com/Prod", f"{BASE}/abc123/Prod"),
        (
            {
                "Fn::Join": [
                    "",
                    [
                        "https://",
                        {"Ref": "Api"},
                        ".execute-api.",
                        {"Ref": "AWS::Region"},
                        ".",
                        {"Ref": "AWS::URLSuffix"},
                        "/Prod/",
                    ],
                ]
            },
            {"Fn::Sub": f"{BASE}/${{Api}}/Prod/"},
        ),
        ({"Fn::GetAtt": ["Web", "ApiEndpoint"]}, {"Fn::Sub": f"{BASE}/${{Web}}"}),
        ({"Fn::GetAtt": "Web.ApiEndpoint"}, {"Fn::Sub": f"{BASE}/${{Web}}"}),
        ({"Fn::Sub": "${Web.ApiEndpoint}/items"}, {"Fn::Sub": f"{BASE}/${{Web}}/items"}),
    ],
)
def test_an_api_url_leads_to_the_emulator(on_aws: Any, here: Any) -> None:
    assert pointed(on_aws) == here
    assert pointed({"deep": [on_aws]}) == {"deep": [here]}


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/GET/"},
        {"Fn::GetAtt": ["Table", "Arn"]},
        {"Fn::GetAtt": ["Other", "ApiEndpoint"]},
        {"Fn::Join": [",", ["a", {"Ref": "B"}]]},
        {"Fn::Join": ["", ["arn:", {"Ref": "B"}, {"Fn::ImportValue": "C"}]]},
        {"Fn::Join": ["", ["no", "url", {"Ref": "B"}]]},
        "https://example.com/execute-api",
        5,
        None,
        True,
    ],
)
def test_everything_else_stays(value: Any) -> None:
    assert pointed(value) == value


def test_the_template_given_is_not_changed() -> None:
    value = {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/Prod"}
    template = {"Resources": {}, "Outputs": {"It": {"Value": value}}}
    point_urls_at(HERE, template)
    assert template["Outputs"]["It"]["Value"] == {
        "Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/Prod"
    }
