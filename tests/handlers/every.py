"""Every kind of handler, as a function of the user's body, and an event of its own source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import clew
from capture.events import http_api, kinesis, rest_api, sns
from streams import making

if TYPE_CHECKING:
    from collections.abc import Callable

    Body = Callable[[Any], Any]
    Handler = Callable[[Any, Any], Any]


def api(body: Body, **options: Any) -> Handler:
    @clew.api_handler(**options)
    def handler(event: Any, context: Any) -> Any:
        return body(event)

    return handler


def plain(body: Body, **options: Any) -> Handler:
    @clew.handler(**options)
    def handler(event: Any, context: Any) -> Any:
        return body(event)

    return handler


def topic(body: Body, **options: Any) -> Handler:
    return clew.sns_handler(**options)(body)


def stream(body: Body, **options: Any) -> Handler:
    return clew.kinesis_handler(on_failure=clew.halt(), report=False, **options)(body)


def batch(body: Body, **options: Any) -> Handler:
    return clew.kinesis_handler(batch=True, on_failure=clew.halt(), report=False, **options)(body)


def changes(body: Body, **options: Any) -> Handler:
    return clew.dynamodb_handler(on_failure=clew.halt(), report=False, **options)(body)


def queue(body: Body, **options: Any) -> Handler:
    return clew.sqs_handler(on_failure=clew.halt(), report=False, **options)(body)


def partitions(body: Body, **options: Any) -> Handler:
    return clew.kafka_handler(on_failure=clew.halt(), report=False, **options)(body)


#: name -> (makes a handler of a body, an event that came from outside)
EVERY: dict[str, tuple[Callable[..., Handler], Any]] = {
    "rest api": (api, rest_api({"Host": "example.com"})),
    "http api": (api, http_api({"host": "example.com"})),
    "direct": (plain, {"key1": "value1"}),
    "sns": (topic, sns()),
    "kinesis": (stream, kinesis(b"{}")),
    "kinesis batch": (batch, kinesis(b"{}", b"{}")),
    "dynamodb": (changes, making.event([making.dynamodb(0, "a")])),
    "sqs": (queue, making.event([making.sqs(0, "")])),
    "kafka": (partitions, making.event([making.kafka(0, "a")])),
}
