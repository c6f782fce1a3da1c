"""Letters as JSON, one a line: what is kept of them before they are deleted, and read again."""

from __future__ import annotations

import json
import os
import re
from base64 import b64decode, b64encode
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from clew.dlq.errors import DlqError
from clew.dlq.letter import Letter, read_letter
from clew.dlq.message import Message

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

#: Escapes of a JSON text; those of halves of pairs are groups.
_ESCAPES = re.compile(r"\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(ud[89a-f][0-9a-f]{2})|.)").sub


def letter_json(letter: Letter) -> dict[str, Any]:
    """What is known of a letter, with the message that it came in: all that it takes to go on."""
    message = letter.message
    batch = letter.batch
    return {
        "id": letter.id,
        "kind": letter.kind,
        "correlationId": letter.correlation_id,
        "function": letter.function,
        "error": {
            "type": letter.error_type,
            "message": letter.error_message,
            "stack": list(letter.stack),
        },
        "attempts": letter.attempts,
        "lives": letter.lives,
        "at": letter.at.isoformat().replace("+00:00", "Z") if letter.at else None,
        "source": letter.source,
        "origin": letter.origin,
        "problem": letter.problem,
        "batch": None
        if batch is None
        else {
            "shardId": batch.shard_id,
            "startSequenceNumber": batch.first,
            "endSequenceNumber": batch.last,
            "batchSize": batch.size,
        },
        "message": {
            "messageId": message.id,
            "queueArn": message.queue_arn,
            "receives": message.receives,
            "attributes": dict(message.system),
            "messageAttributes": {
                name: _attribute(value) for name, value in message.attributes.items()
            },
            "body": message.body,
        },
    }


def as_json(value: Any, *, indent: int | None = None) -> str:
    """``value`` as JSON in ASCII, for any reader.

    Halves of surrogate pairs, which JSON can escape and jq does not read, become U+FFFD; a
    message's body cannot have any, and is exact.
    """
    separators = (",", ": ") if indent else (",", ":")
    text = json.dumps(value, indent=indent, separators=separators)
    return _ESCAPES(lambda found: "\\ufffd" if found[1] else found[0], text)


def letters_in(path: Path) -> list[tuple[Letter, list[dict[str, Any]]]]:
    """The letters of a file: an envelope, what `clew dlq show --json` prints, or a purge's export.

    Each with the records of its batch, where the file has them. One that is in it twice counts
    once, as a purge that was cut off and done again leaves it; a line that was cut off is none.

    Raises `DlqError` where it has none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DlqError(f"{path} cannot be read: {error}.") from error
    found = [(_letter(one, path), _records(one)) for one in _objects(text, path)]
    same = {(letter.message.id, letter.message.body): (letter, kept) for letter, kept in found}
    return [*same.values()]


def _records(found: Any) -> list[dict[str, Any]]:
    given = found.get("records") if isinstance(found, dict) else None
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _objects(text: str, path: Path) -> list[Any]:
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        pass
    found = []
    for line in text.split("\n"):
        with suppress(ValueError, RecursionError):
            found.append(json.loads(line))
    if not found:
        raise DlqError(f"{path} has no dead letter: it is not JSON.")
    return found


def _letter(found: Any, path: Path) -> Letter:
    message = found.get("message") if isinstance(found, dict) else None
    if isinstance(message, dict) and isinstance(message.get("body"), str):
        attributes = message.get("messageAttributes")
        system = message.get("attributes")
        whole = found.get("envelope")
        return read_letter(
            Message(
                str(message.get("messageId", "")),
                json.dumps(whole) if isinstance(whole, dict) else message["body"],
                system if isinstance(system, dict) else {},
                {name: _given(value) for name, value in attributes.items()}
                if isinstance(attributes, dict)
                else {},
                str(message.get("queueArn", "")),
            )
        )
    letter = read_letter(Message(path.name, json.dumps(found, ensure_ascii=False)))
    if letter.kind == "message":
        raise DlqError(f"{path} has no dead letter; clew dlq show QUEUE ID --json prints one.")
    return letter


class Export:
    """A file that letters are added to; nothing in it is ever written over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def __enter__(self) -> Export:
        self._file = self.path.open("ab")
        if _is_cut_off(self.path):  # by a full disk, say: the next letter is a line of its own
            self._file.write(b"\n")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError:
            if kind is None:
                raise

    def add(self, letters: Iterable[Letter]) -> None:
        """Write them. They are safe after `sync`. Raises ``OSError``."""
        for letter in letters:
            line = as_json(letter_json(letter))
            self._file.write(line.encode("ascii") + b"\n")
            self.count += 1

    def sync(self) -> None:
        """Wait until all of it is on the disk, and the file in its folder. Raises ``OSError``."""
        self._file.flush()
        os.fsync(self._file.fileno())
        folder = os.open(self.path.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _is_cut_off(path: Path) -> bool:
    """Whether the last line of a file has no end, or may have none."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            if not file.seek(0, os.SEEK_END):
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except OSError:  # it may be written and not read
        return True


def _attribute(value: Any) -> dict[str, str]:
    found = {"dataType": value.get("DataType", "String")}
    if "StringValue" in value:
        found["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        found["binaryValue"] = b64encode(bytes(value["BinaryValue"])).decode()
    return found


def _given(value: Any) -> dict[str, Any]:
    value = value if isinstance(value, dict) else {}
    found: dict[str, Any] = {"DataType": value.get("dataType", "String")}
    if "stringValue" in value:
        found["StringValue"] = value["stringValue"]
    if "binaryValue" in value:
        found["BinaryValue"] = b64decode(value["binaryValue"])
    return found
