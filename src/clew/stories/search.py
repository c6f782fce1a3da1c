"""Find requests by words: which stories have them, and how each of them went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from clew.stories.find import StoryError
from clew.stories.lines import EPOCH
from clew.stories.naming import one_line
from clew.stories.parse import read
from clew.stories.reconstruct import reconstruct
from clew.stories.source import looked_through
from clew.stories.visible import visible
from clew.stories.words import matches, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.stories.lines import RawLine
    from clew.stories.model import Story
    from clew.stories.source import Source
    from clew.stories.store import Store
    from clew.stories.words import Matched

#: Lines with the rarest word that are looked at in a store, newest first.
_MOST_LINES = 5_000
_PAGE = 1_000
#: Requests whose other words are looked up in a store.
_MOST_REQUESTS = 200
#: Words that are asked for one after the other, where every look costs.
_MOST_LOOKS = 2
#: Lambda's longest invocation, and a minute.
_LONGEST = timedelta(minutes=16)
#: What stands in many or all lines of clew's.
_COMMON = {
    "agent", "attempts", "call", "chain", "clew", "cold", "correlation", "debug", "done",
    "duration", "enabled", "error", "failed", "false", "function", "id", "info", "invocation",
    "length", "level", "log", "logger", "message", "ms", "ok", "outcome", "received", "request",
    "sent", "source", "span", "start", "started", "time", "timestamp", "trace", "true", "user",
    "version", "warning", "x",
}  # fmt: skip
_BAD = ("ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A story that has the words."""

    story: Story
    words: tuple[str, ...]  # those that it has, of those that were asked for

    @property
    def outcome(self) -> str:
        """``whole``, or the kind of its first break."""
        return self.story.breaks[0].kind if self.story.breaks else "whole"

    @property
    def first_error(self) -> str:
        """The first ERROR that it logged, or else what its first break says; "" if neither."""
        return first_error(self.story)


@dataclass(frozen=True, slots=True)
class FoundStories:
    """The newest stories that have every word; or, where none has, those that have the most."""

    words: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    total: int  # requests that match as well as these
    missing: tuple[str, ...]  # words that none of these has


def search_stories(
    source: Source, text: str, *, since: datetime | None = None, limit: int = 20
) -> FoundStories:
    """The stories in whose log lines all the words of ``text`` occur, newest first.

    The words may stand in different lines of a story: an id in one, an error in another. Where no
    story has all of them, those are found that have the most.

    Raises:
        StoryError: There is no word in the text, or no story has any of them.
        ClewError: The log lines could not be read.
    """
    words = words_of(text)
    if not words:
        raise StoryError("Nothing in that is a word to search for; letters and digits are.")
    if hasattr(source, "search") and hasattr(source, "recent_ids"):
        found = _in_store(source, words, since)
    elif hasattr(source, "newest"):
        found = _at_once(source, words, since)
    else:
        found = matches(source.lines(None, since), words)
    best, total = _best(found, limit)
    if not best:
        raise StoryError(_nothing(source, words, since))
    lines = [line for one in best for line in one.lines]
    parsed = read(lines)
    candidates = tuple(
        Candidate(reconstruct(parsed, one.id), tuple(word for word in words if word in one.words))
        for one in best
    )
    had = {word for one in best for word in one.words}
    return FoundStories(words, candidates, total, tuple(word for word in words if word not in had))


def first_error(story: Story) -> str:
    """The first ERROR of a story, or else what its first break says; "" if neither."""
    bad = [line for hop in story.hops for line in hop.lines if line.level in _BAD]
    if bad:
        line = min(bad, key=lambda one: one.at_ms)
        thrown = line.exception
        why = f": {thrown.type}: {thrown.message}" if thrown else ""
        return one_line(f"{line.message}{why}")
    return one_line(story.breaks[0].sentence) if story.breaks else ""


