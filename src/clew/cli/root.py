"""The group that holds the groups."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

# Name -> where it is, and what `clew --help` says of it without loading it.
_GROUPS = {
    "dlq": ("clew.cli.dlq:dlq", "List, show, redrive and replay dead letters."),
    "local": ("clew.cli.local:local", "Run a SAM template on this machine."),
    "logs": ("clew.cli.logs:logs", "Ship log lines to another system."),
    "sign": ("clew.cli.sign:sign", "Print headers that log one request at DEBUG."),
    "streams": ("clew.cli.streams:streams", "Scale Kinesis streams by alarm and by schedule."),
    "store": ("clew.cli.store:store", "Keep log lines in a file, and search them."),
    "story": ("clew.cli.story:story", "Show one request through every function it touched."),
    "ui": ("clew.cli.ui:ui", "Show stories, streams and dead letters in a browser."),
    "worker": ("clew.cli.worker:worker", "Run a stream handler outside Lambda."),
}


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are called for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _GROUPS:
            return None
        module, _, name = _GROUPS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        _accept_debug(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, _GROUPS[name][1]) for name in sorted(_GROUPS)])


def _accept_debug(command: click.Command) -> None:
    """Give a command and all below it ``--debug``, so that it can stand anywhere in the line."""
    if not any("--debug" in parameter.opts for parameter in command.params):
        command.params.append(_debug_option())
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _accept_debug(below)


def _debug_option() -> click.Option:
    # Nobody reads it here: clew.cli.main looks for it before anything is parsed.
    return click.Option(
        ["--debug"], is_flag=True, expose_value=False, help="Show the traceback of an error."
    )


@click.group(
    cls=_LazyGroup,
    params=[_debug_option()],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="clew", prog_name="clew")
def clew() -> None:
    """Follow one request through every AWS Lambda function it touched."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status. Errors that are not click's own are raised."""
    argv: Any = None if arguments is None else list(arguments)
    try:
        status = clew.main(argv, prog_name="clew", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    return status if isinstance(status, int) else 0
