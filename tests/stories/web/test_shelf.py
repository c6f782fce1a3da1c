"""What has come since a mark, whenever it is from; and the newest lines of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.stories.lines import RawLine

if TYPE_CHECKING:
    from clew.stories.web.shelf import Shelf


def lines(count: int, at_ms: int, text: str = "line") -> list[RawLine]:
    return [RawLine(at_ms + n, "/aws/lambda/f", "s", f"{text} {n}") for n in range(count)]


def test_news_are_what_was_stored_later_even_if_it_is_older(shelf: Shelf) -> None:
    mark = shelf.mark()
    assert shelf.since(mark, 100) == (mark, (), False)
    shelf.add(lines(3, 1_900_000_000_000, "new"))
    shelf.add(lines(2, 1_000, "late"))
    news = shelf.since(mark, 100)
    assert {one.message for one in news.lines} == {"new 0", "new 1", "new 2", "late 0", "late 1"}
    assert [one.at_ms for one in news.lines] == sorted(one.at_ms for one in news.lines)
    assert not news.missed
    assert shelf.since(news.mark, 100).lines == ()


def test_of_too_many_the_newest_are_told(shelf: Shelf) -> None:
    mark = shelf.mark()
    shelf.add(lines(1000, 1_900_000_000_000))
    news = shelf.since(mark, 100)
    assert news.missed
    assert news.lines[-1].message == "line 999"
    assert len(news.lines) <= 100
    assert news.mark == shelf.mark()


def test_a_store_that_was_emptied_begins_again(shelf: Shelf) -> None:
    assert shelf.since(shelf.mark() + 5, 10) == (shelf.mark(), (), False)


def test_the_newest_of_a_kind(shelf: Shelf) -> None:
    found = shelf.newest("invocation", None, None, 2)
    assert [one.function for one in found] == ["api-a", "mail"]
    assert {one.kind for one in found} == {"invocation"}
