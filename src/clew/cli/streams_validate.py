"""``clew streams validate`` and ``clew streams schema``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from clew.cli.streams_where import env_option, file_option, json_option

if TYPE_CHECKING:
    from pathlib import Path

    from clew.scaling.managed.config import Config


@click.command()
@file_option
@env_option
@json_option
def validate(*, file: Path, env: str | None, as_json: bool) -> int:
    """Check a streams.yml, without AWS: each fault with its line.

    Without --env, every environment that it names.

    \b
    Exit status: 0 if it is right; 1 if not.

    \b
    Examples:
      clew streams validate
      clew streams validate --file deploy/streams.yml --env prod
      clew streams validate --json | jq -r '.problems[]'
    """
    from clew.scaling.managed.config import ConfigError, read_config

    checked: list[str] = []
    problems: tuple[str, ...] = ()
    count = 0
    try:
        config = read_config(file)
        checked = [config.environment(env)] if env else _environments(config)
        count = _check(config, checked)
    except ConfigError as error:
        problems = error.problems
    if as_json:
        facts = {"file": str(file), "environments": checked, "problems": list(problems)}
        click.echo(json.dumps(facts, indent=2))
    elif problems:
        for problem in problems:
            click.echo(problem, err=True)
    else:
        where = f" in {', '.join(checked)}" if any(checked) else ""
        entries = "entry" if count == 1 else "entries"
        click.echo(f"{file} is right: {count} {entries}{where}.")
    return 1 if problems else 0


def _environments(config: Config) -> list[str]:
    return list(config.environments) or [config.environment(None)]


def _check(config: Config, environments: list[str]) -> int:
    """How many entries there are. Raises ConfigError with the faults of all environments."""
    from clew.scaling.managed.config import ConfigError
    from clew.scaling.managed.config_resolve import resolve

    problems: dict[str, None] = {}
    count = 0
    for env in environments:
        try:
            found = resolve(config, env)
            count = len(found.streams) + len(found.idle)
        except ConfigError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise ConfigError(*problems)
    return count


@click.command()
def schema() -> None:
    """Print the JSON schema of streams.yml, for editors and for CI.

    \b
    Examples:
      clew streams schema > streams.schema.json
      echo '# yaml-language-server: $schema=streams.schema.json' | cat - streams.yml
    """
    from clew.scaling.managed.config_model import json_schema

    facts: dict[str, Any] = json_schema()
    click.echo(json.dumps(facts, indent=2))
