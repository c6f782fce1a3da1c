"""``clew dlq redrive``."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clew.cli.dlq_options import (
    asked,
    filter_options,
    force_option,
    queue_of,
    session_of,
    take_filter,
    where_options,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3

    from clew.dlq.filters import Filter
    from clew.dlq.parts import Where
    from clew.dlq.queue import Queue
    from clew.dlq.redrive import Result

_SHOWN = 20
_WHERE = {
    "source": "where their records came from",
    "queue": "the queues that their records came from",
    "function": "the functions that failed",
}


def _rate(_context: click.Context, _option: click.Parameter, given: str | None) -> float | None:
    if given is None:
        return None
    try:
        rate = float(given.removesuffix("/s"))
    except ValueError:
        rate = 0.0
    if not 0 < rate < 1e6:
        raise click.BadParameter(f"{given!r} is not a number of letters a second, like 50/s")
    return rate


@click.command()
@click.argument("queue")
@click.option(
    "--to",
    type=click.Choice(["source", "queue", "function"]),
    required=True,
    help="Where to: the stream, queue or topic that the record came from; a queue; the function.",
)
@click.option("--queue", "target", metavar="QUEUE", help="With --to queue: move letters there.")
@click.option("--invoke", metavar="NAME", help="With --to function: this one instead.")
@filter_options
@click.option("--rate", callback=_rate, metavar="N/s", help="So many letters a second, at most.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="So many letters, at most.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--journal",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where it is kept what was sent [default: in the user's state folder].",
)
@force_option
@where_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def redrive(*, as_json: bool, **given: Any) -> int:
    """Send the dead letters of QUEUE again, and delete those that were sent.

    Only what the options mean is touched. A letter that cannot be sent stays. A run that was
    ended goes on where it was: what it had sent is not sent again. The records of a partition key
    or a message group go in their order.

    --to queue without --queue is the queue that the record came from. With --queue the message is
    moved there as it is: to the queue of a clew.retry_handler, say.

    \b
    Exit status: 0 if all that was meant was sent; 1 if some of it stays.

    \b
    Examples:
      clew dlq redrive orders-dead --to source --dry-run
      clew dlq redrive orders-dead --to source --error KeyError --rate 50/s
      clew dlq redrive orders-dead --to function --id 4f0c1f0e --yes
      clew dlq redrive orders-dead --to queue --queue orders-again --yes
    """
    wanted = take_filter(given)
    session = session_of(given)
    where = _where(session, given)
    queue = queue_of(session, given)
    if where.queue == queue.arn:
        raise click.UsageError(f"--queue is another queue than {queue.name} itself.")
    _say_hidden(queue)
    if given["dry_run"]:
        return _rehearse(session, queue, wanted, where, given["limit"], as_json=as_json)
    _ask(session, queue, wanted, given)
    result = _run(session, queue, wanted, where, given, as_json=as_json)
    _print(queue, result, as_json=as_json)
    return 1 if result.failed else 0


def _where(session: boto3.Session, given: dict[str, Any]) -> Where:
    from clew.dlq.parts import Where
    from clew.dlq.queue import find_queue

    if given["target"] and given["to"] != "queue":
        raise click.UsageError("--queue goes with --to queue.")
    if given["invoke"] and given["to"] != "function":
        raise click.UsageError("--invoke goes with --to function.")
    arn = find_queue(session, given["target"]).arn if given["target"] else ""
    return Where(given["to"], arn, given["invoke"] or "")


def _say_hidden(queue: Queue) -> None:
    """What cannot be sent now is sent later, and its order with what is sent now is lost."""
    from clew.dlq.view import count

    if queue.hidden:
        click.echo(
            f"Note: {count(queue.hidden, 'message')} of {queue.name} somebody else has in hand, "
            "and what is sent now goes before them. Those of a run that was killed come back "
            "within two minutes (of a large queue, fifteen): wait for them where the order counts.",
            err=True,
        )


def _ask(session: boto3.Session, queue: Queue, wanted: Filter, given: dict[str, Any]) -> None:
    if given["yes"]:
        return
    from clew.dlq.look import look
    from clew.dlq.view import count

    asked_of = len(look(session, queue, wanted).letters)
    number = min(asked_of, given["limit"] or asked_of)
    where = given["invoke"] or given["target"] or _WHERE[given["to"]]
    asked(f"Send {count(number)} of {queue.name} to {where}?", yes=not number)


def _run(
    session: boto3.Session,
    queue: Queue,
    wanted: Filter,
    where: Where,
    given: dict[str, Any],
    *,
    as_json: bool,
) -> Result:
    from clew.dlq.journal import Journal, default_path
    from clew.dlq.redrive import Redrive
    from clew.dlq.view import count

    with (
        Journal(given["journal"] or default_path()) as journal,
        _progress(quiet=as_json) as on_progress,
    ):
        redrive = Redrive(
            session,
            queue,
            wanted,
            where,
            journal,
            per_second=given["rate"],
            limit=given["limit"],
            on_progress=on_progress,
        )
        try:
            return redrive.run()
        except KeyboardInterrupt:
            done = redrive.result.done
    click.echo(f"Stopped after {count(done)}; run it again to go on.", err=True)
    raise KeyboardInterrupt


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[Result, int], object] | None]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("sending", total=None)

        def show(result: Result, known: int) -> None:
            bar.update(task, completed=result.done + len(result.failed), total=known)

        yield show


def _print(queue: Queue, result: Result, *, as_json: bool) -> None:
    from clew.dlq.export import as_json as json_text
    from clew.dlq.view import count
    from clew.stories.visible import visible

    if as_json:
        facts = {
            "queue": queue.arn,
            "sent": dict(result.sent),
            "sentBefore": result.sent_before,
            "maybeTwice": result.maybe_twice,
            "failed": [
                {"id": letter.id, "messageId": letter.message.id, "why": why}
                for letter, why in result.failed
            ],
        }
        click.echo(json_text(facts, indent=2))
        return
    for target, number in sorted(result.sent.items()):
        click.echo(visible(f"Sent {count(number)} to {target}."))
    if result.sent_before:
        said = f"{count(result.sent_before)} had been sent by an earlier run"
        click.echo(f"{said}, and {'is' if result.sent_before == 1 else 'are'} deleted now.")
    if result.maybe_twice:
        click.echo(
            f"An earlier run ended while it sent {count(result.maybe_twice)} of these: "
            "they may have arrived twice."
        )
    if not result.done and not result.failed:
        click.echo(f"Nothing to send in {queue.name}.")
    if queue.is_fifo and queue.visible > result.seen:
        click.echo(
            f"About {count(queue.visible - result.seen, 'message')} of it could not be seen: "
            "a FIFO queue shows the first ones of each message group, and some of those stay."
        )
    _print_failed(queue, result)


def _print_failed(queue: Queue, result: Result) -> None:
    from clew.dlq.view import count
    from clew.stories.visible import visible

    if not result.failed:
        return
    click.echo(f"{count(len(result.failed))} not sent, still in {queue.name}:", err=True)
    for letter, why in result.failed[:_SHOWN]:
        click.echo(f"  {visible(letter.id[:8])}  {visible(why)}", err=True)
    if len(result.failed) > _SHOWN:
        click.echo(f"  and {len(result.failed) - _SHOWN:,} more; --json names all", err=True)


def _rehearse(
    session: boto3.Session,
    queue: Queue,
    wanted: Filter,
    where: Where,
    limit: int | None,
    *,
    as_json: bool,
) -> int:
    """Say what would be sent. Reads what a letter points at, too: it may be gone."""
    from clew.dlq.export import as_json as json_text
    from clew.dlq.look import look
    from clew.dlq.redrive import rehearse
    from clew.dlq.view import count
    from clew.stories.visible import visible

    letters = look(session, queue, wanted).letters[:limit]
    plans = [(letter, *rehearse(session, letter, where)) for letter in letters]
    failed = any(problem for _, _, problem in plans)
    if as_json:
        facts = [
            {"id": letter.id, "messageId": letter.message.id, "to": target or None, "why": problem}
            for letter, target, problem in plans
        ]
        click.echo(json_text(facts, indent=2))
        return 1 if failed else 0
    for target, number in sorted(Counter(target for _, target, _ in plans if target).items()):
        click.echo(visible(f"Would send {count(number)} to {target}."))
    for letter, _, problem in plans:
        if problem:
            click.echo(f"Could not send {visible(letter.id[:8])}: {visible(problem)}")
    if not plans:
        click.echo(f"Nothing to send in {queue.name}.")
    return 1 if failed else 0
