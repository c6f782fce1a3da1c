"""The page of a story: what broke in plain words, and the waterfall with everything in place."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from clew.stories.web.waterfall import waterfall
from stories.runtime import Run, story_of

from .asking import Browser, text_of
from .conftest import BROKEN, broken_request

if TYPE_CHECKING:
    from clew.stories.web.shelf import Shelf

LOST = "api-a sent to the Kinesis stream clicks at 03:04:05.070 UTC, and nobody received it."


def test_breaks_stand_first_and_lead_to_their_hops(browser: Browser) -> None:
    html = browser.get(f"/story/{BROKEN}").text
    head, _, fall = html.partition('class="fall"')
    assert LOST in text_of(head)
    assert "mail failed on what api-a sent to the SNS topic orders" in text_of(head)
    places = re.findall(r'<li><a href="#(hop-\d+)"', head)
    assert len(places) == 2
    for place in places:
        assert f'id="{place}"' in fall
    assert "card declined" in text_of(head), "errors are told above the waterfall"


def test_the_waterfall_has_hops_ids_lines_and_what_nobody_received(browser: Browser) -> None:
    html = browser.get(f"/story/{BROKEN}").text
    told = text_of(html.partition('class="fall"')[2])
    for words in (
        "api-a API Gateway cold start",
        "ids added user-id=42",
        "calling uri=http://127.0.0.1/b",
        "api-b GET 127.0.0.1:4566/b",
        "mail SNS topic orders failed",
        "Kinesis stream clicks not received",
        "ValueError: no card",
    ):
        assert words in told, words
    opened = re.findall(r'<details class="hop (\w+)" id="[^"]+" data-row( open)?>', html)
    assert [tone for tone, is_open in opened if is_open] == ["bad", "bad"]


def test_the_beginning_of_an_id_is_enough_and_json_is_whole(browser: Browser) -> None:
    assert BROKEN in browser.get(f"/story/{BROKEN[:8]}").text
    story = json.loads(browser.get(f"/story?id={BROKEN}&as=json").text)
    assert [one["kind"] for one in story["breaks"]] == ["not received", "failed"]


def test_what_is_not_there_is_said_and_can_be_waited_for(browser: Browser) -> None:
    answer = browser.get("/story/4f0c1f0x")
    assert answer.status_code == 404
    assert "No log line has the id 4f0c1f0x" in text_of(answer.text)
    assert "data-waiting" in answer.text
    assert browser.get("/story/").status_code == 404
    assert browser.get("/story").status_code == 404


def test_a_story_that_is_whole_says_so(browser: Browser) -> None:
    told = text_of(browser.get("/story/5f0c1f0e").text)
    assert "Nothing broke, and nothing that was sent is missing." in told


def test_bars_stand_where_things_happened() -> None:
    story = story_of(*broken_request("request-1"))
    rows = waterfall(story).rows

    def part(ms: int) -> Any:
        return pytest.approx(1000 * ms / story.duration_ms, abs=0.11)

    placed: dict[str, Any] = {row.name: (row.at, row.wide, row.tone) for row in rows}
    assert placed["api-a"] == (0, part(120), "done")
    assert placed["api-b"] == (part(10), part(8), "done")
    assert placed["mail"] == (part(70), part(20), "bad")
    assert placed["Kinesis stream clicks"] == (part(70), 0, "bad")
    assert [row.depth for row in rows] == [0, 1, 1, 1]


def test_deliveries_and_a_second_life_are_told_in_order() -> None:
    edge = Run("edge", source="aws:apigateway")
    sent = edge.send(edge.receive(), "kinesis", "orders", "PutRecord", at=1)
    edge.end()
    runs = [edge]
    for at in (10, 20):
        run = Run("reader", at=at, source="aws:kinesis", request_id=f"r{at}")
        run.receive(answers=sent, outcome="failed" if at == 10 else "done", error="KeyError: 'a'")
        run.end(KeyError("a") if at == 10 else None)
        runs.append(run)
    rows = waterfall(story_of(*runs)).rows
    assert [row.said for row in rows[1:]] == [
        ("delivery 1 of 2", "a later attempt succeeded (delivery 2)"),
        ("delivery 2 of 2",),
    ]
    assert [row.tone for row in rows] == ["done", "warn", "done"]


def test_a_chain_of_thousands_of_hops_comes_in_pages(shelf: Shelf, browser: Browser) -> None:
    runs, sent = [], ""
    for number in range(1200):
        run = Run("chain", at=number, source="aws:sns", request_id=f"r{number}")
        received = run.receive("a-long-chain", answers=sent)
        sent = run.send(received, at=number).span_id
        run.end()
        runs.append(run)
    shelf.add(line for run in runs for line in run.lines)
    names: list[str] = []
    path = "/story/a-long-chain"
    while path and len(names) < 5000:
        html = browser.get(path).text
        names += re.findall(r' id="(hop-\d+|sent-\w+)"', html)
        more = re.search(r'<p class="more"><a href="([^"]+)"', html)
        path = more[1].replace("&amp;", "&") if more else ""
    assert names[:1200] == [f"hop-{number}" for number in range(1, 1201)]
    assert len(names) == 1201
