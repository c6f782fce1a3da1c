"""The bodies of APIs are said in words that the emulator reads."""

from __future__ import annotations

from typing import Any

from clew.localcloud.api_bodies import spell_out_any_methods, spell_out_http_api_routes

URI = {"Fn::Sub": "arn:aws:apigateway:...:lambda:path/.../${F.Arn}/invocations"}


def _operation() -> dict[str, Any]:
    return {"x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": URI}}


def test_each_operation_becomes_an_integration_and_a_route() -> None:
    body = {
        "info": {"title": "shop"},
        "paths": {
            "/items/{id}": {"get": _operation(), "parameters": []},
            "/any": {"x-amazon-apigateway-any-method": _operation()},
            "$default": {"x-amazon-apigateway-any-method": _operation()},
        },
        "x-amazon-apigateway-cors": {"allowOrigins": ["*"]},
    }
    api = {"Type": "AWS::ApiGatewayV2::Api", "Condition": "Wanted", "Properties": {"Body": body}}
    resources = spell_out_http_api_routes({"Resources": {"Shop": api}})["Resources"]

    assert resources["Shop"]["Properties"] == {
        "ProtocolType": "HTTP",
        "Name": "shop",
        "CorsConfiguration": {"AllowOrigins": ["*"]},
    }
    routes = {
        resource["Properties"]["RouteKey"]: resource
        for resource in resources.values()
        if resource["Type"] == "AWS::ApiGatewayV2::Route"
    }
    assert set(routes) == {"GET /items/{id}", "ANY /any", "$default"}
    for route in routes.values():
        assert route["Condition"] == "Wanted"
        target = route["Properties"]["Target"]["Fn::Sub"]
        integration = resources[target.removeprefix("integrations/${").removesuffix("}")]
        assert integration["Properties"]["IntegrationUri"] == URI
        assert integration["Properties"]["IntegrationType"] == "AWS_PROXY"
    assert "Body" in api["Properties"], "the template given was changed"


def test_an_api_without_a_body_stays() -> None:
    template = {"Resources": {"Web": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {}}}}
    assert spell_out_http_api_routes(template) == template


def test_any_method_of_a_rest_api_becomes_every_method_that_is_not_there() -> None:
    own, default = {"operationId": "own"}, {"operationId": "default"}
    operations = {"get": own, "x-amazon-apigateway-any-method": default}
    properties = {"Body": {"paths": {"/a": operations}}}
    template = {"Resources": {"R": {"Type": "AWS::ApiGateway::RestApi", "Properties": properties}}}
    resources = spell_out_any_methods(template)["Resources"]
    spelled_out = resources["R"]["Properties"]["Body"]["paths"]["/a"]
    others = ("put", "post", "delete", "options", "head", "patch")
    assert spelled_out == {"get": own, **dict.fromkeys(others, default)}
    assert len(operations) == 2, "the template given was changed"
