"""``clew worker``: run."""

from __future__ import annotations

import re
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clew.cli.duration import DURATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3

    from clew.streams.worker import LeaseStore, Target, Worker, WorkerEvent
    from clew.streams.worker.settings import MappingSettings

_PROGRESS_EVERY_S = 0.5
_JSON_PROGRESS_EVERY_S = 10.0


@click.group()
def worker() -> None:
    """Run a stream handler outside Lambda, under the contract of its event source mapping.

    \b
    Examples:
      clew worker run orders:handler --stream orders --from latest
      clew worker run orders:handler --stream orders --local
    """


@worker.command()
@click.argument("handler", required=False, metavar="[MODULE:FUNCTION]")
@click.option("--stream", help="The Kinesis stream's name, or the ARN of a stream or consumer.")
@click.option("--table", help="Read the stream of this DynamoDB table instead.")
@click.option("--function", help="Invoke this Lambda function instead of a handler in Python.")
@click.option("--qualifier", default="", help="With --function: a version or an alias.")
@click.option(
    "--from",
    "start",
    default="trim-horizon",
    show_default=True,
    metavar="WHERE",
    help="Where a new mapping begins: trim-horizon, latest, or a time.",
)
@click.option("--batch-size", type=int, default=100, show_default=True, help="Records, at most.")
@click.option("--batch-window", type=DURATION, default="0s", help="How long to gather a batch.")
@click.option("--parallel", type=int, default=1, help="Batches of a shard side by side, by key.")
@click.option("--report-failures", is_flag=True, help="Read batchItemFailures from the answer.")
@click.option("--bisect", is_flag=True, help="Split a batch that failed in two.")
@click.option("--retries", type=int, default=-1, help="Retries of a batch [default: no limit].")
@click.option("--max-age", type=DURATION, help="Give up records older than this, from 60s.")
@click.option(
    "--on-failure", metavar="ARN", help="The queue, topic or bucket for what is given up."
)
@click.option(
    "--tumbling-window", type=DURATION, default="0s", help="Keep state over such windows."
)
@click.option(
    "--filter",
    "patterns",
    multiple=True,
    metavar="PATTERN",
    help="Only records that match this event pattern, or another one that is given.",
)
@click.option("--name", default="", help="The mapping's name, which its workers share.")
@click.option(
    "--leases",
    metavar="FILE",
    help="Where positions are kept: a file, or dynamodb:TABLE for several hosts "
    "[default: .clew/leases.db; with --local, beside that cloud's log].",
)
@click.option(
    "--concurrency", type=int, default=1, help="Calls of the handler at once, in threads."
)
@click.option("--lease", type=DURATION, default="10s", help="When a silent worker counts as dead.")
@click.option("--poll", type=DURATION, default="200ms", help="Between two reads of a quiet shard.")
@click.option("--stop-on-loss", is_flag=True, help="Stop if records were trimmed before they came.")
@click.option("--grace", type=DURATION, default="30s", help="For the batch under way, at the end.")
@click.option(
    "--health-port", type=click.IntRange(0, 65535), help="/healthz, /metrics on loopback."
)
@click.option(
    "--local", is_flag=False, flag_value="", metavar="[NAME]", help="In this local cloud."
)
@click.option("--region", help="The AWS region [default: as the SDK finds it].")
@click.option("--json", "as_json", is_flag=True, help="JSON lines [default unless on a terminal].")
@click.option("--verbose", is_flag=True, help="Tell of every batch.")
def run(**given: Any) -> None:
    """Read a stream and call MODULE:FUNCTION (event, context) with its batches, until Ctrl-C.

    Several workers of the same name share the shards; each goes on where the last one was.

    \b
    Examples:
      clew worker run orders:handler --stream orders --bisect --retries 3 \\
          --on-failure arn:aws:sqs:eu-west-1:123456789012:orders-failed
      clew worker run orders:handler --table orders --from latest --parallel 4 --concurrency 4
      clew worker run --function orders-function --stream orders --leases dynamodb:leases
    """
    from clew.streams.worker import Worker, WorkerOptions
    from clew.streams.worker.progress import is_shown

    as_json = given["as_json"] or not sys.stdout.isatty()
    least = "DEBUG" if given["verbose"] else "INFO" if as_json else "WARNING"

    def observe(event: WorkerEvent) -> None:
        if is_shown(event, least):
            _show_event(event, as_json=as_json)

    session, directory = _session(given["local"], given["region"])
    settings = _settings(session, given)
    options = WorkerOptions(
        poll_interval_s=given["poll"],
        lease_s=given["lease"],
        continue_after_loss=not given["stop_on_loss"],
    )
    running = Worker(
        settings,
        target=_target(session, given),
        leases=_leases(session, given["leases"] or str(directory / "leases.db")),
        session=session,
        mapping=given["name"],
        options=options,
        observe=observe,
    )
    with _health(given["health_port"], running, options), _ended_by_signals() as ended:
        running.start()
        try:
            _watch(running, ended, as_json=as_json)
        finally:
            running.stop(given["grace"])


