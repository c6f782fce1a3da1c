"""An action that is killed, hindered or interfered with ends where it was to end, once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from clew.scaling.managed.lock import Held, Lock

from .killer import Killed, killed_at
from .stage import Context, clients

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud import LocalCloud

    from .stage import Stage

    Make = Callable[..., Stage]


def lock_of(on: Stage) -> Lock:
    return Lock(on.store, on.clock)


def test_killed_at_any_call_the_next_attempt_finishes(stage: Make, cloud: LocalCloud) -> None:
    """Right after each call; `make soak` does it right before them, too, and by SIGKILL."""
    before, after = 1, True
    number, steps = 0, 1
    while number < steps:
        on = stage(before)
        on.scale_down()
        on.write(1.5 * before)
        alarm, context = on.alarm(), Context()
        with killed_at(clients(cloud), number, after=after) as calls, pytest.raises(Killed):
            on.scale_up(alarm, context)
            raise Killed  # it made no such many calls
        assert before <= len(on.shards()) <= 2 * before
        on.scale_up(alarm, context)  # as Lambda tries again, under the same id
        assert len(on.shards()) == 2 * before, (number, calls)
        assert on.thresholds() == on.wanted_thresholds()
        assert on.store.plan(on.stream) is None
        done = [one for one in on.store.audit(on.stream) if one["outcome"] == "done"]
        assert len(done) == 1, (number, calls)
        assert (done[0]["shards_before"], done[0]["shards_after"]) == (before, 2 * before)
        assert isinstance(lock_of(on).take(on.stream, "next", cooled=False), Held)
        number += 1
        steps = max(steps, len(calls) + (number <= len(calls)))


def test_after_a_kill_the_schedule_goes_on_when_the_lock_has_expired(
    stage: Make, cloud: LocalCloud
) -> None:
    on = stage(2)
    on.write(3.0)
    with killed_at(clients(cloud), 4, after=True), pytest.raises(Killed):
        on.scale_up(on.alarm())
    assert len(on.shards()) == 3
    assert "under way" in on.scale_down()["why"]
    on.clock.now += 121
    assert on.scale_down()["outcome"] == "done"
    assert len(on.shards()) == 4


def test_a_holder_that_lost_the_lock_changes_nothing_more(stage: Make) -> None:
    on = stage(2)
    on.write(3.0)
    calls = 0

    def steal(model: Any, **_: Any) -> None:
        nonlocal calls
        calls += model.name == "SplitShard"
        if calls == 1:
            on.clock.now += 200
            found = lock_of(on).take(on.stream, "thief", cooled=False)
            assert isinstance(found, Held)
            calls += 10

    on.kinesis.meta.events.register("after-call", steal)
    try:
        said = on.scale_up(on.alarm())
    finally:
        on.kinesis.meta.events.unregister("after-call", steal)
    assert "taken the stream over" in said["why"]
    assert len(on.shards()) == 3
    assert on.store.plan(on.stream) is not None


def test_the_lock_is_held_while_a_change_takes_long(stage: Make) -> None:
    on = stage(1)
    on.write(0.9)
    others: list[str] = []
    began = on.clock.now

    def slowly(model: Any, parsed: dict[str, Any], **_: Any) -> None:
        if model.name == "DescribeStreamSummary" and began < on.clock.now < began + 400:
            parsed["StreamDescriptionSummary"]["StreamStatus"] = "UPDATING"
            if int(on.clock.now - began) % 50 < 2:
                found = lock_of(on).take(on.stream, "another", cooled=False)
                others.append(getattr(found, "reason", "taken"))
        if model.name == "SplitShard":
            on.clock.now += 1

    on.kinesis.meta.events.register("after-call", slowly)
    try:
        assert on.scale_up(on.alarm())["outcome"] == "done"
    finally:
        on.kinesis.meta.events.unregister("after-call", slowly)
    assert on.clock.now > began + 400
    assert set(others) == {"held"}


def test_somebody_splits_by_hand_meanwhile(stage: Make) -> None:
    on = stage(2)
    on.write(3.0)
    hands = iter(["split"])

    def interfere(model: Any, **_: Any) -> None:
        if model.name == "SplitShard" and next(hands, ""):
            shard = on.shards().shards[-1]
            at = (shard.start + shard.end) // 2 + 12345
            on.kinesis.split_shard(
                StreamName=on.stream, ShardToSplit=shard.id, NewStartingHashKey=str(at)
            )

    on.kinesis.meta.events.register("after-call", interfere)
    try:
        said = on.scale_up(on.alarm())
    finally:
        on.kinesis.meta.events.unregister("after-call", interfere)
    assert (said["outcome"], said["shards_after"]) == ("done", 4)
    assert said["merges"] == 1  # what was done by hand is undone


@pytest.mark.parametrize(
    ("service", "operation", "error"),
    [
        ("kinesis", "SplitShard", "LimitExceededException"),
        ("kinesis", "ListShards", "LimitExceededException"),
        ("cloudwatch", "PutMetricAlarm", "Throttling"),
        ("dynamodb", "UpdateItem", "ProvisionedThroughputExceededException"),
    ],
)
def test_calls_that_are_refused_now_and_then_are_made_again(
    stage: Make, cloud: LocalCloud, service: str, operation: str, error: str
) -> None:
    on = stage(2)
    on.write(3.0)
    with cloud.faults.during(service, operation, error=error, rate=0.5, seed=3) as fault:
        said = on.scale_up(on.alarm())
        (now,) = [one for one in cloud.faults if one.id == fault.id]
    assert now.struck > 0
    assert (said["outcome"], said["shards_after"]) == ("done", 4)


def test_a_service_that_refuses_for_long_is_left_for_the_next_run(
    stage: Make, cloud: LocalCloud
) -> None:
    on = stage(2)
    on.write(3.0)
    with cloud.faults.during("kinesis", "SplitShard", error="LimitExceededException"):
        said = on.scale_up(on.alarm())
    assert said["outcome"] == "waiting"
    assert "Kinesis refuses to change" in said["why"]
    assert len(on.shards()) == 2
    assert on.scale_down()["outcome"] == "done"
    assert len(on.shards()) == 4


def test_what_fails_for_good_is_kept_and_raised(stage: Make, cloud: LocalCloud) -> None:
    on = stage(2)
    on.write(3.0)
    with (
        cloud.faults.during("kinesis", "ListShards", error="AccessDeniedException"),
        pytest.raises(Exception, match="AccessDeniedException"),
    ):
        on.scale_up(on.alarm())
    (kept,) = on.store.audit(on.stream)
    assert kept["outcome"] == "failed"
    assert on.scale_up(on.alarm())["outcome"] == "done"


def test_when_the_time_is_nearly_over_another_invocation_goes_on(
    stage: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = stage(2)
    on.write(3.0)
    asked: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        asked.append(json.loads(params["body"]))

    on.on(monkeypatch, function="clew-scaling-up")
    lambda_ = on.tools.lambda_
    lambda_.create_function(
        FunctionName="clew-scaling-up",
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/x",
        Handler="index.handler",
        Code={"ZipFile": _nothing()},
    )
    lambda_.meta.events.register("before-call.lambda.Invoke", note)
    left = iter([900.0, 4.0])
    try:
        said = on.scale_up(on.alarm(), Context(left_s=lambda: next(left, 4.0) if asked else 4.0))
    finally:
        lambda_.meta.events.unregister("before-call.lambda.Invoke", note)
        lambda_.delete_function(FunctionName="clew-scaling-up")
    assert said["outcome"] == "handed over"
    assert "under way" in on.scale_down()["why"]
    (payload,) = asked
    payload.pop("__context", None)
    assert payload["resume"]["turn"] == 1
    assert on.scale_up(payload)["outcome"] == "done"
    assert len(on.shards()) == 4


def test_the_schedule_lets_another_invocation_do_what_takes_long(
    stage: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = stage(1)
    on.write(0.9)
    on.on(monkeypatch, function="there-is-no-such-function")
    with pytest.raises(Exception, match="there-is-no-such-function"):
        on.scale_down()
    assert len(on.shards()) == 1
    on.on(monkeypatch)
    assert on.scale_down()["outcome"] == "done"


def _nothing() -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return None\n")
    return buffer.getvalue()
