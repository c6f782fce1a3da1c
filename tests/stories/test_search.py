"""Stories are found by words, wherever in their lines these stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clew.stories import StoryError
from clew.stories.search import candidate_json, search_stories, telling
from clew.stories.store import Store
from clew.stories.words import finder, matches, words_of

from .runtime import Run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from clew.stories.lines import RawLine


class Log:
    """A source that has all lines."""

    name = "a test"

    def __init__(self, lines: list[RawLine]) -> None:
        self.all = lines

    def lines(
        self, text: str | None, since: datetime | None = None, until: datetime | None = None
    ) -> list[RawLine]:
        return [line for line in self.all if text is None or text in line.message]


class Billed(Log):
    """A source that looks for several texts at once, and counts how often."""

    readings = 0

    def lines(
        self, text: str | None, since: datetime | None = None, until: datetime | None = None
    ) -> list[RawLine]:
        raise AssertionError("every line would be read")

    def any_of(
        self, texts: Sequence[str], since: datetime | None = None, until: datetime | None = None
    ) -> list[RawLine]:
        self.readings += 1
        wanted = [text.lower() for text in texts]
        return [line for line in self.all if any(one in line.message.lower() for one in wanted)]

    def newest(
        self, word: str, since: datetime | None = None, until: datetime | None = None
    ) -> list[RawLine]:
        return self.any_of([word.removesuffix("*")])


def lines() -> list[RawLine]:
    found: list[RawLine] = []
    for number in range(1, 5):
        edge = Run("checkout-api", at=number * 1000, source="aws:apigateway")
        got = edge.receive(f"request-{number}", user="42" if number < 4 else "7")
        edge.log(got, "Checkout started", cart=number)
        publish = edge.send(got)
        found += edge.end()
        mail = Run("mail", at=number * 1000 + 20)
        bad = number in {2, 3}
        received = mail.receive(
            f"request-{number}", answers=publish, outcome="failed" if bad else "done"
        )
        if bad:
            mail.log(received, "card declined", level="ERROR", at=number * 1000 + 22)
        found += mail.end(ValueError("no card") if bad else None)
    return found


def test_words_are_letters_and_digits() -> None:
    assert words_of('User-42  "checkout" fail* user {x}') == (
        "user",
        "42",
        "checkout",
        "fail*",
        "x",
    )
    assert words_of("... ---") == ()
    assert len(words_of(" ".join(map(str, range(100))))) == 32
    find = finder(("fail*", "42", "über"))
    assert find("FAILED on 421 Über") == {"fail*", "über"}
    assert find("prefail 42") == {"42"}


@pytest.mark.parametrize("kind", ["all", "billed", "store"])
def test_words_may_stand_in_different_lines(kind: str, tmp_path: Path) -> None:
    if kind == "store":
        with Store(tmp_path / "logs.db", write=True) as into:
            into.add(lines())
    source = {"all": Log, "billed": Billed}[kind](lines()) if kind != "store" else None
    with Store(tmp_path / "logs.db", write=True) as store:
        found = search_stories(source or store, "user 42 checkout failed")
    assert [one.story.id for one in found.candidates] == ["request-3", "request-2"]
    assert (found.total, found.missing) == (2, ())
    newest = found.candidates[0]
    assert newest.story.functions == ("checkout-api", "mail")
    assert newest.outcome == "failed"
    assert newest.first_error == "card declined"
    assert candidate_json(newest)["words"] == ["user", "42", "checkout", "failed"]
    if isinstance(source, Billed):
        assert source.readings == 2


def test_where_every_look_costs_the_word_that_tells_most_is_asked_for() -> None:
    assert telling(("user", "42", "checkout", "failed", "7f0c1a")) == [
        "7f0c1a",
        "checkout",
        "42",
        "failed",
        "user",
    ]
    log = Billed(lines())
    found = search_stories(log, "pony declined")
    assert [one.story.id for one in found.candidates] == ["request-3", "request-2"]
    assert log.readings == 2  # of these two words, it is the longer one
    found = search_stories(log, "hippopotamus declined")
    assert (found.total, found.missing, log.readings) == (2, ("hippopotamus",), 5)
    with pytest.raises(StoryError, match="No story has any of these words"):
        search_stories(log, "unicorn dragons griffin")
    assert log.readings == 7  # and no third word


def test_the_nearest_are_found_where_none_has_all() -> None:
    found = search_stories(Log(lines()), "declined unicorn")
    assert [one.story.id for one in found.candidates] == ["request-3", "request-2"]
    assert found.missing == ("unicorn",)
    found = search_stories(Log(lines()), "checkout", limit=1)
    assert (len(found.candidates), found.total) == (1, 4)
    assert found.candidates[0].outcome == "whole"
    assert found.candidates[0].first_error == ""


def test_a_batch_does_not_lend_its_words_to_every_record_of_it() -> None:
    run = Run("fan", source="aws:kinesis")
    for number in range(40):
        run.receive(
            f"record-{number}",
            outcome="failed" if number == 7 else "done",
            error="boom" * (number == 7),
        )
    found = matches(run.end(), ("boom", "fan"))
    assert [id_ for id_, one in found.items() if "boom" in one.words] == ["record-7"]
    assert all("fan" in found[f"record-{number}"].words for number in range(40))


def test_what_lambda_said_counts_for_the_request_that_it_served() -> None:
    run = Run("slow", request_id="8c7ad3a2-6c3a-4a4e-8f5f-5d8a3e0b7a11")
    run.log(run.receive("request-1"), "starting")
    run.text(f"{run.request_id} Task timed out after 3.00 seconds", at=3000)
    found = search_stories(Log(run.lines), "timed out")
    assert found.candidates[0].outcome != "whole"


def test_nothing_found_is_said_in_one_sentence() -> None:
    with pytest.raises(
        StoryError, match=r"^No story has any of these words: unicorn, in a test; use"
    ):
        search_stories(Log(lines()), "\x1b unicorn")
    with pytest.raises(StoryError, match="Nothing in that is a word"):
        search_stories(Log(lines()), "-- \x1b")
