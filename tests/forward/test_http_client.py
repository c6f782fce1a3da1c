"""``http.client``: headers put one by one, and connections that are kept."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import clew
    from clew.invocation import Invocation

    from .server import Server


@pytest.fixture
def connection(server: Server) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    yield made
    made.close()


def _answer(connection: http.client.HTTPConnection) -> Any:
    return json.loads(connection.getresponse().read())


def test_headers_put_one_by_one(
    connection: http.client.HTTPConnection, in_force: clew.Correlation, invocation: Invocation
) -> None:
    connection.putrequest("POST", "/a?b=http://c/")
    connection.putheader("X-Correlation-User-Id", "theirs")
    connection.putheader("content-length", "2")
    connection.endheaders(b"xy")
    got = _answer(connection)
    assert got["body"] == "xy"
    assert got["headers"]["x-correlation-user-id"] == "theirs"
    assert got["headers"]["x-correlation-id"] == "request-1"
    assert invocation.sent[0].target.endswith("/a")


def test_each_request_of_a_kept_connection_is_a_send(
    connection: http.client.HTTPConnection, in_force: clew.Correlation, invocation: Invocation
) -> None:
    for _ in range(2):
        connection.request("GET", "/a", headers={"user-agent": "Python-urllib/3.11"})
        got = _answer(connection)
        assert fields_of(invocation.sent[-1]).items() <= got["headers"].items()
        assert got["names"].count("user-agent") == 1
    assert len({sent.span_id for sent in invocation.sent}) == 2


def test_through_a_proxy_the_target_is_what_was_asked_for(
    connection: http.client.HTTPConnection, in_force: clew.Correlation, invocation: Invocation
) -> None:
    connection.request("GET", "http://example.com/a?b")
    _answer(connection)
    assert invocation.sent[0].target == "http://example.com/a"


def test_calls_in_the_wrong_order_fail_as_without_clew(
    connection: http.client.HTTPConnection,
    in_force: clew.Correlation,
    invocation: Invocation,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(http.client.CannotSendHeader):
        connection.endheaders()
    with pytest.raises(http.client.ResponseNotReady):
        connection.getresponse()
    assert invocation.sent == []
    assert not caplog.records
