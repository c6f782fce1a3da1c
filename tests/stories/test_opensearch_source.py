"""Lines come out of OpenSearch: those that clew ships there, and those of others."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.errors import ClewError
from clew.shipping.files import lines_from
from clew.shipping.sinks.opensearch import OpenSearchSink
from clew.stories import StoryError, find_story
from clew.stories.lines import EPOCH
from clew.stories.opensearch_source import line_of, open_source
from clew.stories.search import search_stories
from clew.stories.store import Entry

from .opensearch import Server
from .runtime import START_S
from .test_search import lines

if TYPE_CHECKING:
    from clew.stories.lines import RawLine


def shipped(server: Server, found: list[RawLine]) -> None:
    """Index lines exactly as the sink of clew would."""
    sink = OpenSearchSink(None, "", "logs")
    entries = [Entry(*line, event_id=f"{number:056d}") for number, line in enumerate(found)]
    for line in lines_from(entries):
        action, document = sink.pack(line).splitlines()
        create = json.loads(action)["create"]
        server.add(create["_index"], create["_id"], json.loads(document))


def test_a_story_is_found_by_its_id_its_beginning_and_its_words() -> None:
    server = Server()
    shipped(server, lines())
    with server as url:
        source = open_source(url)
        story = find_story(source, "request-3")
        assert story.functions == ("checkout-api", "mail")
        assert find_story(source, "request-4", wait_s=0).breaks == ()
        found = search_stories(source, "USER 42 checkout declined")
        assert [one.story.id for one in found.candidates] == ["request-3", "request-2"]
        with pytest.raises(StoryError, match=r"in the index logs-\* of http://127.0.0.1:\d+; look"):
            find_story(source, "request-9")
    assert all("match_all" not in str(one) for one in server.searches)


def test_every_page_is_read_once_also_where_all_lines_are_of_one_time() -> None:
    server = Server()
    for number in range(95):
        document = {"@timestamp": "2026-01-02T03:04:05.000Z", "message": f"line {number}"}
        server.add("logs-2026.01.02", f"{number:03d}", document)
    with server as url:
        source = open_source(url, "logs-2026.01.02")
        source._page = 10
        found = [line.message for line in source.lines(None)]
    assert found == [f"line {number}" for number in range(95)]
    assert len(server.searches) == 10


def test_the_newest_lines_with_a_word_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clew.stories.opensearch_source._NEWEST", 20)
    server = Server()
    for number in range(60):
        at = f"2026-01-02T03:04:{number:02d}.000Z"
        said = "Declined" if number % 2 else "declines"
        server.add(
            "logs-2026.01.02", f"{number}", {"@timestamp": at, "message": f"{said} {number}"}
        )
    with server as url:
        source = open_source(url)
        source._page = 10
        found = [line.message for line in source.newest("declined")]
        both = [line.message for line in source.newest("decline*")]
    assert found == [f"Declined {number}" for number in range(59, 20, -2)]
    assert both[:2] == ["Declined 59", "declines 58"]
    assert len(both) == 20


def test_only_lines_of_the_time_are_asked_for() -> None:
    server = Server()
    shipped(server, lines())
    start = EPOCH + timedelta(seconds=int(START_S))
    with server as url:
        source = open_source(url)
        later = list(source.lines("checkout", start + timedelta(seconds=3)))
        both = list(source.lines("checkout", start, start + timedelta(seconds=2.5)))
    assert {line.at_ms // 1000 - int(START_S) for line in later} == {3, 4}
    assert {line.at_ms // 1000 - int(START_S) for line in both} == {1, 2}


def test_lines_that_others_ship_are_read_too() -> None:
    server = Server()
    parsed = {
        "@timestamp": "2026-01-02T03:04:05.000Z", "level": "INFO", "message": "hello",
        "x-correlation-id": "request-1", "function": "edge", "spanId": "a" * 16,
    }  # fmt: skip
    server.add("fluent", "1", parsed)
    server.add("fluent", "2", {"@timestamp": "2026-01-02T03:04:06.000Z", "log": "plain request-1"})
    with server as url:
        source = open_source(url, "fluent")
        found = list(source.lines("request-1"))
        assert find_story(source, "request-1").functions == ("edge", "fluent")
    assert json.loads(found[0].message) == parsed
    assert (found[1].message, found[1].log_group) == ("plain request-1", "fluent")


@pytest.mark.parametrize(
    ("server", "index", "said"),
    [
        (Server(user="ann:secret"), "logs-*", r"may not be read with these credentials \(401\)"),
        (Server(), "nothing", "has no index whose name is nothing; name yours with --index"),
        (Server(), "nothing-*", r"has no index whose name is nothing-\*; name yours with --index"),
        (Server(broken_shards=1), "logs-*", "did not answer in full: 1 of its shards failed"),
    ],
)
def test_what_goes_wrong_is_said(server: Server, index: str, said: str) -> None:
    shipped(server, lines())
    with server as url, pytest.raises(ClewError, match=said) as raised:
        list(open_source(url.replace("ann:secret@", "ann:wrong@"), index).lines("x"))
    assert "wrong" not in str(raised.value)


def test_who_may_read_is_let_in() -> None:
    server = Server(user="ann:secret")
    shipped(server, lines())
    with server as url:
        source = open_source(url)
        assert find_story(source, "request-1")
        assert "secret" not in source.name


def test_addresses_that_are_none_and_places_that_do_not_answer_are_said() -> None:
    for wrong in ("search.example.com", "ftp://x", "https://", "http://[x"):
        with pytest.raises(ClewError, match="needs an address like https://"):
            open_source(wrong)
    with pytest.raises(ClewError, match=r"needs \?aws=es or \?aws=aoss"):
        open_source("https://search.example.com?aws=s3")
    with pytest.raises(ClewError, match=r"http://127.0.0.1:9 did not answer: ConnectionError"):
        list(open_source("http://127.0.0.1:9").lines("x"))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["at", "@timestamp", "message", "logGroup", "x"]), _JSON))
def test_whatever_a_document_holds_it_is_a_line(source: dict[str, Any]) -> None:
    line = line_of({"_index": "i", "_id": "1", "_source": source, "sort": [1, "1"]})
    assert isinstance(line.at_ms, int)
    assert isinstance(line.message, str)
    assert isinstance(line.log_group, str)
