"""Whose word counts: the signature of the decision to log a call chain at DEBUG.

With ``CLEW_SECRET`` set, nobody without it switches DEBUG on. See docs/explanation/threat-model.md.
"""

from __future__ import annotations

import os
import time

from clew import wire
from clew.errors import ClewError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import timedelta

#: So much may the clocks of two functions differ (seconds).
CLOCK_SKEW = 60
#: No signature counts for longer: who has seen one may use it again for so long (seconds).
MAX_EXPIRES = 7 * 86_400
#: How long a sampled decision counts, if ``CLEW_DEBUG_EXPIRES`` does not say (seconds).
EXPIRES = 3_600
#: Who has seen one signature may try secrets at leisure; so many characters are past guessing.
LONG_ENOUGH = 16
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def sign_debug(correlation_id: str, *, expires: str | float | timedelta = "10m") -> dict[str, str]:
    """The headers of one request that is to be logged at DEBUG through its whole call chain.

    For an operator who has the functions' ``CLEW_SECRET`` in the environment. The signature counts
    for this ``correlation_id`` only (1 to 256 printable ASCII characters, of your choice), and
    until ``expires``: seconds, a ``timedelta``, or a text such as ``"90s"``, ``"10m"``, ``"2h"``;
    at most 7 days.

    Raises `ClewError` without a secret, for an id that cannot travel, and for another ``expires``.

    >>> import os
    >>> import clew
    >>> os.environ["CLEW_SECRET"] = "an example; take 32 random characters"
    >>> sorted(clew.sign_debug("why-is-it-slow"))
    ['debug-log-enabled', 'debug-log-signature', 'x-correlation-id']
    >>> del os.environ["CLEW_SECRET"]
    """
    if not wire.is_value(correlation_id):
        message = (
            f"A correlation id is 1 to {wire.MAX_VALUE} printable ASCII characters; choose another "
            f"than {correlation_id!r:.80}."
        )
        raise ClewError(message)
    signature = sign(correlation_id, seconds(expires))
    if not signature:
        message = "CLEW_SECRET is not set; set it to what the functions have, and sign again."
        raise ClewError(message)
    return {wire.ID: correlation_id, wire.DEBUG: "true", wire.SIGNATURE: signature}


def sign(correlation_id: str, expires_s: float | None = None) -> str:
    """The signature of DEBUG for a call chain; "" where there is no secret to sign with."""
    secrets = _secrets()
    if not secrets:
        return ""
    until = int(time.time() + (_sampled_expires() if expires_s is None else expires_s))
    return f"{until}.{_digest(secrets[0], correlation_id, until)}"


def is_valid(signature: str, correlation_id: str) -> bool:
    """Whether ``signature`` is one of ours for this call chain, and still counts. Never raises."""
    from hmac import compare_digest

    expiry, _, digest = signature.partition(".")
    if not (expiry.isdecimal() and expiry.isascii() and len(expiry) <= 11 and digest.isascii()):
        return False
    until, now = int(expiry), time.time()
    valid = False
    for secret in _secrets():  # all of them, so that the time taken tells nothing
        valid |= compare_digest(_digest(secret, correlation_id, until), digest)
    return valid and now - CLOCK_SKEW <= until <= now + MAX_EXPIRES + CLOCK_SKEW


def _digest(secret: bytes, correlation_id: str, until: int) -> str:
    import hmac

    text = f"clew\n{wire.DEBUG}: true\n{until}\n{correlation_id}"
    return hmac.digest(secret, text.encode("utf-8", "surrogatepass"), "sha256").hex()


def _secrets() -> list[bytes]:
    """The first signs, all verify: so a secret is changed while functions have the old one."""
    listed = os.environ.get("CLEW_SECRET", "").split(",")
    secrets = [one.strip().encode("utf-8", "surrogateescape") for one in listed if one.strip()]
    if any(len(one) < LONG_ENOUGH for one in secrets):
        from clew.log.internal import warn_once

        warn_once(
            "secret",
            f"CLEW_SECRET has a secret of fewer than {LONG_ENOUGH} characters: it can be guessed",
        )
    return secrets


def _sampled_expires() -> float:
    wanted = os.environ.get("CLEW_DEBUG_EXPIRES", "")
    try:
        return seconds(wanted) if wanted else EXPIRES
    except ClewError as error:
        from clew.log.internal import warn_once

        warn_once("expires", f"CLEW_DEBUG_EXPIRES is taken to be 1h: {error}")
        return EXPIRES


def seconds(length: str | float | timedelta) -> float:
    """A length of time in seconds, up to 7 days. Raises `ClewError` for anything else."""
    found: float | None = None
    if isinstance(length, str):
        number, unit = length.strip()[:-1], length.strip()[-1:]
        if number.isdecimal() and number.isascii() and len(number) <= 9 and unit in _UNITS:
            found = float(number) * _UNITS[unit]
    elif isinstance(length, int | float):
        found = None if isinstance(length, bool) else float(length)
    else:
        found = length.total_seconds()
    if found is None or not 0 < found <= MAX_EXPIRES:
        message = f"{length!r} is no length of time up to 7 days; say it as 90s, 10m, 2h or 1d."
        raise ClewError(message)
    return found
