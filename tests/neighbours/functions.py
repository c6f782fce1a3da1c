"""Functions of a chain in one process: what each of them logged, and the story of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import clew
from clew.stories.lines import RawLine
from clew.stories.parse import read
from clew.stories.reconstruct import reconstruct

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from clew.stories.model import Story


class Context:
    """The Lambda context of one invocation."""

    function_version = "$LATEST"

    def __init__(self, function_name: str, number: int) -> None:
        self.function_name = function_name
        self.aws_request_id = f"00000000-0000-0000-0000-{number:012x}"


class Functions:
    """Invokes handlers, and keeps what they wrote to stdout."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._invocations = 0
        self._raw: list[RawLine] = []

    def invoke(self, name: str, body: Callable[[Any, Any], Any], event: Any) -> Any:
        """What the function ``name`` with this handler answers to ``event``."""
        self._invocations += 1
        handler = clew.handler(body)
        try:
            return handler(event, Context(name, self._invocations))
        finally:
            self.add(name, self._capsys.readouterr().out)

    def add(self, name: str, written: str) -> None:
        """Take lines that the function wrote elsewhere into its log."""
        for line in written.splitlines():
            self._raw.append(RawLine(0, f"/aws/lambda/{name}", name, line))

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line of JSON, in order."""
        return [json.loads(raw.message) for raw in self._raw]

    def lines_of(self, name: str) -> list[dict[str, Any]]:
        """Those of one function."""
        return [line for line in self.lines if line["function"] == name]

    def story(self, correlation_id: str) -> Story:
        """The story of a request, from these lines."""
        return reconstruct(read(self._raw), correlation_id)


def http_event(headers: dict[str, str], request_id: str = "edge-1") -> dict[str, Any]:
    """An HTTP API's event (API Gateway guide, payload format 2.0)."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "headers": headers,
        "requestContext": {"http": {"method": "GET"}, "requestId": request_id},
    }
