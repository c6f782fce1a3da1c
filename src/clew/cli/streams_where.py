"""What the commands of ``clew streams`` have in common: file, environment, AWS."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.scaling.managed.config import Config

    Command = Callable[..., Any]

file_option = click.option(
    "--file", "-f", "file", type=click.Path(path_type=Path), default=Path("streams.yml"),
    show_default=True, metavar="FILE", help="What is wanted.",
)  # fmt: skip
env_option = click.option(
    "--env", metavar="NAME", envvar="CLEW_ENV",
    help="The environment [default: CLEW_ENV, or the only one].",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
table_option = click.option(
    "--table", default="clew-scaling", show_default=True, metavar="NAME",
    help="The DynamoDB table of the scaling functions.",
)  # fmt: skip
functions_option = click.option(
    "--functions", default="clew-scaling", show_default=True, metavar="STACK",
    help="The CloudFormation stack of the scaling functions.",
)  # fmt: skip


def aws_options(command: Command) -> Command:
    """``--profile``, ``--region`` and ``--local``; :func:`session_of` reads them."""
    for option in reversed(
        (
            click.option("--profile", metavar="NAME", help="A profile of the AWS SDK's."),
            click.option("--region", help="The AWS region [default: as the SDK finds it]."),
            click.option(
                "--local", is_flag=False, flag_value="", metavar="[NAME]",
                help="In this local cloud, and not on AWS.",
            ),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def session_of(given: dict[str, Any], region: str | None = None) -> Any:
    """The session that the options ask for; ``region`` counts where they name none."""
    profile, asked = given.get("profile"), given.get("region")
    if given.get("local") is not None:
        if profile or asked:
            raise click.UsageError("--local is of a local cloud, --profile and --region of AWS.")
        from clew.localcloud.state import find_cloud

        record = find_cloud(given["local"] or None)
        return _local_session(record.port, record.region)
    import boto3
    from botocore.exceptions import BotoCoreError

    from clew.errors import ClewError

    try:
        session = boto3.Session(profile_name=profile, region_name=asked or region)
    except BotoCoreError as error:
        raise ClewError(f"AWS cannot be used as it is configured here: {error}") from error
    if session.region_name is None:
        raise ClewError(
            "No AWS region is named: say --region, or set it in the profile or in AWS_REGION."
        )
    return session


def session_for(given: dict[str, Any]) -> Any:
    """Likewise, where the streams.yml says that the environment is, if there is one."""
    from clew.scaling.managed.config import read_config

    region = None
    if given["local"] is None and given["region"] is None and given["file"].exists():
        config = read_config(given["file"])
        env = given["env"] or next(iter(config.environments), "")
        if env in config.environments and (given["env"] or len(config.environments) == 1):
            region = config.region(env)
    return session_of(given, region)


def named(stream: str, given: dict[str, Any]) -> str:
    """A stream's name as it is typed, or as it stands in the file: ``orders-{env}``."""
    return stream.replace("{env}", given["env"] or "")


@cache
def _local_session(port: int, region: str) -> Any:
    """One session for the life of the process: what botocore knows of services is read once."""
    from clew.localcloud.session import LoopbackSession

    return LoopbackSession(f"http://127.0.0.1:{port}", region)


def config_and_env(given: dict[str, Any]) -> tuple[Config, str]:
    """The file, read, and the environment that is meant."""
    from clew.scaling.managed.config import read_config

    config = read_config(given["file"])
    return config, config.environment(given["env"])


def person() -> str:
    """Who types: for the audit."""
    import getpass

    try:
        return os.environ.get("CLEW_USER") or getpass.getuser()
    except (OSError, KeyError):  # a container without a user of that number
        return f"uid {os.getuid()}"
