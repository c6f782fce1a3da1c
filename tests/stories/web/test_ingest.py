"""Lines that are shipped here are taken once, within bounds, from whoever has the token."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from clew.shipping.batches import Parcel
from clew.shipping.lines import Line, Origin
from clew.shipping.sinks.store import CONTENT_TYPE, PATH, StoreSink, body_of
from clew.stories.web import ingest
from clew.stories.web.site import Site

from .asking import Browser
from .conftest import broken_request

if TYPE_CHECKING:
    import httpx

    from clew.stories.web.shelf import Shelf

TOKEN = "a-token-of-the-tests"


@pytest.fixture
def taking(shelf: Shelf) -> Browser:
    return Browser(Site(shelf, "x", token=TOKEN))


def post(browser: Browser, body: bytes, **headers: str) -> httpx.Response:
    given = {
        "content-type": CONTENT_TYPE,
        "content-encoding": "gzip",
        "authorization": f"Bearer {TOKEN}",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return browser.ask("POST", PATH, content=body, headers=given)


def shipped(count: int = 3) -> bytes:
    """What the sink of the shipping room sends."""
    sink = StoreSink.pack
    parcels = []
    for number in range(count):
        origin = Origin("/aws/lambda/shipped", f"stream-{number % 2}", "1234", ("clew",))
        line = Line(
            1_767_400_000_000 + number, f"shipped line {number}", f"event-{number}", origin,
            "", "", "", None, {},
        )  # fmt: skip
        parcels.append(Parcel(line, sink(None, line)))  # type: ignore[arg-type]
    return gzip.compress(body_of(parcels))


def test_what_the_sink_sends_is_stored_once(taking: Browser, shelf: Shelf) -> None:
    first = post(taking, shipped())
    assert (first.status_code, first.json()) == (200, {"stored": 3, "repeated": 0})
    again = post(taking, shipped())
    assert (again.status_code, again.json()) == (200, {"stored": 0, "repeated": 3})
    found = [line.message for line in shelf.lines("shipped line 2")]
    assert found == ["shipped line 2"]


def test_a_story_can_be_shipped(taking: Browser, shelf: Shelf) -> None:
    lines = [line for run in broken_request("shipped-request") for line in run.lines]
    body = "".join(
        json.dumps(
            {
                "messageType": "DATA_MESSAGE",
                "logGroup": line.log_group,
                "logStream": line.stream,
                "logEvents": [{"id": str(n), "timestamp": line.at_ms, "message": line.message}],
            }
        )
        + "\n"
        for n, line in enumerate(lines)
    ).encode()
    assert post(taking, body, content_encoding="identity").status_code == 200
    page = taking.get("/story/shipped-request", authorization=f"Bearer {TOKEN}")
    assert "mail failed on what api-a sent" in page.text


def test_only_who_has_the_token_may_ship(taking: Browser, browser: Browser) -> None:
    for authorization in ("", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"):
        answer = post(taking, shipped(), authorization=authorization)
        assert answer.status_code == 401, authorization
    # Without a token nobody may: a page that only shows has no door for lines.
    answer = post(browser, shipped())
    assert (answer.status_code, "--token" in answer.json()["error"]) == (403, True)
    assert post(taking, shipped(), host="evil.example.com").status_code == 421


def test_other_forms_are_refused(taking: Browser, shelf: Shelf) -> None:
    before = shelf.stats().lines
    packed = shipped()
    zeros = gzip.compress(gzip.compress(b"{}"))
    cases: list[tuple[bytes, dict[str, str], int]] = [
        (packed, {"content_type": "text/plain"}, 415),
        (packed, {"content_encoding": "br"}, 415),
        (packed[:-9], {}, 400),
        (b"no gzip at all", {}, 400),
        (b"", {}, 400),
        (packed, {"content_encoding": "identity"}, 400),
        (zeros, {}, 400),
        (packed[:40] + b"\0" * 20 + packed[60:], {}, 400),
    ]
    for body, headers, status in cases:
        answer = post(taking, body, **headers)
        assert answer.status_code == status, (headers, body[:20], answer.text)
        assert set(answer.json()) == {"error"}
    assert shelf.stats().lines == before
    assert taking.ask("GET", PATH).status_code == 405


def test_lines_that_make_no_sense_are_taken_as_text(taking: Browser, shelf: Shelf) -> None:
    body = (
        b'{"messageType":"CONTROL_MESSAGE","logGroup":"","logEvents":[{"id":"1","message":"x"}]}\n'
    )
    body += (
        b'{"logGroup":5,"logEvents":[{"message":7},8,{"message":"kept","timestamp":"x"}]}\n\x00\n'
    )
    answer = post(taking, gzip.compress(body))
    assert (answer.status_code, answer.json()["stored"]) == (200, 2)


def test_a_bomb_is_not_unfolded(taking: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    unfolded = 0
    real = ingest.Unfolded.readinto

    def counted(self: ingest.Unfolded, buffer: Any) -> int:
        nonlocal unfolded
        size = real(self, buffer)
        unfolded += size
        return size

    monkeypatch.setattr(ingest.Unfolded, "readinto", counted)
    bomb = gzip.compress(b"0" * (200 << 20), 9)
    assert len(bomb) < 300_000
    answer = post(taking, bomb)
    assert answer.status_code == 413
    assert unfolded <= ingest.MAX_PLAIN


def test_a_body_may_not_be_too_large(taking: Browser) -> None:
    answer = post(taking, b"\0" * (ingest.MAX_BODY + 1))
    assert answer.status_code == 413


def test_a_body_of_several_members_is_one(taking: Browser) -> None:
    event = {"id": "e", "timestamp": 1, "message": "m"}
    batch = {"logGroup": "g", "logStream": "s", "logEvents": [event]}
    other = {**batch, "logEvents": [{**event, "id": "f"}]}
    body = b"".join(gzip.compress(json.dumps(one).encode() + b"\n") for one in (batch, other))
    assert post(taking, body).json() == {"stored": 2, "repeated": 0}
