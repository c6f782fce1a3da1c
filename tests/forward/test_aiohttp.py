"""aiohttp: sessions with headers of their own, and classes of the user's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp

from .conftest import fields_of, only

if TYPE_CHECKING:
    import clew
    from clew.invocation import Invocation

    from .server import Server


def test_the_headers_of_a_session_go_along_and_are_not_changed(
    server: Server, in_force: clew.Correlation, invocation: Invocation
) -> None:
    own = {"x-mine": "1"}

    async def run() -> Any:
        async with (
            aiohttp.ClientSession(headers=own) as session,
            session.post(server.url(), json={"a": 1}) as response,
        ):
            assert "traceparent" not in session.headers
            return await response.json()

    got = asyncio.run(run())
    assert own == {"x-mine": "1"}
    assert got["headers"]["x-mine"] == "1"
    assert got["body"] == '{"a": 1}'
    assert fields_of(only(invocation.sent)).items() <= got["headers"].items()


def test_a_middleware_that_signs_does_not_see_them(
    server: Server, in_force: clew.Correlation
) -> None:
    seen: list[str] = []

    async def sign(request: aiohttp.ClientRequest, handler: Any) -> aiohttp.ClientResponse:
        seen.extend(name.lower() for name in request.headers)
        response: aiohttp.ClientResponse = await handler(request)
        return response

    async def run() -> Any:
        async with (
            aiohttp.ClientSession(middlewares=(sign,)) as session,
            session.get(server.url()) as response,
        ):
            return await response.json()

    assert "traceparent" in asyncio.run(run())["headers"]
    assert seen
    assert "traceparent" not in seen


def test_a_redirect_is_two_sends_on_one_connection(
    server: Server, in_force: clew.Correlation, invocation: Invocation
) -> None:
    async def run() -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.get(server.redirect(server.url("/there"))) as response,
        ):
            await response.read()

    asyncio.run(run())
    assert [sent.status for sent in invocation.sent] == [302, 200]
    assert [sent.target for sent in invocation.sent] == [server.url("/"), server.url("/there")]
