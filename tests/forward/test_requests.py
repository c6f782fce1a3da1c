"""requests: the user's own objects, and redirects followed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

import clew

from .conftest import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.invocation import Invocation

    from .server import Server


def test_a_prepared_request_can_be_sent_again_under_another_id(
    server: Server, instrumented: None
) -> None:
    with requests.Session() as session:
        prepared = session.prepare_request(requests.Request("GET", server.url()))
        before = dict(prepared.headers)
        for own in ("a", "b"):
            with clew.use(clew.Correlation({"x-correlation-id": own})):
                got = session.send(prepared).json()
            assert got["headers"]["x-correlation-id"] == own
        assert dict(prepared.headers) == before


def test_the_next_step_of_a_redirect_by_hand_has_no_fields_for_a_host_without_leave(
    server: Server, in_force: clew.Correlation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEW_FORWARD_HOSTS", "127.0.0.1")
    with requests.Session() as session:
        first = session.get(server.redirect(server.elsewhere()), allow_redirects=False)
        assert first.next is not None
        got = session.send(first.next).json()
    assert "x-correlation-id" not in got["headers"]


def test_a_request_made_in_a_response_hook_is_one_of_its_own(
    server: Server, in_force: clew.Correlation, invocation: Invocation
) -> None:
    inner: list[Any] = []

    def hook(*_: Any, **__: Any) -> None:
        inner.append(requests.get(server.url("/inner"), timeout=5).json())

    outer = requests.get(server.url("/outer"), hooks={"response": hook}, timeout=5).json()
    by_target = {sent.target: sent for sent in invocation.sent}
    for got, path in ((outer, "/outer"), (inner[0], "/inner")):
        assert fields_of(by_target[server.url(path)]).items() <= got["headers"].items()


def test_a_body_that_is_a_stream_goes_along(server: Server, in_force: clew.Correlation) -> None:
    def body() -> Iterator[bytes]:
        yield b"one"

    prepared = requests.Request("POST", server.url(), data=body()).prepare()
    prepared.headers.pop("transfer-encoding")
    prepared.headers["content-length"] = "3"
    with requests.Session() as session:
        assert session.send(prepared).json()["body"] == "one"


def test_what_is_no_prepared_request_fails_as_without_clew(
    in_force: clew.Correlation, invocation: Invocation, caplog: pytest.LogCaptureFixture
) -> None:
    request: Any = requests.Request("GET", "")
    with requests.Session() as session, pytest.raises(ValueError, match="PreparedRequest"):
        session.send(request)
    with requests.Session() as session, pytest.raises(AttributeError):
        session.send(None)  # type: ignore[arg-type]
    assert invocation.sent == []
    assert not caplog.records
