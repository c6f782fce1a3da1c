"""Says in more words what the emulator does not read in an API's OpenAPI body.

SAM turns the ``Api`` and ``HttpApi`` events of functions into one API each, described by a
``Body``. The emulator reads the body of a REST API, but for the method that stands for any; it
does not read that of an HTTP API at all. AWS takes what is written here to mean the same.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HTTP_API = "AWS::ApiGatewayV2::Api"
_REST_API = "AWS::ApiGateway::RestApi"
_INTEGRATION = "x-amazon-apigateway-integration"
_CORS = "x-amazon-apigateway-cors"
_ANY = "x-amazon-apigateway-any-method"
_METHODS = {
    _ANY: "ANY",
    **{name: name.upper() for name in ("get", "put", "post", "delete", "options", "head", "patch")},
}


def spell_out_any_methods(template: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a translated template in which REST APIs name every method of an ``ANY``."""
    changed = deepcopy(dict(template))
    for resource in changed.get("Resources", {}).values():
        body = resource.get("Properties", {}).get("Body")
        if resource.get("Type") != _REST_API or not isinstance(body, dict):
            continue
        for operations in body.get("paths", {}).values():
            if isinstance(operations, dict) and _ANY in operations:
                operation = operations.pop(_ANY)
                for name in _METHODS:
                    if name != _ANY:
                        operations.setdefault(name, deepcopy(operation))
    return changed


def spell_out_http_api_routes(template: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a translated template in which no HTTP API has a body.

    Authorizers named in the body are not carried over: every route is open.
    """
    changed = deepcopy(dict(template))
    resources: dict[str, Any] = changed.get("Resources", {})
    for logical_id, resource in list(resources.items()):
        properties = resource.get("Properties", {})
        if resource.get("Type") != _HTTP_API or not isinstance(properties.get("Body"), dict):
            continue
        body = properties.pop("Body")
        properties.setdefault("ProtocolType", "HTTP")
        properties.setdefault("Name", body.get("info", {}).get("title", logical_id))
        if isinstance(body.get(_CORS), dict):
            properties.setdefault("CorsConfiguration", _capitalised(body[_CORS]))
        for name, spelled_out in _routes(logical_id, body):
            if "Condition" in resource:
                spelled_out["Condition"] = resource["Condition"]
            resources[name] = spelled_out
    return changed


def _routes(api: str, body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in body.get("paths", {}).items():
        for name, operation in operations.items():
            if name not in _METHODS or _INTEGRATION not in operation:
                continue
            # "$default" is the route for whatever no other route takes.
            key = path if path == "$default" else f"{_METHODS[name]} {path}"
            stem = api + re.sub(r"[^A-Za-z0-9]+", "", key.title())
            integration = operation[_INTEGRATION]
            yield (
                f"{stem}Integration",
                {
                    "Type": "AWS::ApiGatewayV2::Integration",
                    "Properties": {
                        "ApiId": {"Ref": api},
                        "IntegrationType": str(integration.get("type", "aws_proxy")).upper(),
                        "IntegrationUri": integration.get("uri"),
                        "IntegrationMethod": integration.get("httpMethod", "POST"),
                        "PayloadFormatVersion": integration.get("payloadFormatVersion", "2.0"),
                    },
                },
            )
            yield (
                f"{stem}Route",
                {
                    "Type": "AWS::ApiGatewayV2::Route",
                    "Properties": {
                        "ApiId": {"Ref": api},
                        "RouteKey": key,
                        "Target": {"Fn::Sub": f"integrations/${{{stem}Integration}}"},
                    },
                },
            )


def _capitalised(cors: Mapping[str, Any]) -> dict[str, Any]:
    return {name[:1].upper() + name[1:]: value for name, value in cors.items()}
