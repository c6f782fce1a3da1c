"""All that applying a ``streams.yml`` needs to know, asked of AWS and checked. Changes nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from clew.errors import ClewError
from clew.scaling.managed.alarms import wanted_alarms
from clew.scaling.managed.config_resolve import resolve
from clew.scaling.managed.desired import adapted, compare
from clew.scaling.managed.desired_state import (
    asking,
    find_topic,
    list_streams,
    read_account,
    table_status,
    tools_of,
)
from clew.scaling.managed.desired_template import changed_alarms, stack_name, stack_template

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.scaling.managed.config import Config
    from clew.scaling.managed.config_resolve import Wanted
    from clew.scaling.managed.desired import Account, Diff


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be done, before anything is."""

    diff: Diff
    account: Account
    wanted: tuple[Wanted, ...]  # those that are to be managed
    template: Mapping[str, Any]
    alarms: Mapping[str, int]  # how many are created, changed and removed
    table: str
    topic: str

    @property
    def nothing(self) -> bool:
        """Whether all is as the file says already."""
        return self.diff.nothing and not any(self.alarms.values())


def prepare(session: Any, config: Config, env: str, table: str, functions: str) -> Prepared:
    """Compare the file with what there is; ``functions`` is the stack of the scaling functions.

    Raises:
        ConfigError: The file is wrong, or what there is does not allow what it says.
        ClewError: A permission is missing.
    """
    resolve(config, env)  # what is wrong by itself is said without a call
    resolved = resolve(config, env, list_streams(tools_of(session, table)))
    account = read_account(session, stack_name(env), resolved.names(), env, table)
    resolved = adapted(resolved, account)
    diff = compare(resolved, account)
    kept = {one.name for one in diff.changes if one.kind != "forget"}
    wanted = tuple(one for one in resolved.streams if one.name in kept)
    topic = find_topic(session, functions)
    template = stack_template(wanted, account, _alarms(wanted, account, topic))
    changed = changed_alarms(account.template, template)
    return Prepared(diff, account, wanted, template, changed, table, topic)


def check_functions(session: Any, table: str) -> None:
    """See that the functions are there, and that their table may be written.

    Raises:
        ClewError: They are not, or it may not.
    """
    status = table_status(session, table)
    if status is None:
        raise ClewError(
            f"There is no table {table} here, so nothing would scale the streams; deploy the"
            " functions first: clew streams template scaling/ says how."
        )
    dynamodb = session.client("dynamodb")
    refused = dynamodb.exceptions.ConditionalCheckFailedException
    # A write that never happens shows whether one would be allowed.
    with asking("dynamodb"), suppress(refused):
        dynamodb.put_item(
            TableName=table,
            Item={"of": {"S": "#check"}, "what": {"S": "#check"}},
            ConditionExpression="attribute_exists(#none)",
            ExpressionAttributeNames={"#none": "of"},
        )


def _alarms(
    wanted: tuple[Wanted, ...], account: Account, topic: str
) -> dict[str, list[dict[str, Any]]]:
    """The alarms that each stream is to have, as the arguments of PutMetricAlarm.

    Those of its shards are the functions' own: they come and go with the shards.
    """
    actions = [topic] if topic else []
    found = {}
    for one in wanted:
        there = account.existing.get(one.name)
        shards = there.shards if there else one.first_shards
        settings = replace(one.settings, shard_alarms=False)
        found[one.name] = [
            alarm.arguments(one.name, actions) for alarm in wanted_alarms(settings, [""] * shards)
        ]
    return found