def candidate_json(one: Candidate) -> dict[str, Any]:
    """A candidate as what JSON can hold."""
    from clew.stories.naming import rfc3339

    story = one.story
    return {
        "id": story.id,
        "at": rfc3339(story.at_ms),
        "duration_ms": story.duration_ms,
        "functions": list(story.functions),
        "hops": len(story.hops),
        "outcome": one.outcome,
        "first_error": one.first_error or None,
        "words": list(one.words),
    }


def _best(found: Mapping[str, Matched], limit: int) -> tuple[list[Matched], int]:
    most = max((len(one.words) for one in found.values()), default=0)
    if not most:
        return [], 0
    best = [one for one in found.values() if len(one.words) == most]
    best.sort(key=lambda one: one.last_ms, reverse=True)
    return best[: max(limit, 1)], len(best)


def _in_store(store: Any, words: tuple[str, ...], since: datetime | None) -> dict[str, Matched]:
    """The requests that a store has the rarest word of, with all of their lines.

    A word that is in every line says nothing, and there may be millions of them.
    """
    from clew.stories.store import Query

    totals = {word: store.search(Query(word, since=since, limit=1)).total for word in words}
    there = sorted((word for word in words if totals[word]), key=lambda word: totals[word])
    found: dict[str, Matched] = {}
    for word in there[:2]:  # the second one finds what has all words but the rarest
        named = matches(_lines_with(store, word, since), (word,))
        newest = sorted(named.values(), key=lambda one: one.last_ms, reverse=True)
        for one in [each for each in newest if each.words][:_MOST_REQUESTS]:
            if one.id not in found:
                whole = matches(store.lines(one.id, since), words).get(one.id)
                if whole is not None:
                    found[one.id] = whole
        if any(len(one.words) == len(there) for one in found.values()):
            break
    return found


def _at_once(source: Any, words: tuple[str, ...], since: datetime | None) -> dict[str, Matched]:
    """The same where every look costs: one for the word that tells most, one for the requests."""
    for word in telling(words)[:_MOST_LOOKS]:
        seen = matches(source.newest(word, since), words)
        named = [one for one in seen.values() if one.words]
        if not named:
            continue
        # Every line has the ids in force, so that most of the words often stand in one.
        named.sort(key=lambda one: (len(one.words), one.last_ms), reverse=True)
        named = named[:_MOST_REQUESTS]
        times = [line.at_ms for one in named for line in one.lines]
        first, last = EPOCH + _ms(min(times)), EPOCH + _ms(max(times))
        ids = {one.id for one in named}
        lines = source.any_of(sorted(ids), first - _LONGEST, last + _LONGEST)
        whole = matches(lines, words)
        return {id_: one for id_, one in whole.items() if id_ in ids}
    return {}


def telling(words: tuple[str, ...]) -> list[str]:
    """The words, those first that are likely to stand in the fewest lines. Pure."""

    def likely(word: str) -> tuple[bool, bool, int]:
        plain = word.removesuffix("*")
        number = any(each.isdigit() for each in plain) and len(plain) > 3
        return plain in _COMMON, not number, -len(plain)

    return sorted(words, key=likely)


def _ms(count: int) -> timedelta:
    return timedelta(milliseconds=count)


def _lines_with(store: Store, word: str, since: datetime | None) -> list[RawLine]:
    from clew.stories.lines import RawLine
    from clew.stories.store import Query

    lines: list[RawLine] = []
    before: int | None = None
    while len(lines) < _MOST_LINES:
        page = store.search(Query(word, since=since, limit=_PAGE, before=before))
        lines += [RawLine(*one[:4]) for one in page.lines]
        before = page.more
        if before is None:
            break
    return lines


def _nothing(source: Source, words: tuple[str, ...], since: datetime | None) -> str:
    until = None if since is None else datetime.now(UTC)
    asked = visible(" ".join(words))
    hint = getattr(source, "hint", "") or (
        "use fewer words, or a * after the beginning of one"
        if since is None
        else "look further back with --since, or use fewer words, or a * after the beginning of one"
    )
    return (
        f"No story has any of these words: {asked}, in {looked_through(source, since, until)};"
        f" {hint}."
    )
