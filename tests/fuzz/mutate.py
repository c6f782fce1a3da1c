"""Break an event at random: fast and simple, so that a million of them take minutes."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

_ODD: tuple[Any, ...] = (
    None, True, 0, -1, 10**40, 1.5, float("nan"), "", " ", "true", "%%%", "e30=", "\x00\x1b[2J\r\n",
    "\u202e\ud800", "é" * 300, "a" * 257, "{" * 400, '{"__context":{}}', '{"__context":7}', b"\xff",
    [], {}, [None], {"x-correlation-id": "\n"}, {"Value": None}, [[]], "00-" + "0" * 52, "9" * 5,
)  # fmt: skip
_NAMES = (
    "__context", "__context__", "x-correlation-id", "X-Correlation-ID", "x-correlation-\u202e",
    "debug-log-enabled", "debug-log-signature", "call-chain-length", "traceparent", "tracestate",
    "baggage", "user-agent", "clew-context", "x-amzn-trace-id", "Records", "headers", "body", "",
)  # fmt: skip


def mutated(event: Any, random: random.Random) -> Any:
    """A copy of ``event`` (JSON values) broken in one to four places."""
    for _ in range(random.randint(1, 4)):
        event = _broken(event, random, depth=0)
    return event


def _broken(value: Any, random: random.Random, depth: int) -> Any:
    go_deeper = depth < 8 and random.random() < 0.85
    if isinstance(value, dict) and value and go_deeper:
        return _broken_dict(value, random, depth)
    if isinstance(value, list) and value and go_deeper:
        index = random.randrange(len(value))
        if random.random() < 0.1:
            return [*value, *value[:index]]
        return [*value[:index], _broken(value[index], random, depth + 1), *value[index + 1 :]]
    if isinstance(value, str) and value and random.random() < 0.6:
        return _broken_text(value, random)
    return random.choice(_ODD)


def _broken_dict(value: dict[Any, Any], random: random.Random, depth: int) -> dict[Any, Any]:
    copied = dict(value)
    name = random.choice(list(copied))
    kind = random.random()
    if kind < 0.1:
        del copied[name]
    elif kind < 0.2:
        copied[random.choice(_NAMES)] = random.choice(_ODD)
    elif kind < 0.25:
        copied[random.choice(_NAMES)] = copied.pop(name)
    else:
        copied[name] = _broken(copied[name], random, depth + 1)
    return copied


def _broken_text(text: str, random: random.Random) -> Any:
    kind = random.random()
    at = random.randrange(len(text))
    if kind < 0.3:
        return text[:at]
    if kind < 0.5:
        return text[:at] + random.choice('\x00\n\x1b\u202e{}",=- é') + text[at:]
    if kind < 0.6:
        return text * 20
    if kind < 0.8:
        return _broken_inside(text, random)
    return text.swapcase()


def _broken_inside(text: str, random: random.Random) -> str:
    """Break what base64 holds, where it is base64."""
    try:
        data = bytearray(b64decode(text, validate=True))
    except ValueError:
        return text[::-1]
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return b64encode(data).decode()
