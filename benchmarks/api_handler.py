"""An API handler that does nothing, and writes one line."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging import correlation_paths

import clew
from benchmarks.lines import IDS, Context, keep_apart, to_nowhere
from benchmarks.measure import Result, compare, result


def run() -> list[Result]:
    """clew's wide line on one side, Powertools' one line on the other."""
    event = {
        "resource": "/posts",
        "path": "/posts",
        "httpMethod": "GET",
        "headers": {**IDS, "Accept": "*/*", "Host": "example.com"},
        "multiValueHeaders": {},
        "requestContext": {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "stage": "Prod"},
    }
    context = Context()
    with to_nowhere() as nowhere:
        logger = Logger(service="timeline", stream=nowhere)

        @clew.api_handler
        def ours(event: Any, context: Any) -> dict[str, Any]:
            return {"statusCode": 200}

        keep_apart("timeline")

        def plain(event: Any, context: Any) -> dict[str, Any]:
            logger.info("invocation")
            return {"statusCode": 200}

        theirs: Any = logger.inject_lambda_context(
            plain, correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True
        )

        measured = compare(lambda: ours(event, context), lambda: theirs(event, context), times=1000)
    return [
        result(
            "an API handler that does nothing, one line each",
            measured,
            peer="aws-lambda-powertools",
            target=0.8,
        )
    ]
