"""Function URLs that lead to the emulator.

On AWS one is ``https://ID.lambda-url.REGION.on.aws/``, and the emulator hands out the same, which
leads to the real internet. It also answers below ``/_aws/lambda-url/ID/``, so here that is the URL
of a function, in templates, outputs and answers of the API alike.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ministack.services import lambda_svc

from clew.localcloud.seam.emulator_parts import around

if TYPE_CHECKING:
    from collections.abc import Callable

_PATH = "/_aws/lambda-url/"


def install() -> None:
    """Put clew's URLs in the place of the emulator's."""
    around(lambda_svc, "_create_function_url_config", _create)
    around(lambda_svc, "_function_url_id", _id)


def _create(
    original: Callable[..., Any], name: str, data: dict[str, Any], qualifier: str | None
) -> Any:
    status, headers, body = original(name, data, qualifier)
    config = json.loads(body)
    if "FunctionUrl" not in config:
        return status, headers, body
    stored = lambda_svc._function_urls[lambda_svc._url_config_key(name, qualifier)]
    endpoint = f"http://{os.environ['MINISTACK_HOST']}:{os.environ['GATEWAY_PORT']}"
    url_id = lambda_svc._function_url_id(config["FunctionUrl"])
    stored["FunctionUrl"] = config["FunctionUrl"] = f"{endpoint}{_PATH}{url_id}/"
    return status, headers, json.dumps(config).encode()


def _id(original: Callable[..., str], url: str) -> str:
    _, found, rest = url.partition(_PATH)
    return rest.rstrip("/") if found else original(url)
