"""The JSON of a story has the shape that the documentation describes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from clew.stories.to_json import story_json

from .runtime import Run, story_of

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "read-a-story.md"


def example() -> dict[str, Any]:
    edge = Run("edge", source="aws:apigateway")
    received = edge.receive(user="42")
    edge.log(received, "hello", at=3, error=ValueError("no"), tries=3)
    publish = edge.send(received, at=4, position={"messageId": "m-1"})
    edge.end()
    mail = Run("mail", at=20)
    mail.receive(answers=publish, outcome="failed", error="KeyError: 'to'", ms=7)
    mail.end(KeyError("to"))
    made: dict[str, Any] = json.loads(json.dumps(story_json(story_of(edge, mail))))
    return made


def test_the_hops_refer_to_each_other_by_number() -> None:
    story = example()
    edge, mail = story["hops"]
    assert (edge["number"], edge["above"], edge["sends"][0]["received_by"]) == (1, None, [2])
    assert (mail["number"], mail["above"], mail["depth"]) == (2, 1, 1)
    assert (mail["at"], mail["offset_ms"]) == ("2026-01-02T03:04:05.020Z", 20)
    assert (mail["outcome"], mail["error"]) == ("failed", "KeyError: 'to'")
    assert mail["exception"]["type"] == "KeyError"
    assert edge["ids_added"] == {"x-correlation-user": "42"}
    (line,) = edge["lines"]
    assert (line["message"], line["fields"], line["offset_ms"]) == ("hello", {"tries": 3}, 3)
    assert edge["sends"][0]["position"] == {"messageId": "m-1"}
    (broken,) = story["breaks"]
    assert broken["sentence"] == mail["broken"]
    assert (broken["kind"], broken["function"]) == ("failed", "mail")


def test_values_that_json_does_not_know_become_text() -> None:
    run = Run("f")
    deep = "[" * 200 + "]" * 200
    run.text(f'{{"x-correlation-id": "request-1", "n": NaN, "big": 1e999, "deep": {deep}}}')
    (hop,) = json.loads(json.dumps(story_json(story_of(run)), allow_nan=False))["hops"]
    fields = hop["lines"][0]["fields"]
    assert (fields["n"], fields["big"]) == ("nan", "inf")
    assert "<too deep>" in json.dumps(fields["deep"])


def test_the_guide_names_every_member() -> None:
    story = example()
    (hop, _) = story["hops"]
    documented = set(re.findall(r"`([a-z_]+)`", GUIDE.read_text(encoding="utf-8")))
    members = set(story) | set(hop) | set(hop["sends"][0]) | set(hop["lines"][0])
    members |= set(story["breaks"][0])
    assert members <= documented
