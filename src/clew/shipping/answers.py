"""What a sink answered, and what follows. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from clew.shipping.errors import ShippingError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What a sink said is kept to this many characters.
MAX_SAID = 300
#: RFC 9110, and RFC 6585 for 429: worth another try. 425 and 408 say so themselves.
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 509, 529})
#: It is not the lines that are wrong: the address, the secret or a permission.
MISCONFIGURED = frozenset({401, 402, 403, 404, 405, 406, 407, 410, 415, 421, 426, 451})
_NOTHING: Mapping[int, str] = {}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the lines of one request, by their place in it; the others are taken."""

    #: To be sent once more.
    again: tuple[int, ...] = ()
    #: Refused for good, with the sink's reason.
    refused: Mapping[int, str] = field(default_factory=lambda: _NOTHING)
    #: Why some are to be sent once more.
    why: str = ""
    #: How long the sink asks to be left alone, in seconds.
    wait_s: float = 0.0


TAKEN = Outcome()


class BusyError(ShippingError):
    """The sink did not take the request, and may do so later."""

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        #: How long the sink asks to be left alone, in seconds.
        self.wait_s = wait_s


class UnusableError(ShippingError):
    """The sink cannot be used as it is configured. The lines are not to blame."""


class TooLargeError(ShippingError):
    """The request is more than the sink takes at once."""


class RefusedError(ShippingError):
    """The sink refuses something in the request for good, and does not say which line."""


def check(status: int, headers: Mapping[str, str], body: bytes, name: str) -> None:
    """Return if an HTTP server took a request.

    Args:
        status: Of its answer.
        headers: Likewise; looked at without regard to case.
        body: Likewise.
        name: What to call the sink, without its secrets.

    Raises:
        BusyError: It may take it later.
        UnusableError: It has to be configured in another way.
        TooLargeError: It takes less at once.
        RefusedError: It never takes it.
    """
    if 200 <= status < 300:
        return
    what = f"{name} answered {status}{said(body)}"
    if status in AGAIN:
        raise BusyError(what, retry_after_s(headers))
    if status == 413:
        raise TooLargeError(what)
    if status < 400 or status in MISCONFIGURED:
        raise UnusableError(f"{what}; look at CLEW_SHIP_TO and its secret.")
    if status < 500:
        raise RefusedError(what)
    raise BusyError(what, retry_after_s(headers))


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float:
    """What ``Retry-After`` asks for, in seconds or as a date (RFC 9110); 0 where there is none."""
    value = next((headers[name] for name in headers if name.lower() == "retry-after"), "").strip()
    if not value or len(value) > 64:
        return 0.0
    try:
        wait_s = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError):
            return 0.0
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        wait_s = (at - (now or datetime.now(UTC))).total_seconds()
    return max(wait_s, 0.0) if math.isfinite(wait_s) else 0.0


def said(body: bytes | str) -> str:
    """What a sink said, in one short line that no terminal obeys; "" where it said nothing."""
    text = body[: 4 * MAX_SAID]
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    words = re.sub(r"\s+", " ", text).strip()
    shown = "".join(each if each.isprintable() else "?" for each in words)[:MAX_SAID]
    return f": {shown}" if shown else ""
