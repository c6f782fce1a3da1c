"""Makes the URLs in a template point at the emulator.

On AWS an API answers at ``https://ID.execute-api.REGION.amazonaws.com/STAGE/...``, and templates
spell that out, most often to tell one function where another one is. No such name resolves to the
emulator, which answers at ``http://127.0.0.1:PORT/_aws/execute-api/ID/STAGE/...`` instead. So the
template that is deployed here differs in these strings from the one that AWS gets, and the file
that the user keeps needs no condition, parameter or variable for the local case.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATH = "/_aws/execute-api"
_HTTP_API = "AWS::ApiGatewayV2::Api"

# The id, the region and the suffix may each be literal or a placeholder of Fn::Sub.
_PART = r"(?:\$\{[^}]+\}|[A-Za-z0-9-]+)"
_AWS_URL = re.compile(
    rf"https://(?P<api>{_PART})\.execute-api\.{_PART}\."
    r"(?:amazonaws\.com(?:\.cn)?|\$\{AWS::URLSuffix\})"
)


def point_urls_at(endpoint_url: str, template: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a translated template whose execute-api URLs lead to the emulator.

    Rewritten are ``Fn::Sub`` (both its forms), ``Fn::Join`` with an empty delimiter, plain
    strings, and the ``ApiEndpoint`` attribute of an HTTP API, wherever they stand.

    Args:
        endpoint_url: Where the emulator answers, without a slash at the end.
        template: A CloudFormation template, SAM already translated. It is not changed.
    """
    resources = template.get("Resources", {})
    http_apis = frozenset(
        logical_id
        for logical_id, resource in resources.items()
        if resource.get("Type") == _HTTP_API
    )
    rewritten: dict[str, Any] = _rewrite(template, endpoint_url + _PATH, http_apis)
    return rewritten


def _rewrite(value: Any, base: str, http_apis: frozenset[str]) -> Any:
    if isinstance(value, str):
        return _AWS_URL.sub(lambda found: f"{base}/{found['api']}", value)
    if isinstance(value, list):
        return [_rewrite(item, base, http_apis) for item in value]
    if not isinstance(value, dict):
        return value
    intrinsic = _rewrite_intrinsic(value, base, http_apis)
    return intrinsic or {key: _rewrite(item, base, http_apis) for key, item in value.items()}


def _rewrite_intrinsic(
    value: dict[str, Any], base: str, http_apis: frozenset[str]
) -> dict[str, Any] | None:
    """What an intrinsic function becomes, or None if it is none that may hold a URL."""
    match value:
        case {"Fn::GetAtt": argument} if api := _endpoint_of(argument, http_apis):
            return {"Fn::Sub": f"{base}/${{{api}}}"}
        case {"Fn::Sub": argument}:
            return {"Fn::Sub": _rewrite_sub(argument, base, http_apis)}
        case {"Fn::Join": argument} if text := _join_as_sub(argument):
            pointed = _rewrite_sub(text, base, http_apis)
            return value if pointed == text else {"Fn::Sub": pointed}
    return None


def _endpoint_of(argument: Any, http_apis: frozenset[str]) -> str | None:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if isinstance(parts, list) and len(parts) == 2 and parts[1] == "ApiEndpoint":
        return str(parts[0]) if parts[0] in http_apis else None
    return None


def _rewrite_sub(argument: Any, base: str, http_apis: frozenset[str]) -> Any:
    if isinstance(argument, list):
        text, *variables = argument
        return [_rewrite_sub(text, base, http_apis), *_rewrite(variables, base, http_apis)]
    pointed = _rewrite(argument, base, http_apis)
    for api in http_apis:
        pointed = pointed.replace(f"${{{api}.ApiEndpoint}}", f"{base}/${{{api}}}")
    return pointed


def _join_as_sub(argument: Any) -> str | None:
    """The text of the ``Fn::Sub`` that says the same, or None if there is none."""
    match argument:
        case ["", [*pieces]]:
            texts = [_piece_as_sub(piece) for piece in pieces]
            return None if None in texts else "".join(filter(None, texts))
    return None


def _piece_as_sub(piece: Any) -> str | None:
    match piece:
        case str():
            return piece.replace("${", "${!")
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
    return None
