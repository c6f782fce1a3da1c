"""Record what functions log when something breaks: ``python tools/record_faults.py [NAME...]``.

Deploys the examples and the shop of ``tests/stories/recorded/templates`` to a local cloud of its
own, breaks one thing after the other for real (`faults.scenes`), and writes the log events of each
to ``tests/stories/recorded/sets/NAME.ndjson``, ids as they were, without paths or ports of this
machine. What a local cloud cannot do (clocks that differ, lines that come twice) is done to
recorded lines afterwards (`faults.altered`).

What the story of a set has to say is in NAME.expected.json. ``--expect`` writes it from what the
story says now: read it, it is what the test will hold the story to.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from faults.altered import ALTERED
from faults.scenes import SCENES, publish
from faults.sets import ROOT, SETS, id_of, note, read, write
from faults.stage import Stage, neutral

from clew.localcloud import LocalCloud


def expect(names: list[str]) -> None:
    """Write what the stories say now into the expected.json of their sets."""
    sys.path.insert(0, str(ROOT / "tests"))
    from clew.stories.parse import read as parsed
    from clew.stories.reconstruct import reconstruct
    from stories.recorded import replay

    for name in names or replay.NAMES:
        known = replay.expected(name)
        story = reconstruct(parsed(replay.raw_lines(name)), known["id"])
        what = {"what": known["what"], "id": known["id"]}
        text = json.dumps({**what, **replay.seen(story)}, indent=2, ensure_ascii=False)
        (SETS / f"{name}.expected.json").write_text(f"{text}\n")


def record(stage: Stage, name: str) -> str:
    """Record one set; what to say of it."""
    act, what, quiet_s = SCENES[name]
    _ = stage.shop
    if name in ("nothing-broke", "a-broken-profile"):
        publish(stage)  # so that the stream's mapping has begun to read
    stage.settle(2.0)
    stage.started = datetime.now(UTC)
    request = str(act(stage))
    stage.settle(quiet_s)
    lines = neutral(stage.lines(), stage)
    write(name, lines)
    note(name, request, what)
    return f"{len(lines)} lines, {request}"


def record_all(names: list[str]) -> list[str]:
    """Record these; those that failed, with the reason."""
    failed = []
    with tempfile.TemporaryDirectory() as work:
        os.environ["CLEW_STATE_DIR"] = f"{work}/state"  # no cloud of the user's is touched
        with LocalCloud.start(name="faults") as cloud:
            stage = Stage(cloud, Path(work))
            for name in names:
                try:
                    say(f"{name}: {record(stage, name)}")
                except Exception as error:  # noqa: BLE001  (the others are worth having)
                    failed.append(name)
                    say(f"{name}: FAILED, {type(error).__name__}: {error}")
    return failed


def say(sentence: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def main() -> int:
    """Record the sets that are named, or all; 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which ones (all)")
    parser.add_argument(
        "--expect",
        action="store_true",
        help="record nothing; write what their stories say now as expected, to be read by you",
    )
    given = parser.parse_args()
    names = given.names
    SETS.mkdir(exist_ok=True)
    if given.expect:
        expect(names)
        return 0
    wanted = [name for name in SCENES if not names or name in names]
    failed = record_all(wanted) if wanted else []
    for name, (source, what, alter) in ALTERED.items():
        if (not names or name in names or source in names) and source not in failed:
            write(name, alter(read(source)))
            note(name, id_of(source), what)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
