"""httpx: the user's own requests, bodies and hooks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

import clew

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from clew.invocation import Invocation

    from .server import Server


def test_a_request_can_be_sent_again_under_another_id(server: Server, instrumented: None) -> None:
    with httpx.Client(trust_env=False) as client:
        request = client.build_request("GET", server.url())
        before = dict(request.headers)
        for own in ("a", "b"):
            with clew.use(clew.Correlation({"x-correlation-id": own})):
                response = client.send(request)
            assert response.json()["headers"]["x-correlation-id"] == own
            assert response.request.headers["x-correlation-id"] == own
        assert dict(request.headers) == before


def test_bodies_go_along(server: Server, in_force: clew.Correlation) -> None:
    def stream() -> Iterator[bytes]:
        yield b"one"

    async def async_stream() -> AsyncIterator[bytes]:
        yield b"two"

    async def send() -> str:
        headers = {"content-length": "3"}
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.post(server.url(), content=async_stream(), headers=headers)
            body: str = response.json()["body"]
            return body

    with httpx.Client(trust_env=False) as client:
        assert client.post(server.url(), json={"a": 1}).json()["body"] == '{"a":1}'
        sent = client.post(server.url(), content=stream(), headers={"content-length": "3"})
        assert sent.json()["body"] == "one"
    assert asyncio.run(send()) == "two"


def test_each_step_of_a_redirect_is_a_send(
    server: Server, in_force: clew.Correlation, invocation: Invocation
) -> None:
    with httpx.Client(trust_env=False, follow_redirects=True) as client:
        client.get(server.redirect(server.url("/there")))
    assert [sent.status for sent in invocation.sent] == [302, 200]
    assert len({sent.span_id for sent in invocation.sent}) == 2


def test_a_transport_of_the_users_sees_the_fields(in_force: clew.Correlation) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=dict(request.headers))

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        assert client.get("http://example.com/").json()["x-correlation-id"] == "request-1"


def test_a_cancelled_request_is_an_error(
    server: Server, in_force: clew.Correlation, invocation: Invocation
) -> None:
    async def run() -> None:
        started = asyncio.Event()

        async def wait(request: httpx.Request) -> httpx.Response:
            started.set()
            await asyncio.Event().wait()
            raise AssertionError

        async with httpx.AsyncClient(transport=httpx.MockTransport(wait)) as client:
            task = asyncio.create_task(client.get("http://example.com/"))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    assert invocation.sent[0].error.startswith("CancelledError")
