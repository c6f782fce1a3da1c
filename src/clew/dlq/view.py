"""A letter on a terminal. What stands in them is hostile: it is shown as text."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from clew.dlq.letter import BATCH, EVENT, INVOCATION, LETTER, MESSAGE, Letter
from clew.stories.naming import one_line, short_target, source_name
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from clew.dlq.opened import Opened

_HEX_WIDTH = 16
_MAX_HEX = 4096
_MAX_PAYLOADS = 20
_KINDS = {
    LETTER: "clew's dead letter",
    BATCH: "Lambda's record of a batch that was given up",
    INVOCATION: "Lambda's record of an invocation that failed",
    EVENT: "the event of an invocation that failed",
    MESSAGE: "a message",
}


def print_letter(opened: Opened, console: Console, command: str) -> None:
    """All that is known of one letter; ``command`` shows its story."""
    letter = opened.letter
    console.print(Text.assemble("Dead letter ", (visible(letter.id), "bold")))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(letter):
        facts.add_row(f"  {name}", _text(value))
    console.print(facts)
    if letter.problem:
        console.print(Text(f"\n{visible(letter.problem)}", style="yellow"), soft_wrap=True)
    if letter.error:
        console.print()
        console.print(Text.assemble("Error  ", (visible(letter.error), "red")), soft_wrap=True)
        for line in letter.stack:
            for each in line.split("\n"):
                console.print(Text(f"  {visible(each)}", style="dim"), soft_wrap=True)
    for life in _history(letter):
        console.print(Text(f"  before: {visible(life)}", style="dim"), soft_wrap=True)
    _print_payloads(console, opened)
    if command:
        console.print(Text.assemble("\nStory  ", (visible(command), "bold")), soft_wrap=True)


def _print_payloads(console: Console, opened: Opened) -> None:
    if opened.problem:
        console.print(Text(f"\n{visible(opened.problem)}", style="yellow"), soft_wrap=True)
    payloads = opened.payloads
    for one in payloads[:_MAX_PAYLOADS]:
        console.print()
        told = count(len(one.data), "byte")
        if one.correlation_id and opened.letter.batch is not None:
            told += f", request {one.correlation_id}"
        console.print(
            Text.assemble((visible(one.name), "bold"), (f"  {visible(told)}", "dim")),
            soft_wrap=True,
        )
        for line in payload_lines(one.data):
            console.print(Text(f"  {line}"), soft_wrap=True)
    if len(payloads) > _MAX_PAYLOADS:
        more = count(len(payloads) - _MAX_PAYLOADS, "record")
        console.print(f"\n{more} more; --json has all of them", style="dim", markup=False)


def payload_lines(data: bytes) -> Iterator[str]:
    """A payload to read: JSON indented, other text as it is, anything else in hex."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        yield from _hex(data)
        return
    try:
        value = json.loads(text)
        text = json.dumps(value, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        pass
    for line in text.splitlines() or [""]:
        indent = len(line) - len(line.lstrip(" "))
        yield " " * indent + visible(line[indent:])


def _hex(data: bytes) -> Iterator[str]:
    for start in range(0, min(len(data), _MAX_HEX), _HEX_WIDTH):
        piece = data[start : start + _HEX_WIDTH]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in piece)
        yield f"{start:08x}  {piece.hex(' '):<{_HEX_WIDTH * 3}} {shown}"
    if len(data) > _MAX_HEX:
        yield f"… {len(data) - _MAX_HEX:,} bytes more; --json has all of them"


def origin(letter: Letter) -> str:
    """``Kinesis orders``: the source that a record came from."""
    name = source_name(letter.source) if letter.source else ""
    if letter.kind in (INVOCATION, EVENT):
        return "invocation"
    where = short_target(letter.origin) if letter.origin else ""
    if letter.source == "aws:dynamodb" and ":table/" in letter.origin:
        where = letter.origin.partition(":table/")[2].partition("/")[0]
    return f"{name} {where}".strip()


def _facts(letter: Letter) -> Iterator[tuple[str, str]]:
    yield "kind", _KINDS[letter.kind]
    if letter.correlation_id:
        yield "request", letter.correlation_id
    if letter.function:
        yield "function", _function(letter)
    if letter.origin or letter.source:
        yield "from", f"{origin(letter)}{_place(letter)}"
    if letter.batch is not None:
        batch = letter.batch
        yield "records", f"{batch.size}, {batch.first} to {batch.last} of {batch.shard_id}"
    if letter.at is not None:
        yield (
            "sent at" if letter.kind == MESSAGE else "failed at",
            letter.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        )
    if letter.attempts:
        lives = f" in {letter.lives} lives" if letter.lives > 1 else ""
        yield "attempts", f"{letter.attempts}{lives}"
    if letter.envelope is not None:
        own = letter.envelope.members
        yield "policy", str(own.get("policy", ""))
        for name, value in own["correlation"].items():
            if name.startswith("x-correlation-") and name != "x-correlation-id":
                yield name.removeprefix("x-correlation-"), str(value)
    yield "message", f"{letter.message.id}, received {_times(letter.message.receives)} before"


def _function(letter: Letter) -> str:
    if letter.envelope is None:
        return letter.function
    last = letter.envelope.members["function"]
    version, request = last.get("version", ""), last.get("requestId", "")
    return f"{letter.function} version {version}, request {request}"


def _place(letter: Letter) -> str:
    if letter.envelope is None:
        return ""
    own = letter.envelope.members["origin"]
    names = {
        "shardId": "",
        "sequenceNumber": "sequence number ",
        "partitionKey": "key ",
        "messageGroupId": "group ",
    }
    parts = [f"{said}{own[name]}" for name, said in names.items() if own.get(name)]
    return "".join(f", {part}" for part in parts)


def _history(letter: Letter) -> Iterator[str]:
    past = letter.envelope.members.get("history") if letter.envelope is not None else None
    for life in past if isinstance(past, list) else ():
        if isinstance(life, dict):
            error = life.get("error") if isinstance(life.get("error"), dict) else {}
            function = life.get("function") if isinstance(life.get("function"), dict) else {}
            yield one_line(
                f"{life.get('lastAttemptAt', '')} in {_get(function, 'name')}: "
                f"{_get(error, 'type')}: {_get(error, 'message')}"
            )


def _get(found: Any, name: str) -> str:
    return str(found.get(name, "")) if isinstance(found, dict) else ""


def count(number: int, what: str = "dead letter") -> str:
    """``1 dead letter``, ``2 dead letters``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def _text(value: str) -> Text:
    return Text(visible(value))
