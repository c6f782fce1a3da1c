"""The template's functions may do what they need and no more, and their settings are the code's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from clew.shipping import __file__ as room
from clew.shipping import settings, subscriptions

ROOM = Path(room).parent


class _Loader(yaml.SafeLoader):
    """Reads a template's own tags as plain values."""


def _plain(loader: Any, _suffix: str, node: Any) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _plain)
RESOURCES: Any = yaml.load((ROOM / "template.yaml").read_text(), _Loader)["Resources"]


def _allowed(function: str) -> dict[str, str]:
    found = {}
    (policy,) = RESOURCES[function]["Properties"]["Policies"]
    for one in policy["Statement"]:
        statement = one[1] if isinstance(one, list) else one
        actions = statement["Action"]
        for action in actions if isinstance(actions, list) else [actions]:
            found[action] = statement["Resource"]
    return found


def test_the_functions_may_do_what_they_need_and_no_more() -> None:
    assert set(_allowed("Ship")) == {
        "es:ESHttpPost", "firehose:PutRecordBatch", "logs:DeleteSubscriptionFilter",
        "s3:PutObject", "secretsmanager:GetSecretValue", "sqs:SendMessage",
    }  # fmt: skip
    assert "/aws/lambda/${AWS::StackName}-ship" in _allowed("Ship")["logs:DeleteSubscriptionFilter"]
    subscribe = _allowed("Subscribe")
    assert set(subscribe) == {
        "logs:DescribeLogGroups", "logs:DescribeSubscriptionFilters", "logs:PutRetentionPolicy",
        "logs:PutSubscriptionFilter", "sqs:SendMessage",
    }  # fmt: skip
    wide = {name for name, resource in subscribe.items() if resource == "*"}
    assert wide == {"logs:DescribeLogGroups"}
    called = re.findall(
        r"self\._client\.(?:get_paginator\(\")?([a-z_]+)",
        (ROOM / "subscribing.py").read_text(),
    )
    of_logs = {f"logs:{''.join(word.title() for word in one.split('_'))}" for one in called}
    # To take a filter away is for a person.
    assert of_logs - {"logs:Exceptions", "logs:DeleteSubscriptionFilter"} <= set(subscribe)


def test_every_setting_of_the_template_is_read() -> None:
    read = {
        value
        for module in (settings, subscriptions)
        for value in vars(module).values()
        if isinstance(value, str) and value.startswith("CLEW_SHIP_")
    }
    given: set[str] = set()
    for name in ("Ship", "Subscribe"):
        given |= RESOURCES[name]["Properties"]["Environment"]["Variables"].keys()
    assert given - {"CLEW_FORWARD"} <= read
    assert read - given == {"CLEW_SHIP_FILTER"}
