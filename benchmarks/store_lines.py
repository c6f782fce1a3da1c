"""As many requests of examples/correlation as one likes, from the lines that one of them wrote.

``store_lines.ndjson`` has them as CloudWatch Logs had them: an INFO line and the invocation line of
each of the seven hops. Ids, spans, times and durations are other ones in every request.
"""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from clew.stories.lines import RawLine

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINES = Path(__file__).with_name("store_lines.ndjson")
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
_CHANGING = re.compile(
    rf"{_UUID}|{_TIME}|\b[0-9a-f]{{32}}\b|\b[0-9a-f]{{16}}\b|(?<=post-)[0-9a-f]{{12}}"
    r"|(?<=lookup-)[0-9a-f]{8}|(?<=notification-)[0-9a-f]{6,}|(?<=timeline-)[0-9a-f]{6,}"
    r'|(?<="sequenceNumber":")\d+|(?<="durationMs":)[0-9.]+|(?<="ms":)[0-9.]+'
)
LINES_OF_ONE = 14


def requests(count: int, *, seed: int = 7) -> Iterator[RawLine]:
    """The lines of so many requests, ten milliseconds apart."""
    draw = random.Random(seed)
    told = [json.loads(line) for line in _LINES.read_text().splitlines()]
    known: dict[str, int] = {}
    lines = []
    for line in told:
        parts = _CHANGING.split(line["message"])
        of_line = [known.setdefault(one, len(known)) for one in _CHANGING.findall(line["message"])]
        lines.append((line, parts, of_line))
    start = min(line["at"] for line in told)
    for number in range(count):
        values = [_other(one, draw, number * 10) for one in known]
        for line, parts, of_line in lines:
            message = parts[0]
            for place, part in zip(of_line, parts[1:], strict=True):
                message += values[place] + part
            at_ms = start + number * 10 + (line["at"] - start) % 1000
            yield RawLine(at_ms, line["logGroup"], line["stream"], message)


def _other(value: str, draw: random.Random, later_ms: int) -> str:
    if value.endswith("Z"):
        at = datetime.fromisoformat(value).timestamp() + later_ms / 1000
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
    if "." in value:
        return f"{float(value) * draw.uniform(0.5, 2):.3f}"
    if value.isdigit():
        return str(draw.randrange(10 ** (len(value) - 1), 10 ** len(value)))
    digits = f"{draw.getrandbits(4 * len(value)):0{len(value)}x}"
    return "".join("-" if old == "-" else new for old, new in zip(value, digits, strict=True))
