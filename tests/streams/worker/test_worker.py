"""A worker on a stream: reading, order, resharding, restarts, losses, endings."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from clew.streams.worker import (
    FunctionTarget,
    MappingSettings,
    SqliteLeases,
    Worker,
    WorkerError,
)
from clew.streams.worker.clock import Clock, Instant

from .conftest import QUICK, Handled, put
from .stream_service import Refusal, StreamService

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import RunWorker

    Until = Callable[..., Any]


def numbered(count: int, first: int = 0) -> list[str]:
    return [str(at) for at in range(first, first + count)]


def test_every_record_is_handled_once_and_in_order(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    running = run_worker(service, handled, batch_size=7)
    put(service, *numbered(100))
    until(lambda: len(handled.data) >= 100, "all are handled")
    assert handled.data == numbered(100)
    assert max(map(len, handled.batches)) == 7
    status = running.worker.status()
    assert (status.state, status.records, status.failures) == ("running", 100, 0)
    (shard,) = status.shards.values()
    assert shard.records == 100
    assert shard.token == 1


def test_a_worker_that_is_stopped_and_started_goes_on(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, *numbered(30))
    first = run_worker(service, handled)
    until(lambda: len(handled.data) == 30, "all are handled")
    first.worker.stop()
    assert first.worker.status().state == "stopped"
    assert first.worker.wait(0)
    put(service, *numbered(30, 30))
    second = run_worker(service, handled)
    until(lambda: len(handled.data) >= 60, "the rest is handled")
    assert handled.data == numbered(60)
    (taken,) = second.events("shard taken")
    assert taken.fields["token"] == 2
    assert not second.events("records lost")


def test_stopping_finishes_the_batch_under_way(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    begun, go = threading.Event(), threading.Event()

    def handler(_event: object, _context: object) -> None:
        begun.set()
        go.wait(10)

    put(service, "0")
    running = run_worker(service, handler)
    assert begun.wait(10)
    stopping = threading.Thread(target=running.worker.stop)
    stopping.start()
    until(lambda: running.worker.status().state == "stopping", "it is stopping")
    go.set()
    stopping.join(10)
    again = Handled()
    run_worker(service, again)
    put(service, "1")
    until(lambda: again.data, "the next is handled")
    assert again.data == ["1"]


def test_a_batch_that_is_not_finished_in_the_grace_comes_again(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    begun, go = threading.Event(), threading.Event()

    def handler(_event: object, _context: object) -> None:
        begun.set()
        go.wait(20)

    put(service, "0")
    running = run_worker(service, handler)
    assert begun.wait(10)
    running.worker.stop(grace_s=0.05)
    again = Handled()
    second = run_worker(service, again)
    until(lambda: again.data, "it comes again")
    assert again.data == ["0"]
    go.set()  # what the first one writes now is refused
    put(service, "1")
    until(lambda: len(again.data) == 2, "the next is handled")
    (shard,) = second.worker.status().shards.values()
    assert shard.token == 2


def by_key(handled: Handled) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = defaultdict(list)
    for event in list(handled.events):
        for record in event["Records"]:
            keys[record["kinesis"]["partitionKey"]].append(record["eventID"].partition(":")[2])
    return keys


@pytest.mark.parametrize("factor", [1, 4])
def test_keys_keep_their_order_through_splits_and_merges(
    run_worker: RunWorker, until: Until, factor: int
) -> None:
    handled = Handled()
    expected: dict[str, list[str]] = defaultdict(list)

    def produce(service: StreamService, count: int) -> None:
        keys = [f"key-{at % 17}" for at in range(count)]
        for key, number in zip(keys, service.put((key, b"x") for key in keys), strict=True):
            expected[key].append(number)

    with StreamService(shards=2) as service:
        produce(service, 300)
        running = run_worker(service, handled, batch_size=10, parallelization_factor=factor)
        low, high = service.open_shards()
        service.split(low)
        produce(service, 300)
        service.merge(*service.open_shards()[1:3])
        produce(service, 300)
        service.split(service.open_shards()[-1])
        produce(service, 300)
        until(lambda: len(handled.data) >= 1200, "all are handled")
        assert by_key(handled) == expected
        until(lambda: len(running.events("shard finished")) == 4, "the closed ones are finished")
        assert sorted(running.worker.status().shards) == sorted(service.open_shards())
    assert high in {event.shard_id for event in running.events("shard finished")}


def test_a_closed_shard_that_the_stream_lists_no_more_is_drained_before_its_children(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    gate = threading.Event()
    handled = Handled(lambda _data: gate.wait(10) and None)
    put(service, *numbered(5))
    running = run_worker(service, handled, batch_size=5)
    until(lambda: handled.data, "the first is under way")
    (parent,) = service.open_shards()
    service.split(parent)
    put(service, "child")
    listed = service.shards[parent]
    service.answer("ListShards", {"StreamARN": service.arn})
    hidden = service._ListShards
    service._ListShards = lambda request: {  # type: ignore[method-assign]
        "Shards": [each for each in hidden(request)["Shards"] if each["ShardId"] != parent]
    }
    put_late = [f"{at}" for at in range(5, 8)]
    listed.records += [
        {**listed.records[-1], "SequenceNumber": service._number(), "Data": _base64(each)}
        for each in put_late
    ]
    until(lambda: len(running.worker._store.leases()) == 3, "the children are known")
    gate.set()
    until(lambda: "child" in handled.data, "the child is read")
    assert handled.data == [*numbered(8), "child"]


def _base64(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()


def test_a_shard_that_the_stream_forgot_is_said_to_be_lost(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    (last,) = put(service, "0")
    running = run_worker(service, handled)
    until(lambda: handled.data, "the first is handled")
    (parent,) = service.open_shards()
    service.split(parent)
    service.forget(parent)
    put(service, "1")
    until(lambda: len(handled.data) == 2, "the child is read")
    (lost,) = running.events("records lost")
    assert (lost.shard_id, lost.fields["after"]) == (parent, last)
    assert "does not have the shard any more" in lost.fields["reason"]


def test_a_shard_under_an_old_name_is_read_from_its_beginning(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, *numbered(5))
    running = run_worker(service, handled)
    until(lambda: len(handled.data) == 5, "the old one is handled")
    (name,) = service.open_shards()
    old = service.shards.pop(name)
    service._open_shard((), old.first_hash, old.last_hash)
    service.expire_iterators()
    put(service, "new")
    until(lambda: running.events("shard remade"), "it is noticed")
    put(service, "newer")
    until(lambda: "newer" in handled.data, "the new one is read")
    # A batch that was under way when it was noticed comes twice.
    assert list(dict.fromkeys(handled.data)) == [*numbered(5), "new", "newer"]


def test_expired_iterators_are_made_anew_after_the_last_record(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    running = run_worker(service, handled)
    for batch in range(5):
        put(service, *numbered(10, 10 * batch))
        until(lambda: len(handled.data) >= 10 * (batch + 1), "the batch is handled")  # noqa: B023
        service.expire_iterators()
    assert handled.data == numbered(50)
    assert not running.events("records lost")


def test_throttled_reads_are_made_later(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    refusals = [
        "ProvisionedThroughputExceededException",
        "InternalFailure",
        "KMSThrottlingException",
    ]

    def fault(operation: str) -> None:
        if operation == "GetRecords" and refusals:
            raise Refusal(refusals.pop())

    service.fault = fault
    put(service, "0")
    handled = Handled()
    running = run_worker(service, handled)
    until(lambda: handled.data, "it is handled")
    assert len(running.events("read throttled")) == 2
    assert len(running.events("read failed")) == 1


def test_what_was_trimmed_before_it_was_read_is_told(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, *numbered(10))
    first = run_worker(service, handled)
    until(lambda: len(handled.data) == 10, "the first ten are handled")
    first.worker.stop()
    numbers = put(service, *numbered(10, 10))
    (name,) = service.open_shards()
    position = service.shards[name].records[9]
    service.trim(name, 15)
    second = run_worker(service, handled)
    until(lambda: len(handled.data) == 15, "what is left is handled")
    assert handled.data == numbered(10) + numbered(5, 15)
    (lost,) = second.events("records lost")
    assert lost.fields["after"] == position["SequenceNumber"]
    arrived = position["ApproximateArrivalTimestamp"]
    assert lost.fields["since"].startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(arrived)))
    assert lost.fields["until"]
    assert int(numbers[-1])


def test_a_worker_may_be_told_to_stop_at_a_loss(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, *numbered(10))
    first = run_worker(service, handled)
    until(lambda: len(handled.data) == 10, "the first ten are handled")
    first.worker.stop()
    put(service, *numbered(10, 10))
    service.trim(service.open_shards()[0], 15)
    second = run_worker(service, handled, options=replace(QUICK, continue_after_loss=False))
    with pytest.raises(WorkerError, match="were trimmed before they were read"):
        second.worker.wait(10)
    assert second.worker.status().state == "failed"
    assert handled.data == numbered(10)


def test_a_position_of_another_stream_stops_the_worker(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, "0")
    first = run_worker(service, handled)
    until(lambda: handled.data, "it is handled")
    first.worker.stop()
    service._count = -1000  # as if its numbers were not those of the checkpoint
    second = run_worker(service, handled)
    with pytest.raises(WorkerError, match=r"The checkpoint of shardId-0+ \(\d+\) is not of this"):
        second.worker.wait(10)


def test_leases_of_another_stream_are_refused_before_anything_runs(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, "0")
    first = run_worker(service, handled)
    until(lambda: handled.data, "it is handled")
    first.worker.stop()
    service.created += 100  # deleted and created again under the same name
    second = run_worker(service, handled, start=False)
    with pytest.raises(WorkerError, match="are of another stream"):
        second.worker.start()


def test_a_stream_that_is_deleted_stops_the_worker(
    service: StreamService, run_worker: RunWorker
) -> None:
    running = run_worker(service, Handled())
    service.arn += "-gone"
    with pytest.raises(WorkerError, match="The Kinesis stream faulty is gone"):
        running.worker.wait(10)


def test_a_stream_that_does_not_exist_is_told_before_anything_runs(
    service: StreamService, tmp_path: Path
) -> None:
    worker = Worker(
        MappingSettings(f"{service.arn}-nobody", "LATEST"),
        target=FunctionTarget(Handled()),
        leases=SqliteLeases(tmp_path / "leases.db"),
        session=service.session(),
    )
    with pytest.raises(
        WorkerError, match="There is no such stream as the Kinesis stream faulty-no"
    ):
        worker.start()
    worker.stop()


def test_at_latest_only_what_comes_later_is_read(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, "before")
    running = run_worker(service, handled, starting_position="LATEST")
    until(lambda: service.reads, "it reads")
    put(service, "after")
    until(lambda: handled.data, "it is handled")
    assert handled.data == ["after"]
    assert running.worker.status().records == 1


def test_at_latest_a_restart_before_the_first_record_loses_nothing(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    first = run_worker(service, handled, starting_position="LATEST")
    until(lambda: service.reads, "it reads")
    first.worker.stop()
    put(service, "between")
    run_worker(service, handled, starting_position="LATEST")
    until(lambda: handled.data, "it is handled")
    assert handled.data == ["between"]


def test_reading_starts_at_a_time(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, "old")
    service.shards[service.open_shards()[0]].records[0]["ApproximateArrivalTimestamp"] -= 100
    put(service, "new")
    run_worker(service, handled, starting_position="AT_TIMESTAMP", starting_at=time.time() - 50)
    until(lambda: handled.data, "it is handled")
    assert handled.data == ["new"]


def test_a_failing_record_holds_its_own_lane_and_not_the_others(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    def fail_on_bad(data: list[str]) -> None:
        if "bad" in data:
            raise ValueError("a bad record")

    handled = Handled(fail_on_bad)
    running = run_worker(service, handled, parallelization_factor=10, batch_size=1)
    service.put([("stuck", b"bad"), *((f"key-{at}", b"good") for at in range(50))])
    until(lambda: running.worker.status().records >= 40, "other keys go on")
    held = {key for key, numbers in by_key(handled).items() if key != "stuck" and not numbers}
    assert not held
    assert running.events("batch failed")[0].fields["error"].startswith("ValueError: a bad record")
    (shard,) = running.worker.status().shards.values()
    assert shard.position is None  # nothing is written down as done that is not


def test_lanes_go_on_each_where_it_was(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    def fail_on_bad(data: list[str]) -> None:
        if "bad" in data:
            raise ValueError

    handled = Handled(fail_on_bad)
    first = run_worker(service, handled, parallelization_factor=10, batch_size=1)
    keys = [f"key-{at}" for at in range(40)]
    service.put([("stuck", b"bad"), *((key, b"good") for key in keys)])
    done = until(
        lambda: first.worker.status().records >= 30 and first.worker.status().records,
        "others go on",
    )
    first.worker.stop()
    counted = first.worker.status().records
    assert counted >= done
    again = Handled()
    run_worker(service, again, parallelization_factor=10, batch_size=1)
    until(lambda: len(again.data) >= 41 - counted, "the rest comes")
    put(service, "end")
    until(lambda: "end" in again.data, "the end comes")
    assert len(again.data) == 41 - counted + 1
    assert again.data.count("bad") == 1


class Later(Clock):
    """A clock that can be put forward."""

    ahead_s = 0.0

    def now(self) -> Instant:
        now = super().now()
        return Instant(now.steady, now.wall + self.ahead_s)


def test_records_that_have_become_too_old_are_given_up(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    clock = Later()

    def fail(_data: list[str]) -> None:
        raise ValueError

    running = run_worker(service, Handled(fail), maximum_record_age_s=60, clock=clock)
    put(service, "0")
    until(lambda: running.events("batch failed"), "it fails")
    assert not running.events("batch discarded")
    clock.ahead_s = 100
    (discarded,) = until(lambda: running.events("batch discarded"), "it is given up")
    assert discarded.fields["condition"] == "RecordAgeExceeded"
    assert discarded.fields["destination"] is None


def test_filtered_records_are_passed_over_for_good(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    pattern = json.dumps({"data": {"kind": ["order"]}})
    first = run_worker(service, handled, filter_patterns=(pattern,))
    put(service, '{"kind": "order"}', "not json", '{"kind": "other"}')
    until(lambda: first.worker.status().filtered == 2, "two are filtered")
    until(lambda: handled.data, "one is handled")
    until(lambda: first.worker.status().shards, "it holds the shard")
    first.worker.stop()
    position = first.worker.mapping
    assert position
    second = run_worker(service, handled, filter_patterns=(pattern,))
    put(service, '{"kind": "order", "last": true}')
    until(lambda: len(handled.data) == 2, "the next is handled")
    assert second.worker.status().filtered == 0


def test_a_tumbling_window_is_finished_by_another_worker(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    clock = Later()
    finals: list[dict[str, Any]] = []

    def count(event: dict[str, Any], _context: object) -> dict[str, Any]:
        assert event["shardId"] == service.open_shards()[0]
        assert event["eventSourceARN"] == service.arn
        state = event["state"]
        state["n"] = state.get("n", 0) + len(event["Records"])
        if event["isFinalInvokeForWindow"]:
            finals.append(event)
        return {"state": state}

    put(service, *numbered(5))
    first = run_worker(service, count, tumbling_window_s=900, clock=clock)
    until(lambda: first.worker.status().records == 5, "they are counted")
    first.worker.stop()
    put(service, *numbered(3))
    second = run_worker(service, count, tumbling_window_s=900, clock=clock)
    until(lambda: second.worker.status().records == 3, "they are counted")
    assert not finals
    clock.ahead_s = 900 + 120
    until(lambda: finals, "the window is over")
    assert finals[0]["state"] == {"n": 8}
    assert finals[0]["Records"] == []
    assert finals[0]["isWindowTerminatedEarly"] is False
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00Z", finals[0]["window"]["start"])


def test_leases_of_shards_that_are_long_gone_are_forgotten(
    service: StreamService, run_worker: RunWorker, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clew.streams.worker.worker._FORGET_AFTER_S", 0.0)
    handled = Handled()
    put(service, "0")
    running = run_worker(service, handled)
    (parent,) = service.open_shards()
    service.split(parent)
    until(lambda: running.events("shard finished"), "the parent is done")
    assert parent in {lease.shard_id for lease in running.worker._store.leases()}
    service.forget(parent)
    until(lambda: len(running.worker._store.leases()) == 2, "its lease is forgotten")
    put(service, "1")
    until(lambda: len(handled.data) == 2, "its children are read")


def test_two_workers_share_the_shards_and_hand_them_over(
    run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    with StreamService(shards=4) as service:
        first = run_worker(service, handled, worker_id="one")
        until(lambda: len(first.worker.status().shards) == 4, "the first has all")
        second = run_worker(service, handled, worker_id="two")
        until(
            lambda: len(first.worker.status().shards) == len(second.worker.status().shards) == 2,
            "they have two each",
        )
        service.put((f"key-{at}", str(at).encode()) for at in range(200))
        until(lambda: len(handled.data) >= 200, "all are handled")
        second.worker.stop()
        until(lambda: len(first.worker.status().shards) == 4, "the first has all again")
        service.put((f"key-{at}", str(at).encode()) for at in range(200, 400))
        until(lambda: len(handled.data) >= 400, "all are handled")
    assert sorted(map(int, handled.data)) == list(range(400))


def test_the_shards_of_a_worker_that_died_are_taken_over(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, "0")
    first = run_worker(service, handled, worker_id="one")
    until(lambda: handled.data, "it is handled")
    # As if it was killed: its threads stand still, and nothing is released.
    first.worker._keep_leases = lambda: None  # type: ignore[method-assign]
    for consumer in first.worker._consumers.values():
        consumer._stopping.set()
    second = run_worker(service, handled, worker_id="two")
    (taken,) = until(lambda: second.events("shard taken"), "it is taken over")
    assert taken.fields["token"] == 2
    put(service, "1")
    until(lambda: len(handled.data) == 2, "the next is handled")
    assert handled.data == ["0", "1"]


def test_a_worker_that_cannot_renew_its_lease_stops_by_itself(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    running = run_worker(service, handled)
    put(service, "0")
    until(lambda: handled.data, "it is handled")
    running.worker._keep_leases = lambda: None  # type: ignore[method-assign]
    (consumer,) = running.worker._consumers.values()
    until(lambda: time.monotonic() > consumer._held_until, "the lease ran out")
    put(service, "1")
    until(lambda: running.events("shard lost"), "it notices")
    assert handled.data == ["0"]


def test_a_store_that_fails_for_a_while_holds_up_and_loses_nothing(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    from clew.streams.worker.errors import LeaseStoreError

    handled = Handled()
    running = run_worker(service, handled, batch_size=1)
    until(lambda: service.reads, "it reads")
    store = running.worker._store
    write, failures = store.checkpoint, [1, 2, 3]

    def checkpoint(*arguments: Any, **options: Any) -> None:
        if failures:
            failures.pop()
            raise LeaseStoreError("the disk is full")
        write(*arguments, **options)

    store.checkpoint = checkpoint  # type: ignore[method-assign]
    put(service, "0", "1")
    until(lambda: len(handled.data) == 2, "both are handled")
    assert handled.data == ["0", "1"]
    told = running.events("lease store failed")
    assert [event.fields["error"] for event in told] == ["the disk is full"] * 3


def test_reads_keep_to_the_limit_of_a_shard(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    options = replace(QUICK, reads_per_second=20, poll_interval_s=0.0)
    run_worker(service, handled, options=options)
    until(lambda: len(service.reads) >= 45, "it has read often")
    times = [when for _, when, _ in service.reads]
    # 20 that were saved up, then one each twentieth of a second.
    assert times[44] - times[0] >= (45 - 1 - 20) / 20


def test_an_observer_that_fails_and_asks_does_not_disturb(
    service: StreamService, tmp_path: Path, until: Until
) -> None:
    handled = Handled()
    states: list[str] = []

    def observe(_event: object) -> None:
        states.append(worker.status().state)
        raise ValueError("in the observer")

    worker = Worker(
        MappingSettings(service.arn, "TRIM_HORIZON"),
        target=FunctionTarget(handled),
        leases=SqliteLeases(tmp_path / "leases.db"),
        session=service.session(),
        options=QUICK,
        observe=observe,
    )
    put(service, "0")
    worker.start()
    until(lambda: handled.data, "it is handled")
    worker.stop()
    assert states[0] == "running"
