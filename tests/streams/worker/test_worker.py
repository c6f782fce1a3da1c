"""A worker on a stream: order, restarts, lanes, ages, filters, windows, endings."""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING, Any

from clew.streams.worker import (
    FunctionTarget,
    MappingSettings,
    SqliteLeases,
    Worker,
)
from clew.streams.worker.clock import Clock, Instant

from .conftest import QUICK, Handled, by_key, numbered, put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import RunWorker
    from .stream_service import StreamService

    Until = Callable[..., Any]


class Later(Clock):
    """A clock that can be put forward."""

    ahead_s = 0.0

    def now(self) -> Instant:
        now = super().now()
        return Instant(now.steady, now.wall + self.ahead_s)


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
