"""The layer around the emulator's ASGI application: injected faults, and clew's own addresses."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from clew.localcloud.control import OWN_CALL
from clew.localcloud.seam.aws_errors import error_answer
from clew.localcloud.seam.aws_operations import Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from clew.localcloud.seam.control import Control
    from clew.localcloud.seam.fault_rules import Faults, Verdict

    Message = dict[str, Any]
    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

_OWN = "/_clew/"
_WAIT = b"x-clew-wait"
_NOT_AWS = ("/_ministack/", "/_aws/")
_SAID = "This error was injected by clew local faults."


class Layer:
    """An ASGI application around another one."""

    def __init__(
        self,
        inner: Callable[..., Awaitable[None]],
        faults: Faults,
        control: Control,
        background: Callable[[], Coroutine[Any, Any, None]],
        wait: Callable[[str, str, bytes], Awaitable[None]],
    ) -> None:
        self._inner = inner
        self._faults = faults
        self._control = control
        self._background = background
        self._wait = wait
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Answer what is clew's own, strike what is to be struck, and let the rest through."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, self._starting(send))
            return
        if scope["type"] == "http" and (how := _header(scope, _WAIT)):
            body = await _body(receive)
            await self._wait(how, _header(scope, b"x-amz-target"), body)
            receive = _again(body, receive)
        if scope["type"] == "http" and scope["path"].startswith(_OWN):
            body = await _body(receive)
            status, answer = await self._control.answer(scope["method"], scope["path"], body)
            content = json.dumps(answer).encode()
            await _answer(send, status, {"content-type": "application/json"}, content)
        elif scope["type"] == "http" and self._faults.rules() and not _is_exempt(scope):
            await self._with_faults(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    def _starting(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                task = asyncio.create_task(self._background())
                self._tasks.add(task)  # the loop itself holds tasks weakly
            await send(message)

        return sending

    async def _with_faults(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        body = await _body(receive)
        request = _request(scope, body)
        verdict = self._faults.judge(request)
        if verdict is None:
            await self._inner(scope, _again(body, receive), send)
            return
        if verdict.hang:
            await _until_the_caller_leaves(receive)
            return
        if verdict.delay_s:
            await asyncio.sleep(verdict.delay_s)
        if verdict.refused is not None:
            await self._partly(scope, receive, send, body, verdict)
        elif verdict.error:
            await _answer(send, *error_answer(verdict.service, request, verdict.error, _SAID))
        else:
            await self._inner(scope, _again(body, receive), send)

    async def _partly(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        body: bytes,
        verdict: Verdict,
    ) -> None:
        """PutRecords of the records that are not refused."""
        asked = json.loads(body)
        refused = set(verdict.refused or ())
        taken = [each for at, each in enumerate(asked["Records"]) if at not in refused]
        status, answer = 200, b'{"Records": []}'
        if taken:
            some = json.dumps({**asked, "Records": taken}).encode()
            status, answer = await self._collected(_sized(scope, some), some, receive)
        if status == 200:
            results = iter(json.loads(answer)["Records"])
            failure = {"ErrorCode": verdict.error, "ErrorMessage": _SAID}
            records = [
                failure if at in refused else next(results) for at in range(len(asked["Records"]))
            ]
            answer = json.dumps({"FailedRecordCount": len(refused), "Records": records}).encode()
        await _answer(send, status, {"content-type": "application/x-amz-json-1.1"}, answer)

    async def _collected(self, scope: Scope, body: bytes, receive: Receive) -> tuple[int, bytes]:
        status, parts = 500, []

        async def collect(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            parts.append(message.get("body", b""))

        await self._inner(scope, _again(body, receive), collect)
        return status, b"".join(parts)


def _header(scope: Scope, wanted: bytes) -> str:
    for name, value in scope["headers"]:
        if name == wanted:
            text: str = value.decode("latin-1")
            return text
    return ""


def _is_exempt(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith(_NOT_AWS) or OWN_CALL in _header(scope, b"user-agent")


def _request(scope: Scope, body: bytes) -> Request:
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
    query = scope.get("query_string", b"").decode("latin-1")
    return Request(scope["method"], path.partition("?")[0], query, headers, body)


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read to the next reader, and then what comes after it."""
    given = False

    async def receiving() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving


def _sized(scope: Scope, body: bytes) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
    return {**scope, "headers": [*headers, (b"content-length", str(len(body)).encode())]}


async def _until_the_caller_leaves(receive: Receive) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        while (await receive())["type"] != "http.disconnect":
            pass


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    named = {**headers, "content-length": str(len(body))}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
