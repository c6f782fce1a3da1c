"""The files of recorded sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "tests" / "stories" / "recorded"
SETS = RECORDED / "sets"
MAX_BYTES = 60_000

Lines = list[dict[str, Any]]


def compact(value: Any) -> str:
    """JSON without spaces, as log lines are."""
    return json.dumps(value, separators=(",", ":"))


def write(name: str, lines: Lines) -> None:
    """One set, a line an event; a message that is JSON stands as what it is."""
    text = ""
    for line in lines:
        message = line["message"]
        try:
            inner = json.loads(message)
        except ValueError:
            inner = None
        same = isinstance(inner, dict) and compact(inner) == message
        text += compact({**line, "message": inner if same else message}) + "\n"
    if len(text) > MAX_BYTES:
        raise ValueError(f"{name} has {len(text)} bytes")
    (SETS / f"{name}.ndjson").write_text(text)


def read(name: str) -> Lines:
    """One set that was written."""
    lines = map(json.loads, (SETS / f"{name}.ndjson").read_text().splitlines())
    return [
        {**line, "message": compact(line["message"])} if isinstance(line["message"], dict) else line
        for line in lines
    ]


def note(name: str, request: str, what: str) -> None:
    """Say in the set's expected.json whose story it has; what is expected of it stays."""
    path = SETS / f"{name}.expected.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    said = {**known, "what": what, "id": request}
    path.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n")


def id_of(name: str) -> str:
    """Whose story a set has."""
    found: str = json.loads((SETS / f"{name}.expected.json").read_text())["id"]
    return found
