"""What applying a streams.yml would change, and what no template may ever do to a stream."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.scaling.managed.config import ConfigError, parse_config
from clew.scaling.managed.config_init import bounds, first_file
from clew.scaling.managed.config_resolve import Resolved, resolve
from clew.scaling.managed.desired import Account, Existing, adapted, compare, price
from clew.scaling.managed.desired_template import (
    MAX_RESOURCES,
    changed_alarms,
    logical_id,
    stack_name,
    stack_template,
)
from clew.scaling.managed.settings import ManagedStream

STACK = "clew-streams-dev"


def there(name: str, **said: Any) -> Existing:
    arn = f"arn:aws:kinesis:eu-west-1:123456789012:stream/{name}"
    usual: dict[str, Any] = {
        "status": "ACTIVE",
        "mode": "provisioned",
        "shards": 2,
        "retention_h": 24.0,
    }
    return Existing(name, arn, **usual | said)


def wanted(streams: str, existing: tuple[str, ...] = (), env: str = "") -> Resolved:
    return resolve(parse_config(f"version: 1\nstreams:\n{streams}", "f.yml"), env, existing)


def alarm(stream: str, threshold: float, actions: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "AlarmName": f"clew/{stream}/bytes",
        "AlarmDescription": f"{threshold}",
        "Threshold": threshold,
        "AlarmActions": list(actions),
    }


def test_what_is_missing_is_created_and_what_is_there_adopted() -> None:
    found = compare(
        wanted("  a: {min: 2, max: 4, retention: 48h}\n  b*: {max: 8}\n  c*: {max: 1}\n", ("b1",)),
        Account(STACK, {"b1": there("b1", shards=3)}),
    )
    create, adopt = found.changes
    assert (create.kind, create.name) == ("create", "a")
    assert create.said == ("Create it with 2 shards (between 2 and 4), records kept for 2 days.",)
    assert (adopt.kind, adopt.retention, adopt.loses) == ("adopt", None, "")
    assert adopt.said == (
        "Manage the stream that there is (by b*), with 3 shards now and between 1 and 8.",
    )
    assert price(create) == "$51.10 a month, up to $102"
    assert found.notes == ("No stream matches c* yet; apply again when there is one.",)
    assert not found.losses


def test_the_same_again_changes_nothing() -> None:
    resolved = wanted("  a: {max: 4}\n")
    settings = {"a": resolved.streams[0].settings}
    found = compare(resolved, Account(STACK, {"a": there("a")}, settings))
    assert found.nothing
    assert [one.said for one in found.changes] == [()]
    outside = compare(resolved, Account(STACK, {"a": there("a", shards=6)}, settings))
    assert outside.nothing  # it is the functions' to bring it back
    assert outside.changes[0].said == (
        "It has 6 shards, which is not between 1 and 4: the functions bring it there.",
    )


def test_each_setting_that_differs_is_named_as_in_the_file() -> None:
    before = wanted("  a: {max: 4, min: 2}\n").streams[0].settings
    after = wanted(
        "  a: {max: 6, target: 60%, predictive: true, iterator_age: 2m, scale_down: {every: 3d}}\n"
    )
    (change,) = compare(after, Account(STACK, {"a": there("a")}, {"a": before})).changes
    assert change.kind == "change"
    assert change.said == (
        "min: 2 -> 1.",
        "max: 4 -> 6.",
        "target: 75% -> 60%.",
        "scale_down.every: none -> 72 h.",
        "predictive: false -> true.",
        "iterator_age: none -> 2 min.",
    )


def test_a_web_hook_is_no_secret_of_the_plan() -> None:
    before = wanted("  a: {max: 4}\n").streams[0].settings
    after = wanted("  a: {max: 4, notify: {webhook: 'https://hooks.example.com/T0/secret'}}\n")
    (change,) = compare(after, Account(STACK, {"a": there("a")}, {"a": before})).changes
    assert change.said == ("notify.webhook: none -> hooks.example.com (...cret).",)


def test_a_stream_that_is_in_the_file_no_more_has_to_be_let_go() -> None:
    gone = ManagedStream("a", 1, 2, env="")
    other = ManagedStream("x", 1, 2, env="prod")
    account = Account(STACK, {"a": there("a"), "b": there("b")}, {"a": gone, "x": other})
    found = compare(wanted("  b: {max: 2}\n"), account)
    forget = next(one for one in found.changes if one.kind == "forget")
    assert forget.name == "a"
    assert "stays, with all its records (arn:aws:kinesis" in forget.said[1]
    assert [one.name for one in found.losses] == ["a"]  # and nothing of another environment


def test_a_retention_that_is_not_said_is_left_as_it_is() -> None:
    account = Account(STACK, {"a": there("a", retention_h=168.0)})
    silent = adapted(wanted("  a: {max: 2}\n  b: {max: 2}\n"), account)
    assert [one.settings.retention_h for one in silent.streams] == [168.0, 24]
    assert compare(silent, account).changes[0].retention is None
    said = adapted(wanted("  a: {max: 2, retention: 24h}\n"), account)
    assert compare(said, account).losses


def test_records_are_only_kept_for_shorter_if_that_is_allowed() -> None:
    longer = compare(wanted("  a: {max: 2, retention: 36h}\n"), Account(STACK, {"a": there("a")}))
    assert longer.changes[0].retention == (24.0, 36.0)
    assert not longer.losses
    account = Account(STACK, {"a": there("a", retention_h=168.0)})
    shorter = compare(wanted("  a: {max: 2}\n"), account)
    assert shorter.changes[0].loses == "records that are older than 24 hours"


@pytest.mark.parametrize(
    ("streams", "account", "said"),
    [
        (
            "  a: {max: 2}\n",
            Account(STACK, {"a": there("a", mode="on-demand")}),
            "f.yml:3: arn:aws:kinesis:eu-west-1:123456789012:stream/a is in on-demand mode",
        ),
        (
            "  a: {mode: on-demand}\n",
            Account(STACK, {"a": there("a")}),
            "f.yml:3: arn:aws:kinesis:eu-west-1:123456789012:stream/a is in provisioned mode",
        ),
        (
            "  a: {max: 2}\n",
            Account(STACK, {"a": there("a", status="DELETING")}),
            "f.yml:3: arn:aws:kinesis:eu-west-1:123456789012:stream/a is being deleted",
        ),
        (
            "  a: {max: 2}\n",
            Account(STACK, {"a": there("a")}, {"a": ManagedStream("a", 1, 2, env="prod")}),
            "f.yml:3: a is managed in the environment prod already",
        ),
        (
            "  a: {max: 2}\n",
            Account(
                STACK,
                template={
                    "Resources": {
                        "A": {"Type": "AWS::Kinesis::Stream", "Properties": {"Name": "a"}}
                    }
                },
            ),
            "f.yml:3: a was created by the stack clew-streams-dev and has been deleted since",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(streams: str, account: Account, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        compare(wanted(streams), account)
    assert raised.value.problems[0].startswith(said)


def test_a_pattern_leaves_streams_in_on_demand_mode_out() -> None:
    account = Account(STACK, {"a1": there("a1", mode="on-demand"), "a2": there("a2")})
    found = compare(wanted("  a*: {max: 2}\n", ("a1", "a2")), account)
    assert [one.name for one in found.changes] == ["a2"]
    assert found.notes == (
        "a1 is left out: it is in on-demand mode, where AWS changes its shards.",
    )


_STREAM_SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "min": st.integers(1, 3), "target": st.sampled_from(["50%", "90%"]),
        "retention": st.sampled_from(["24h", "48h", "7d"]), "shard_alarms": st.booleans(),
        "tags": st.just({"team": "b"}), "cool_down": st.just("5m"),
    },
)  # fmt: skip


@given(first=_STREAM_SETTINGS, then=_STREAM_SETTINGS, shards=st.integers(1, 50))
def test_the_template_never_changes_a_stream_that_it_created(
    first: dict[str, Any], then: dict[str, Any], shards: int
) -> None:
    def of(said: dict[str, Any]) -> Resolved:
        text = json.dumps({"version": 1, "streams": {"a": {"max": 9, **said}}})
        return resolve(parse_config(text), "")

    created = stack_template(of(first).streams, Account(STACK), {})
    account = Account(
        STACK,
        {"a": there("a", shards=shards, retention_h=168.0)},
        {"a": of(first).streams[0].settings},
        created,
    )
    again = stack_template(of(then).streams, account, {})
    assert again["Resources"] == created["Resources"]
    (stream,) = created["Resources"].values()
    assert (stream["DeletionPolicy"], stream["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_an_adopted_stream_is_in_no_template() -> None:
    streams = wanted("  a: {max: 4}\n").streams
    account = Account(STACK, {"a": there("a")})
    template = stack_template(streams, account, {"a": [alarm("a", 1.0)]})
    assert [one["Type"] for one in template["Resources"].values()] == ["AWS::CloudWatch::Alarm"]
    nothing = stack_template((), account, {})
    assert list(nothing["Resources"]) == ["Nothing"]  # a stack has one resource at least


def test_an_alarm_is_written_again_only_when_its_settings_change() -> None:
    streams = wanted("  a: {max: 4}\n").streams
    account = Account(STACK, {"a": there("a")}, {"a": streams[0].settings})
    first = stack_template(streams, account, {"a": [alarm("a", 1.0)]})
    account = replace(account, template=first)
    resized = stack_template(streams, account, {"a": [alarm("a", 2.0)]})
    assert resized == first  # the functions have set the threshold since
    told = stack_template(streams, account, {"a": [alarm("a", 2.0, ("topic",))]})
    assert changed_alarms(first, told) == {"created": 0, "changed": 1, "removed": 0}
    account = replace(account, settings={"a": replace(streams[0].settings, alarm_at=0.6)})
    reset = stack_template(streams, account, {"a": [alarm("a", 3.0)]})
    assert changed_alarms(first, reset) == {"created": 0, "changed": 1, "removed": 0}
    assert changed_alarms(first, stack_template((), account, {}))["removed"] == 1


def test_a_stack_has_no_more_resources_than_it_may() -> None:
    streams = wanted("".join(f"  s{n}: {{max: 2}}\n" for n in range(MAX_RESOURCES + 1))).streams
    with pytest.raises(ConfigError, match=f"come to {MAX_RESOURCES + 1} resources"):
        stack_template(streams, Account(STACK), {})


@given(st.text("abcXYZ019_.-", min_size=1, max_size=128))
def test_every_name_has_a_logical_id_of_its_own(name: str) -> None:
    assert logical_id("Stream", name).isalnum()
    assert len(logical_id("Stream", name)) <= 255
    assert logical_id("Stream", name) != logical_id("Stream", name + "-")
    assert stack_name("") == "clew-streams"


@given(
    st.integers(1, 500),
    st.lists(st.floats(0, 400), max_size=600),
)
def test_first_bounds_hold_what_there_is_and_what_was_asked(
    shards: int, demand: list[float]
) -> None:
    found = bounds(shards, demand)
    assert 1 <= found.least <= shards <= found.most <= 10_000
    if len(demand) >= 288:
        assert found.most >= min(max(demand), 10_000)


def test_the_first_file_is_right_and_leaves_on_demand_streams_out() -> None:
    streams = [(there("a.b-1", shards=4, retention_h=48.0), [1.0] * 300),
               (there("1st"), []), (there("auto", mode="on-demand"), [])]  # fmt: skip
    text = first_file(streams, "eu-west-1")
    found = {one.name: one.settings for one in resolve(parse_config(text), "").streams}
    assert found["a.b-1"].bounds == (2, 8)
    assert found["a.b-1"].retention_h == 48
    assert found["1st"].bounds == (2, 4)
    assert "auto is left out" in text
    assert resolve(parse_config(first_file([], "eu-west-1")), "").streams == ()
