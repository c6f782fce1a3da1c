"""Which letters are meant. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from clew.dlq.letter import Letter

#: Shorter beginnings of an id would mean several letters by chance.
MIN_ID = 4


@dataclass(frozen=True, slots=True)
class Filter:
    """What a letter has to be; what is empty counts for all."""

    #: The name of the function that failed.
    function: str = ""
    #: The type of the error, or a part of its text.
    error: str = ""
    #: The beginning of a correlation id, of the letter's own id or of the message's.
    id: str = ""
    #: A text anywhere in the payload, the error or the correlation.
    search: str = ""
    #: Seconds since it failed.
    older_than_s: float | None = None
    newer_than_s: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it means all letters."""
        return self == Filter()

    def means(self, letter: Letter, now: datetime) -> bool:
        """Whether ``letter`` is one of those."""
        return (
            (not self.function or self.function == letter.function)
            and (not self.error or _is_error(letter, self.error))
            and (not self.id or named(letter, self.id))
            and self._is_of_age(letter, now)
            and (not self.search or _has(letter, self.search))
        )

    def _is_of_age(self, letter: Letter, now: datetime) -> bool:
        if self.older_than_s is None and self.newer_than_s is None:
            return True
        if letter.at is None:
            return False
        age_s = (now - letter.at).total_seconds()
        return (self.older_than_s is None or age_s > self.older_than_s) and (
            self.newer_than_s is None or age_s < self.newer_than_s
        )


def named(letter: Letter, beginning: str) -> bool:
    """Whether one of its ids begins so."""
    ids = (letter.id, letter.correlation_id, letter.message.id)
    return any(each == beginning for each in ids) or (
        len(beginning) >= MIN_ID and any(each.startswith(beginning) for each in ids)
    )


def exactly(letters: Iterable[Letter], beginning: str) -> list[Letter]:
    """Those that are named so: where some have it as their own id, or as their request's, these."""
    found = [letter for letter in letters if named(letter, beginning)]
    own = [one for one in found if beginning in (one.id, one.message.id)]
    return own or [one for one in found if beginning == one.correlation_id] or found


def _is_error(letter: Letter, wanted: str) -> bool:
    return wanted == letter.error_type or wanted.lower() in letter.error.lower()


def _has(letter: Letter, wanted: str) -> bool:
    payload = (letter.payload or b"").decode("utf-8", "replace")
    texts = [letter.error, letter.correlation_id, letter.message.body, payload]
    if letter.envelope is not None:
        texts += [str(value) for value in letter.envelope.members["correlation"].values()]
    return any(wanted.lower() in each.lower() for each in texts)
