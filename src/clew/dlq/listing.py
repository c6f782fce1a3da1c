"""Letters on a terminal, a row for each. What stands in them is hostile: it is shown as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from clew.dlq.view import origin
from clew.stories.naming import one_line
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from clew.dlq.letter import Letter

_ID, _REQUEST = 8, 13
_MAX_ERROR = 300
_GAP = 2
#: Columns that an error keeps beside long names, and a name beside a long error.
_LEAST_ERROR, _LEAST_NAME = 16, 8


def table(letters: Sequence[Letter], now: datetime, width: int) -> Table:
    """A row for each letter, none wider than ``width`` columns.

    Ids, tries and age are always there; names that are too long are cut in their middle, where
    those that are alike differ least, and errors at their end.
    """
    rows = [
        (
            visible(letter.id[:_ID])[:_ID],
            visible(letter.correlation_id[:_REQUEST])[:_REQUEST],
            visible(letter.function),
            visible(origin(letter)),
            str(letter.attempts or ""),
            age(letter.at, now),
            _error(letter),
        )
        for letter in letters
    ]
    names = ("id", "request", "function", "from", "tries", "age", "error")
    natural = [
        max(len(name), *(len(row[column]) for row in rows)) for column, name in enumerate(names)
    ]
    room = width - _GAP * (len(names) - 1)
    widths = [*natural]
    widths[2], widths[3], widths[6] = shares(
        natural[2], natural[3], natural[6], room - sum(natural) + sum(natural[2:4]) + natural[6]
    )
    made = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for name, most in zip(names, widths, strict=True):
        made.add_column(name, no_wrap=True, max_width=most)
        if name in ("tries", "age"):
            made.columns[-1].justify = "right"
    for id_, request, function, source, tries, since, error in rows:
        cells = (id_, request, middle(function, widths[2]), middle(source, widths[3]), tries, since)
        made.add_row(*(Text(cell) for cell in cells), error)
    return made


def shares(function: int, source: int, error: int, room: int) -> tuple[int, int, int]:
    """How many columns of ``room`` the three get that can be cut, of as many as they would take."""
    names = max(room - min(error, _LEAST_ERROR), 2 * _LEAST_NAME)
    if function + source > names:
        half = names // 2
        function, source = (
            min(function, max(half, names - source)),
            min(source, max(names - half, names - function)),
        )
    return function, source, max(room - function - source, _LEAST_NAME)


def middle(text: str, most: int) -> str:
    """``text``, with what is more than ``most`` characters left out of its middle."""
    if len(text) <= most:
        return text
    end = (most - 1) // 2
    return f"{text[: most - 1 - end]}…{text[len(text) - end :]}"


def _error(letter: Letter) -> Text:
    if letter.problem:
        return Text(visible(one_line(letter.problem, _MAX_ERROR)), style="yellow")
    if not letter.error and letter.payload is not None:
        said = letter.payload[:_MAX_ERROR].decode("utf-8", "replace")
        return Text(visible(one_line(said, _MAX_ERROR)), style="dim")
    # Without its module, which show has: the message has little room.
    shown = Text(visible(letter.error_type.rpartition(".")[2]), style="red")
    if letter.error_message:
        shown.append(": " if letter.error_type else "", style="default")
        shown.append(visible(one_line(letter.error_message, _MAX_ERROR)), style="default")
    return shown


def age(at: datetime | None, now: datetime) -> str:
    """``5m``: how long ago, in its largest unit."""
    if at is None:
        return ""
    seconds = max(int((now - at).total_seconds()), 0)
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
