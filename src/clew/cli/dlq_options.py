"""The options that the commands of ``clew dlq`` have in common."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from clew.cli.duration import DURATION

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from clew.dlq.filters import Filter
    from clew.dlq.queue import Queue

_Command = TypeVar("_Command", bound="Callable[..., Any]")


def where_options(command: _Command) -> _Command:
    """``--local``, ``--profile``, ``--region``."""
    options = (
        click.option(
            "--local", is_flag=False, flag_value="", metavar="[NAME]", help="In this local cloud."
        ),
        click.option("--profile", metavar="NAME", help="A profile of the AWS SDK's."),
        click.option("--region", help="The AWS region [default: as the SDK finds it]."),
    )
    return _with(command, options)


def filter_options(command: _Command) -> _Command:
    """What says which letters are meant."""
    options = (
        click.option("--function", default="", metavar="NAME", help="Failed in this function."),
        click.option(
            "--error", default="", metavar="TEXT", help="An error of this type, or with this text."
        ),
        click.option(
            "--id", "id_", default="", metavar="ID", help="Of this request, or with this id."
        ),
        click.option("--search", default="", metavar="TEXT", help="With this text in it."),
        click.option("--older-than", type=DURATION, metavar="AGE", help="Failed longer ago."),
        click.option(
            "--newer-than", type=DURATION, metavar="AGE", help="Failed since: 10m, 2h, 1d."
        ),
    )
    return _with(command, options)


force_option = click.option(
    "--force", is_flag=True, help="Look even if the queue's own redrive policy counts it."
)


def _with(command: _Command, options: tuple[Callable[[_Command], _Command], ...]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def take_filter(given: dict[str, Any]) -> Filter:
    """Take what `filter_options` gave out of ``given``."""
    from clew.dlq.filters import MIN_ID, Filter

    if given["id_"] and len(given["id_"]) < MIN_ID:
        raise click.BadParameter(f"give {MIN_ID} characters of it, or more", param_hint="--id")
    return Filter(
        given["function"],
        given["error"],
        given["id_"],
        given["search"],
        given["older_than"],
        given["newer_than"],
    )


def session_of(given: dict[str, Any]) -> boto3.Session:
    """Where the queue is."""
    local, profile, region = given["local"], given["profile"], given["region"]
    if local is not None:
        if profile or region:
            raise click.UsageError("--local is of a local cloud, --profile and --region of AWS.")
        from clew.localcloud import LocalCloud

        return LocalCloud.connect(local or None).session()
    import boto3
    from botocore.exceptions import BotoCoreError

    from clew.errors import ClewError

    try:
        return boto3.Session(profile_name=profile, region_name=region)
    except BotoCoreError as error:
        raise ClewError(f"AWS cannot be used as it is configured here: {error}") from error


def queue_of(session: boto3.Session, given: dict[str, Any]) -> Queue:
    """The queue that is meant, which may be looked at."""
    from clew.dlq.queue import find_queue

    queue = find_queue(session, given["queue"])
    warning = queue.check_look(force=given["force"])
    if warning:
        click.echo(f"Note: {warning}", err=True)
    return queue


def asked(question: str, *, yes: bool) -> None:
    """Go on only if the user says so."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("There is nobody to ask here; give --yes if you mean it.")
    click.confirm(question, abort=True, err=True)