def _session(local: str | None, region: str | None) -> tuple[boto3.Session, Path]:
    """Where the stream is, and where positions in it are kept if nothing is said."""
    if local is not None:
        from clew.localcloud import LocalCloud

        cloud = LocalCloud.connect(local or None)
        return cloud.session(), cloud.log_path.parent  # which go together
    import boto3
    from botocore.exceptions import BotoCoreError

    from clew.errors import ClewError

    try:
        return boto3.Session(region_name=region), Path(".clew")
    except BotoCoreError as error:
        raise ClewError(f"AWS cannot be used as it is configured here: {error}.") from error


def _settings(session: boto3.Session, given: dict[str, Any]) -> MappingSettings:
    from clew.streams.worker.settings import INFINITE, MappingSettings
    from clew.streams.worker.streams import stream_arn

    position, at = _start(given["start"])
    return MappingSettings(
        stream_arn(session, given["stream"], given["table"]),
        position,
        starting_at=at,
        batch_size=given["batch_size"],
        batching_window_s=_seconds(given["batch_window"]),
        parallelization_factor=given["parallel"],
        report_batch_item_failures=given["report_failures"],
        bisect_on_error=given["bisect"],
        maximum_retry_attempts=given["retries"],
        maximum_record_age_s=INFINITE if given["max_age"] is None else _seconds(given["max_age"]),
        on_failure_destination=given["on_failure"],
        tumbling_window_s=_seconds(given["tumbling_window"]),
        filter_patterns=given["patterns"],
    )


def _start(where: str) -> tuple[str, float | None]:
    from clew.streams.worker.properties import read_time

    name = where.upper().replace("-", "_")
    if re.fullmatch(r"[A-Z_]+", name):
        return name, None
    return "AT_TIMESTAMP", read_time("--from", where)


def _seconds(value: float) -> int:
    if value != int(value):
        raise click.BadParameter(f"{value:g}s is not a whole number of seconds")
    return int(value)


def _target(session: boto3.Session, given: dict[str, Any]) -> Target:
    from clew.streams.worker import FunctionTarget, LambdaTarget
    from clew.streams.worker.loading import load_function

    if (given["handler"] is None) == (given["function"] is None):
        raise click.UsageError("Name a handler as MODULE:FUNCTION, or --function, and not both.")
    if given["function"] is not None:
        return LambdaTarget(session, given["function"], qualifier=given["qualifier"])
    name = re.sub(r"\W", "-", given["handler"])
    function = load_function(given["handler"])
    return FunctionTarget(function, name=name, concurrency=given["concurrency"])


def _leases(session: boto3.Session, where: str) -> LeaseStore:
    from clew.streams.worker import DynamoDBLeases, SqliteLeases

    if where.startswith("dynamodb:"):
        return DynamoDBLeases(session, where.removeprefix("dynamodb:"))
    return SqliteLeases(where)


@contextmanager
def _health(port: int | None, running: Worker, options: Any) -> Iterator[None]:
    if port is None:
        yield
        return
    from clew.streams.worker.health import HealthServer

    server = HealthServer(port, running.status, options)
    click.echo(f"http://127.0.0.1:{server.port}/healthz", err=True)
    try:
        yield
    finally:
        server.stop()


class _Ended:
    """Whether a signal has asked for the end."""

    asked = False


@contextmanager
def _ended_by_signals() -> Iterator[_Ended]:
    """Notes SIGTERM and SIGINT, the first time; the second does what it always did."""
    ended = _Ended()
    before: dict[int, Any] = {}

    def end(_signum: int, _frame: object) -> None:
        ended.asked = True
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for signum in (signal.SIGTERM, signal.SIGINT):
        before[signum] = signal.signal(signum, end)
    try:
        yield ended
    finally:
        restore()


def _watch(running: Worker, ended: _Ended, *, as_json: bool) -> None:
    """Show how it goes until it is to end. Raises if the worker fails."""
    from rich.console import Console

    from clew.streams.worker.progress import Pace, progress_json, progress_line

    pace = Pace()
    if as_json:
        due = time.monotonic() + _JSON_PROGRESS_EVERY_S
        while not ended.asked and not running.wait(0.1):
            if time.monotonic() >= due:
                due += _JSON_PROGRESS_EVERY_S
                status = running.status()
                click.echo(progress_json(status, pace.per_second(status.records, time.monotonic())))
        return
    with Console(stderr=True).status("starting") as line:
        while not ended.asked and not running.wait(_PROGRESS_EVERY_S / 5):
            status = running.status()
            per_second = pace.per_second(status.records, time.monotonic())
            line.update(progress_line(status, per_second))


def _show_event(event: WorkerEvent, *, as_json: bool) -> None:
    from clew.streams.worker.progress import as_json as json_of
    from clew.streams.worker.progress import as_text

    if as_json:
        click.echo(json_of(event))
    else:
        click.echo(as_text(event), err=True)
