"""Numbers, times and addresses as a page writes them. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from clew.stories.lines import EPOCH

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What may stand in a path as it is. A browser takes dots for steps up, so they do not begin one.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@=+,~-]{0,255}", re.ASCII).fullmatch
_AGE = re.compile(r"(\d{1,6})(s|m|h|d)", re.ASCII).fullmatch
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LAST_MS = 253_402_300_799_999


def day(at_ms: int) -> str:
    """``2026-01-02``."""
    return f"{_moment(at_ms):%Y-%m-%d}"


def clock(at_ms: int) -> str:
    """``03:04:05.678``, UTC."""
    return f"{_moment(at_ms):%H:%M:%S}.{at_ms % 1000:03d}"


def _moment(at_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=min(max(at_ms, 0), _LAST_MS))


def ago(at_ms: int, now_ms: int) -> str:
    """``5 min ago``."""
    seconds = (now_ms - at_ms) / 1000
    if seconds < 1:
        return "now"
    for name, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {name} ago"
    return f"{seconds:.0f} s ago"


def length(ms: float | None) -> str:
    """A length of time: ``3.2 ms``, ``120 ms``, ``1.35 s``, ``4 min 5 s``."""
    if ms is None:
        return ""
    if ms < 10 and ms != int(ms):
        return f"{ms:.1f} ms"
    if ms < 1000:
        return f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.2f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    return f"{minutes // 60} h {minutes % 60} min"


def offset(ms: int) -> str:
    """How long after the beginning: ``+120`` (ms), ``+82.50s``, ``+130min``."""
    if abs(ms) < 10_000:
        return f"{ms:+d}"
    return f"{ms / 1000:+.2f}s" if abs(ms) < 1_000_000 else f"{ms / 60_000:+.0f}min"


def count(number: float) -> str:
    """``1,234``; ``12k`` and ``3.4M`` where no more is needed."""
    if number < 10_000:
        return f"{number:,.0f}"
    return f"{number / 1e6:.1f}M" if number >= 999_500 else f"{number / 1e3:.0f}k"


def rate(per_second: float) -> str:
    """``3.2/s``, ``14/min``, ``2.0/h``."""
    if per_second >= 0.95:
        return f"{per_second:.1f}/s" if per_second < 10 else f"{per_second:,.0f}/s"
    for per, seconds in (("min", 60), ("h", 3600), ("day", 86_400)):
        number = per_second * seconds
        if number >= 0.95:
            return f"{number:.1f}/{per}" if number < 9.95 else f"{number:.0f}/{per}"
    return "0" if per_second <= 0 else "less than 1/day"


def share(part: float) -> str:
    """``0.3%``, ``12%``."""
    return f"{part:.0%}" if part >= 0.1 or part == 0 else f"{part:.1%}"


def size(number: float) -> str:
    """``1.2 MB``."""
    for unit, of in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= of:
            return f"{number / of:.1f} {unit}"
    return f"{number:.0f} B"


def since(given: str, now: datetime) -> datetime | None:
    """The time that an age (``15m``, ``2h``, ``7d``) or a moment (RFC 3339) means; None if none."""
    if found := _AGE(given):
        try:
            return now - timedelta(seconds=int(found[1]) * _UNITS_S[found[2]])
        except OverflowError:
            return datetime(1970, 1, 1, tzinfo=UTC)
    try:
        at = datetime.fromisoformat(given) if len(given) <= 40 else None
    except ValueError:
        return None
    if at is None:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def story_url(id_: str, fragment: str = "") -> str:
    """Where the story of a request is."""
    path = f"/story/{id_}" if _PLAIN(id_) else f"/story?{urlencode({'id': _storable(id_)})}"
    return f"{path}#{fragment}" if fragment else path


def url(path: str, given: Mapping[str, object]) -> str:
    """A path with the parameters that are not empty."""
    named = {
        name: _storable(str(value)) for name, value in given.items() if value not in ("", None)
    }
    return f"{path}?{urlencode(named)}" if named else path


def part(name: str) -> str:
    """A name as one part of a path."""
    return quote(_storable(name), safe="")


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
