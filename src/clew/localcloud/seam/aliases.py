"""Lambda aliases that share their invocations out by weight, whoever invokes them."""

from __future__ import annotations

import contextvars
import random
from typing import TYPE_CHECKING, Any

from ministack.services import lambda_svc

from clew.localcloud.seam.emulator_parts import around
from clew.localcloud.seam.weights import choose_version

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

# The ARN of the version that was chosen, and that of the alias by which the function was called,
# which is what its context has to say.
_chosen: contextvars.ContextVar[tuple[str, str] | None] = contextvars.ContextVar(
    "clew_chosen_version", default=None
)


def install() -> None:
    """Put the choice around the emulator's ways of invoking a function."""
    around(lambda_svc, "_invoke", _invoke)
    around(lambda_svc, "_execute_function", _execute)
    around(lambda_svc, "_get_func_record_for_ref", _record_for)


def _version(function: dict[str, Any] | None, qualifier: str | None) -> str | None:
    """The version that an alias sends this invocation to, if that is not its own."""
    alias = (function or {}).get("aliases", {}).get(qualifier)
    weights = ((alias or {}).get("RoutingConfig") or {}).get("AdditionalVersionWeights")
    if not weights:
        return None
    return choose_version(weights, random.random())  # noqa: S311 - a share, not a secret


async def _invoke(  # noqa: PLR0917 - the emulator's signature
    original: Callable[..., Awaitable[Any]],
    name: str,
    event: Any,
    headers: dict[str, str],
    path_qualifier: str | None = None,
    query_params: dict[str, Any] | None = None,
) -> Any:
    asked = (query_params or {}).get("Qualifier") or headers.get("x-amz-qualifier")
    qualifier = path_qualifier or (asked[0] if isinstance(asked, list) else asked)
    version = _version(lambda_svc._functions.get(name), qualifier)
    if version is None:
        return await original(name, event, headers, path_qualifier, query_params)
    arn = lambda_svc._func_arn(name)
    _chosen.set((f"{arn}:{version}", f"{arn}:{qualifier}"))
    return await original(name, event, headers, version, query_params)


def _execute(original: Callable[..., Any], function: dict[str, Any], event: Any) -> Any:
    config = function.get("config")
    chosen = _chosen.get()
    if chosen and config and config.get("FunctionArn") == chosen[0]:
        function = {**function, "config": {**config, "FunctionArn": chosen[1]}}
    return original(function, event)


def _record_for(original: Callable[..., Any], function_ref: str) -> Any:
    """The way of API Gateway, SNS, EventBridge, Step Functions and function URLs."""
    record = original(function_ref)
    # The base record has the aliases, that of a version has not.
    base = lambda_svc._get_base_func_record_for_ref(function_ref)[0]
    stem, _, qualifier = str(function_ref).rpartition(":")
    version = _version(base, qualifier)
    return record if version is None else original(f"{stem}:{version}")
