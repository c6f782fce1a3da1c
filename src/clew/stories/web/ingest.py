"""Takes lines that are shipped here: ``POST /ingest``, see `clew.shipping.sinks.store`.

NDJSON, gzip or plain, each line a batch of CloudWatch Logs; 200 when all of it is on the disk.
Without the token of the site nothing is taken. A body is bounded twice: as it comes, and as it
unfolds, so that a small one cannot become a large one.
"""

from __future__ import annotations

import asyncio
import io
import zlib
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from clew.stories.store import Added, StoreError
from clew.stories.store.files import read_stream
from clew.stories.web.guard import bearer, is_token

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from clew.stories.web.site import Site

CONTENT_TYPE = "application/x-ndjson"
#: The sink packs up to 8 MB into a request, before it is compressed.
MAX_BODY, MAX_PLAIN = 16 << 20, 24 << 20
#: Requests that wait for the one that is written; each holds its body.
_WAITING = 4
_BODY_S = 60
#: Lines of one transaction: what is prepared for it is several times as large as they are.
_TOGETHER = 2_000
_CHUNK = 1 << 16
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


class TooLargeError(Exception):
    """It is more than is taken at once."""


class Unfolded(io.RawIOBase):
    """A gzip body, unfolded as it is read, up to a bound."""

    def __init__(self, body: bytes, most: int = MAX_PLAIN) -> None:
        self._body = body
        self._at = 0
        self._left = most
        self._member = zlib.decompressobj(wbits=31)
        self._pending = b""

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some more of it; raises `EOFError` if it ends in the middle."""
        size = len(buffer)
        while True:
            member = self._member
            if member.eof:
                rest = member.unused_data
                if not rest and self._at >= len(self._body):
                    return 0
                member = self._member = zlib.decompressobj(wbits=31)
                packed = rest
            else:
                packed = self._pending
            if not packed:
                packed = self._body[self._at : self._at + _CHUNK]
                self._at += len(packed)
            if not packed and not member.eof:
                raise EOFError("the gzip body is not whole")
            data = member.decompress(packed, size)
            self._pending = member.unconsumed_tail
            if data:
                self._left -= len(data)
                if self._left < 0:
                    raise TooLargeError
                buffer[: len(data)] = data
                return len(data)


async def ingest(request: Request) -> Response:
    """``/ingest``."""
    site: Site = request.app.state.site
    state = request.app.state
    if not site.token:
        return _error(403, "No lines are taken here; start clew ui with --store and --token.")
    if not is_token(bearer(request.headers), site):
        return _error(401, "The token is not the one that clew ui was started with.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CONTENT_TYPE:
        return _error(415, f"Lines come as {CONTENT_TYPE}.")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("gzip", "identity"):
        return _error(415, "Lines come as gzip, or as they are.")
    if getattr(state, "ingesting", 0) >= _WAITING:
        return _error(503, "Others are being stored; come again.", {"retry-after": "1"})
    state.ingesting = getattr(state, "ingesting", 0) + 1
    try:
        return await _take(request, site, gzipped=encoding == "gzip")
    finally:
        state.ingesting -= 1


async def _take(request: Request, site: Site, *, gzipped: bool) -> Response:
    try:
        body = await _body(request)
        added = await run_in_threadpool(store, site, body, gzipped=gzipped)
    except TimeoutError:
        return _error(408, "The request did not come to an end.")
    except TooLargeError:
        return _error(
            413, f"A request has up to {MAX_BODY >> 20} MB, and unfolds to {MAX_PLAIN >> 20} MB."
        )
    except (EOFError, zlib.error, ValueError):
        return _error(400, "The body is not whole, or no gzip.")
    except StoreError as error:
        if isinstance(error.__cause__, EOFError | zlib.error):
            return _error(400, "The body is not whole, or no gzip.")
        return _error(507, str(error))  # which asks to come again
    return JSONResponse({"stored": added.stored, "repeated": added.repeated})


async def _body(request: Request) -> bytes:
    body = bytearray()
    async with asyncio.timeout(_BODY_S):
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY:
                raise TooLargeError
    return bytes(body)


def store(site: Site, body: bytes, *, gzipped: bool) -> Added:
    """Put the lines of a body into the store; returns when they are on the disk."""
    raw = io.BufferedReader(Unfolded(body), _CHUNK) if gzipped else io.BytesIO(body)
    with raw:
        if isinstance(raw, io.BufferedReader) and raw.peek(4)[:4].startswith(_PACKED):
            raise ValueError("packed twice")  # which the reader of files would unfold
        if not gzipped and body.startswith(_PACKED):
            raise ValueError("packed, and says that it is not")
        lines = read_stream(cast("Any", raw), "ingest")
        stored = repeated = 0
        while some := list(islice(lines, _TOGETHER)):
            added = site.shelf.add(some)
            stored, repeated = stored + added.stored, repeated + added.repeated
        return Added(stored, repeated)


def _error(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": sentence}, status, headers)
