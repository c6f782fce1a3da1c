"""Requests: load balancers, function URLs, WebSocket APIs and authorizers."""

from __future__ import annotations

from typing import Any

from ...events import API_REQUEST_ID, XRAY_ROOT
from .common import Fields, body


def alb(fields: Fields = None, *, all_values: bool = False) -> dict[str, Any]:
    """A load balancer's request; ``all_values`` is the target group's multi-value setting."""
    headers = {"host": "orders.example.com", "x-amzn-trace-id": f"Root={XRAY_ROOT}"}
    headers |= fields or {}
    event: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:…/orders/1"}},
        "httpMethod": "GET",
        "path": "/orders",
        "body": "",
        "isBase64Encoded": False,
    }
    if all_values:
        return event | {
            "multiValueQueryStringParameters": {"id": ["1", "2"]},
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
        }
    return event | {"queryStringParameters": {"id": "2"}, "headers": headers}


def function_url(fields: Fields = None) -> dict[str, Any]:
    """A function URL's request."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/orders",
        "rawQueryString": "",
        "headers": {"host": "abc.lambda-url.eu-central-1.on.aws", **(fields or {})},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abc",
            "domainName": "abc.lambda-url.eu-central-1.on.aws",
            "domainPrefix": "abc",
            "http": {"method": "GET", "path": "/orders", "protocol": "HTTP/1.1"},
            "requestId": API_REQUEST_ID,
            "routeKey": "$default",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }


def websocket(kind: str = "MESSAGE", fields: Fields = None) -> dict[str, Any]:
    """What a WebSocket API sends: ``CONNECT`` and ``DISCONNECT`` with headers, ``MESSAGE``."""
    event: dict[str, Any] = {
        "requestContext": {
            "routeKey": "$default" if kind == "MESSAGE" else f"${kind.lower()}",
            "eventType": kind,
            "connectionId": "L0SM9cOFvHcCIhw=",
            "connectedAt": 1583348638390,
            "requestId": API_REQUEST_ID,
            "apiId": "api-id",
            "stage": "production",
            "domainName": "api-id.execute-api.eu-central-1.amazonaws.com",
        },
        "isBase64Encoded": False,
    }
    if kind == "MESSAGE":
        return event | {"body": body(fields).decode()}
    headers = {"Host": "api-id.execute-api.eu-central-1.amazonaws.com", **(fields or {})}
    multiple = {name: [value] for name, value in headers.items()}
    return event | {"headers": headers, "multiValueHeaders": multiple}


def token_authorizer() -> dict[str, Any]:
    """What a token authorizer of a REST API gets: no headers, no request id."""
    return {
        "type": "TOKEN",
        "authorizationToken": "allow",
        "methodArn": "arn:aws:execute-api:eu-central-1:111122223333:api-id/prod/GET/orders",
    }


def request_authorizer(fields: Fields = None) -> dict[str, Any]:
    """What a request authorizer of a REST API gets, and of an HTTP API in format 1.0."""
    headers = {"X-Key": "k", **(fields or {})}
    return {
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:eu-central-1:111122223333:api-id/prod/GET/orders",
        "resource": "/orders",
        "path": "/orders",
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": {
            "path": "/orders",
            "httpMethod": "GET",
            "apiId": "api-id",
            "requestId": API_REQUEST_ID,
            "stage": "prod",
        },
    }


def http_authorizer(fields: Fields = None) -> dict[str, Any]:
    """What an HTTP API's authorizer gets in format 2.0."""
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:eu-central-1:111122223333:api-id/$default/GET/orders",
        "identitySource": ["user1"],
        "routeKey": "GET /orders",
        "headers": {"x-key": "k", **(fields or {})},
        "requestContext": {
            "apiId": "api-id",
            "domainName": "api-id.execute-api.eu-central-1.amazonaws.com",
            "http": {"method": "GET", "path": "/orders"},
            "requestId": API_REQUEST_ID,
        },
    }


def websocket_authorizer(fields: Fields = None) -> dict[str, Any]:
    """What a WebSocket API's authorizer gets when a client connects."""
    asked = websocket("CONNECT", fields)
    arn = "arn:aws:execute-api:eu-central-1:111122223333:api-id/production/$connect"
    return asked | {"type": "REQUEST", "methodArn": arn}
