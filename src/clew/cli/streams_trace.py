"""What ``clew streams simulate`` and ``recommend`` have in common: a past load, and conditions."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clew.cli.duration import DURATION
from clew.cli.streams_where import aws_options, session_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.scaling.simulation.cloudwatch import Today
    from clew.scaling.simulation.history import History
    from clew.scaling.simulation.simulate import Conditions
    from clew.scaling.simulation.trace import Trace

    Command = Callable[..., Any]


class _Part(click.ParamType):  # type: ignore[type-arg]
    """A part of all, as ``0.01%`` or as a number from 0 to 1."""

    name = "part"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The part, from 0 to 1."""
        if isinstance(value, int | float):
            return float(value)
        text = value.replace(" ", "")
        try:
            found = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            found = -1.0
        if not 0 <= found <= 1:
            self.fail(f"{value!r} is no part like 0.01% or 0.0001", param, ctx)
        return found


PART = _Part()

_OPTIONS = (
    click.argument("file", required=False, metavar="[TRACE]", type=click.Path(path_type=Path)),
    click.option("--stream", metavar="NAME", help="Read CloudWatch's metrics of this stream."),
    click.option(
        "--since", type=DURATION, default="14d", show_default=True, metavar="AGE",
        help="With --stream: how far back. Minutes are kept for 15 days.",
    ),
    click.option(
        "--peak-shards", type=click.FloatRange(0, 10_000, min_open=True), metavar="N",
        help="Scale the load, so that its fullest minute needs so many shards.",
    ),
    click.option(
        "--hot-key", type=PART, default=0.0, metavar="PART",
        help="The part of the load that one partition key has, as 15%.",
    ),
    click.option(
        "--record-size", type=click.FloatRange(1, 10_485_760), default=1024, metavar="BYTES",
        show_default=True, help="Of a record, where the trace has not both bytes and records.",
    ),
    click.option(
        "--closed-rate", type=click.FloatRange(0, 1), default=0.0, show_default=True,
        metavar="0|1", help="What closed shards are billed, of open ones: AWS does not say.",
    ),
    click.option("--min", "least", type=click.IntRange(1, 10_000), default=1, show_default=True,
                 metavar="N", help="Never fewer shards."),
    click.option("--max", "most", type=click.IntRange(1, 10_000), metavar="N",
                 help="Never more shards [default: twice what the fullest minute needs, from 10]."),
    click.option("--retention", type=DURATION, metavar="TIME",
                 help="How long records are kept [default: the stream's, or 24h]."),
    click.option("--seed", type=click.IntRange(0, 2**31), default=7, show_default=True,
                 metavar="N", help="Of all that is drawn at random."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Past:
    """What a command was given to judge by."""

    history: History
    trace: Trace
    conditions: Conditions
    today: Today | None


def trace_options(command: Command) -> Command:
    """The options of both commands."""
    command = aws_options(command)
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def past_of(given: dict[str, Any]) -> Past:
    """The load that the options name, and what holds for it."""
    from clew.errors import ClewError
    from clew.scaling.prices import Prices
    from clew.scaling.simulation.history import with_hot_key
    from clew.scaling.simulation.simulate import Conditions
    from clew.scaling.situation import Situation

    history, today = _history(given)
    trace = with_hot_key(history.scaled(given["peak_shards"]), given["hot_key"])
    retention_h = 24.0 if today is None else today.retention_h
    if given["retention"] is not None:
        retention_h = given["retention"] / 3600
        if not 24 <= retention_h <= 8760:
            raise click.BadParameter("records are kept for 24h to 365d", param_hint="--retention")
    prices = Prices(closed_shard_rate=given["closed_rate"])
    situation = Situation(prices=prices, retention_h=retention_h)
    peak = float(trace.shards(situation.limits).max())
    most = given["most"] or min(max(10, given["least"], int(2 * peak) + 1), 10_000)
    if most < given["least"]:
        raise click.UsageError(f"--min {given['least']} is more than --max {most}.")
    if peak > 10_000:
        raise ClewError(
            f"{history.source} needs {peak:,.0f} shards in its fullest minute, and a stream has"
            " 10,000 at most: see that its columns are the sums of one stream."
        )
    conditions = Conditions(situation, min_shards=given["least"], max_shards=most)
    if today is not None and today.mode == "provisioned":
        first = min(max(today.shards, given["least"]), most)
        conditions = replace(conditions, start_shards=first)
    return Past(history, trace, conditions, today)


#: Longer histories are cut where something is to be chosen: long ago says little of tomorrow.
_MOST_DAYS = 60


def recent(past: Past) -> tuple[Past, tuple[str, ...]]:
    """The last days of it, and what to say of that; all of it, if it is not long."""
    minutes = _MOST_DAYS * 1440
    trace = past.trace
    if len(trace) <= minutes:
        return past, ()
    said = f"Of {trace.days:.0f} days, only the last {_MOST_DAYS} count here."
    return replace(past, trace=trace.part(len(trace) - minutes, len(trace))), (said,)


def _history(given: dict[str, Any]) -> tuple[History, Today | None]:
    file, stream = given["file"], given["stream"]
    if (file is None) == (stream is None):
        raise click.UsageError(
            "Give the file of a trace, or --stream NAME to read what CloudWatch has of a stream."
        )
    size, seed = given["record_size"], given["seed"]
    if file is not None:
        from clew.scaling.simulation.history import from_file

        for name in ("profile", "region", "local"):
            if given[name] is not None:
                raise click.UsageError(f"--{name} goes with --stream, not with a file.")
        return from_file(file, record_bytes=size, seed=seed), None
    from clew.scaling.simulation.cloudwatch import live, today

    session = session_of(given)
    with working("reading CloudWatch"):
        now = today(session, stream)
        return live(session, stream, given["since"], record_bytes=size, seed=seed), now


@contextmanager
def working(what: str, total: int | None = None) -> Iterator[Callable[[str], None]]:
    """Show on a terminal's stderr that something goes on; call what it gives after each part."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = [SpinnerColumn(), TextColumn("{task.description}", markup=False)]
    bar = [BarColumn(), TextColumn("{task.completed}/{task.total}")] if total else []
    with Progress(
        *columns, *bar, TimeElapsedColumn(), console=console, transient=True,
        disable=not console.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task(what, total=total)

        def done(said: str) -> None:
            progress.update(task, advance=1, description=said)

        yield done
