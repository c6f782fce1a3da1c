"""``clew streams``: the shards of Kinesis streams. Each command is one module, loaded when used."""

from __future__ import annotations

from importlib import import_module

import click

# Name -> where it is, and what the group's help says of it without loading it.
_COMMANDS = {
    "init": ("streams_init:init", "Write a streams.yml of the streams that there are."),
    "validate": ("streams_validate:validate", "Check a streams.yml, without AWS."),
    "schema": ("streams_validate:schema", "Print the JSON schema of streams.yml."),
    "plan": ("streams_plan:plan", "Say what apply would do, and what it costs."),
    "diff": ("streams_plan:plan", "The same as plan."),
    "apply": ("streams_apply:apply", "Create streams, alarms and settings."),
    "template": ("streams_template:template", "Write the SAM template of the functions."),
    "status": ("streams_status:status", "Show each stream: shards, load, alarms, last actions."),
    "report": ("streams_report:report", "Draw the shards of a stream, and what each takes."),
    "explain": ("streams_explain:explain", "Say what would be done now, and why or why not."),
    "scale": ("streams_scale:scale", "Change the shards of a stream by hand."),
    "history": ("streams_history:history", "List what was done to a stream, by whom and why."),
    "simulate": ("streams_simulate:simulate", "Replay a trace against policies."),
    "recommend": ("streams_recommend:recommend", "Say which settings fit a stream."),
}


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are called for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        from clew.cli.root import _accept_debug

        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"clew.cli.{module}"), name)
        _accept_debug(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in _COMMANDS.items()])


@click.group(cls=_LazyGroup)
def streams() -> None:
    """Scale Kinesis streams by alarm and by schedule.

    A streams.yml says how each stream is scaled; two functions in your account do it.

    \b
    Examples:
      clew streams init                  # of the streams that there are
      clew streams plan --env prod       # what apply would do
      clew streams apply --env prod
      clew streams status --env prod
      clew streams explain orders        # what would be done now, and why or why not
    """
    from clew.cli.streams_aside import warnings_aside

    click.get_current_context().with_resource(warnings_aside())
