"""Tells which operation of which AWS service a request calls, by botocore's service models."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The signing service in "Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/...".
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request")
_LABEL = re.compile(r"\\\{(\w+)(\\\+)?\\\}")
_RPC_PATH = re.compile(r"/service/([^/]+)/operation/([^/]+)$")


@dataclass(frozen=True, slots=True)
class Request:
    """What is looked at of an HTTP request; names of headers are in lower case."""

    method: str
    path: str  # as it was sent, percent-encoded
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    path: re.Pattern[str]
    query: Mapping[str, str | None]
    headers: frozenset[str]
    operation: str
    labels: int


class Service:
    """One AWS service, by the name that boto3 has for it.

    Raises:
        KeyError: botocore has no such service.
    """

    def __init__(self, name: str) -> None:
        try:
            described = Loader().load_service_model(name, "service-2")
        except UnknownServiceError:
            raise KeyError(name) from None
        self.model = ServiceModel(described, name)
        # botocore's view of a shape leaves out whose fault an error is.
        self.faults_of_the_service = frozenset(
            shape for shape, facts in described["shapes"].items() if facts.get("fault")
        )
        self.name = name
        self.operations = frozenset(self.model.operation_names)

    def operation(self, request: Request) -> str | None:
        """The operation that a request calls, or None if it is not for this service."""
        found = _SCOPE.search(request.headers.get("authorization", "") + unquote(request.query))
        if not found or found[1] != self.model.signing_name:
            return None
        return self._by_target(request) or self._by_action(request) or self._by_route(request)

    def _by_target(self, request: Request) -> str | None:
        if rpc := _RPC_PATH.search(request.path):
            prefix, operation = rpc[1], rpc[2]
        else:
            prefix, _, operation = request.headers.get("x-amz-target", "").rpartition(".")
        right = prefix.rpartition(".")[2] == self.model.metadata.get("targetPrefix")
        return operation if right and operation in self.operations else None

    def _by_action(self, request: Request) -> str | None:
        if "query" not in self._protocols and "ec2" not in self._protocols:
            return None
        text = request.body.decode("utf-8", "replace") or request.query
        action = parse_qs(text).get("Action", [""])[0]
        return action if action in self.operations else None

    def _by_route(self, request: Request) -> str | None:
        given = parse_qs(request.query, keep_blank_values=True)
        for route in self._routes:
            if (
                route.method == request.method
                and route.path.fullmatch(request.path.rstrip("/") or "/")
                and route.headers <= request.headers.keys()
                and all(
                    name in given and value in {None, given[name][0]}
                    for name, value in route.query.items()
                )
            ):
                return route.operation
        return None

    @property
    def _protocols(self) -> list[str]:
        metadata: dict[str, Any] = self.model.metadata
        return metadata.get("protocols") or [metadata["protocol"]]

    @cached_property
    def _routes(self) -> list[_Route]:
        """The operations by method and path, those that ask for more first."""
        if not any(protocol.startswith("rest-") for protocol in self._protocols):
            return []
        return sorted(
            map(self._route, self.operations),
            key=lambda route: (
                -len(route.query) - len(route.headers),
                route.labels,
                route.operation,
            ),
        )

    def _route(self, name: str) -> _Route:
        model = self.model.operation_model(name)
        http = model.http
        path, _, query = http["requestUri"].partition("?")
        pattern = re.escape(path.rstrip("/") or "/")
        labels = len(_LABEL.findall(pattern))
        pattern = _LABEL.sub(lambda found: ".+" if found[2] else "[^/]+", pattern)
        wanted = (part.partition("=") for part in query.split("&") if part)
        values = {name: value if equals else None for name, equals, value in wanted}
        headers = set()
        for member in _required(model):
            where = member.serialization.get("location")
            if where == "querystring":
                values.setdefault(member.serialization["name"], None)
            elif where == "header":
                headers.add(member.serialization["name"].lower())
        return _Route(http["method"], re.compile(pattern), values, frozenset(headers), name, labels)


def _required(model: OperationModel) -> list[Shape]:
    shape = model.input_shape
    return [shape.members[name] for name in shape.required_members] if shape else []


def close_names(name: str, names: Iterable[str]) -> str:
    """What somebody who wrote ``name`` may have meant, as the end of a sentence."""
    from difflib import get_close_matches

    found = get_close_matches(name, list(names), n=3)
    return f"; did you mean {' or '.join(found)}?" if found else "."


def known_services() -> list[str]:
    """The names of all services."""
    found: list[str] = Loader().list_available_services("service-2")
    return found
