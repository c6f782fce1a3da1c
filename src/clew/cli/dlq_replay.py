"""``clew dlq replay``."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from clew.cli.dlq_options import force_option, queue_of, session_of, where_options

if TYPE_CHECKING:
    import boto3

    from clew.dlq.letter import Letter
    from clew.dlq.replay import Replayed


@click.command()
@click.argument("queue", metavar="QUEUE|FILE")
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--handler", required=True, metavar="MODULE:FUNCTION", help="What to call.")
@click.option("--pdb", is_flag=True, help="Look around in Python's debugger where it fails.")
@click.option(
    "--debugpy",
    "port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Wait for a debugger (VS Code, say) on this port of loopback first.",
)
@force_option
@where_options
@click.option("--json", "as_json", is_flag=True, help="Lines as they are, then one JSON object.")
def replay(*, as_json: bool, **given: Any) -> int:
    """Run one dead letter against local code, here and now, with DEBUG on.

    The letter is that of ID in QUEUE, where it stays; or it comes from a FILE: an envelope, what
    clew dlq show --json printed, or an export of clew dlq purge. A handler of clew's runs without
    its attempts, its idempotency and its dead letters. What your code itself sends, it sends.

    \b
    Exit status: 0 if the function took it; 1 if it failed.

    \b
    Examples:
      clew dlq replay orders-dead 4f0c1f0e --handler orders:handler
      clew dlq replay orders-dead 4f0c1f0e --handler orders:handler --pdb
      clew dlq replay letter.json --handler orders:handler --debugpy 5678
    """
    if given["pdb"] and given["port"]:
        raise click.UsageError("Give --pdb or --debugpy, and not both.")
    from clew.dlq.replay import load, run, wait_for_debugger

    letter, records = _letter(given)
    handler = load(given["handler"])
    if given["port"]:
        click.echo(f"Waiting for a debugger on 127.0.0.1:{given['port']} …", err=True)
        wait_for_debugger(given["port"])
    out = sys.stdout
    with redirect_stdout(out if as_json else _readable(out)):
        done = run(handler, letter, records)
    if given["pdb"] and done.error is not None and done.error.__traceback__ is not None:
        import pdb

        _print(done, as_json=as_json)
        pdb.post_mortem(done.error.__traceback__)
    else:
        _print(done, as_json=as_json)
    return 0 if done.error is None else 1


def _readable(out: TextIO) -> Any:
    from clew.dlq.lines import Readable

    return Readable(out)


def _letter(given: dict[str, Any]) -> tuple[Letter, list[Any]]:
    from clew.dlq.errors import DlqError
    from clew.dlq.filters import exactly
    from clew.dlq.hydrate import records, whole

    path, name = Path(given["queue"]), given["id_"]
    if path.is_file():
        from clew.dlq.export import letters_in

        found = letters_in(path)
        if name is not None:
            meant = [one.message.id for one in exactly([letter for letter, _ in found], name)]
            found = [one for one in found if one[0].message.id in meant]
        if len(found) != 1:
            some = ", ".join(letter.id for letter, _ in found[:5])
            raise DlqError(
                f"{path} has {len(found)} such letters, and one is run; name one by its ID"
                + (f": {some}." if some else ".")
            )
        letter, kept = found[0]
        needs = (letter.batch is not None and not kept) or (
            letter.envelope is not None and letter.envelope.claim is not None
        )
        if not needs:
            _environment(None, given)
            return letter, kept
        session = session_of(given)
    else:
        if name is None:
            raise DlqError(f"There is no file {path}; of a queue, name a letter by its ID.")
        from clew.dlq.look import find_one

        session = session_of(given)
        letter = find_one(session, queue_of(session, given), name)
    _environment(session, given)
    letter = whole(session, letter)
    return letter, records(session, letter)


def _environment(session: boto3.Session | None, given: dict[str, Any]) -> None:
    """Let the code under test find what the options mean, as in a function."""
    if given["local"] is not None:
        session = session or session_of(given)
        os.environ["AWS_ENDPOINT_URL"] = session.client("sqs").meta.endpoint_url
        os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"] = session.region_name or ""
        if keys := session.get_credentials():
            os.environ["AWS_ACCESS_KEY_ID"] = keys.access_key
            os.environ["AWS_SECRET_ACCESS_KEY"] = keys.secret_key
        os.environ.pop("AWS_PROFILE", None)
        return
    if given["profile"]:
        os.environ["AWS_PROFILE"] = given["profile"]
    if given["region"]:
        os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"] = given["region"]


def _print(done: Replayed, *, as_json: bool) -> None:
    from clew.handlers.run import say
    from clew.log.encode import as_text, encode
    from clew.stories.visible import visible

    error = done.error
    if as_json:
        failed = error is not None
        said = {"type": type(error).__name__, "message": as_text(error)} if failed else None
        facts = {"outcome": "failed" if failed else "done", "error": said, "value": done.value}
        click.echo(encode(facts | {"ms": round(done.ms, 1)}))
        return
    click.echo()
    if error is None:
        click.echo(f"done after {done.ms:.0f} ms")
        if done.value is not None:
            click.echo(f"returned {visible(encode(done.value))}")
        return
    click.echo(f"FAILED after {done.ms:.0f} ms: {visible(say(error))}")
    own = f'File "{Path(__file__).parents[1]}{os.sep}'
    for frame in traceback.format_tb(error.__traceback__):
        if own not in frame:
            for line in frame.splitlines():
                click.echo(f"  {visible(line)}")
