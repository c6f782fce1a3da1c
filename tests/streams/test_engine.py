"""The engine: deadline, BaseException, failures of clew's own, decoding, what is logged."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import clew
from broken import events
from clew.streams import drive, steps
from log.lines import came_in, invocation, logged, warnings

from .making import Context, event, kinesis, number_of, sqs

if TYPE_CHECKING:
    from conftest import Until

    Line = dict[str, Any]


def batch(count: int, keys: str = "") -> dict[str, Any]:
    return event([kinesis(n, (keys or "a" * count)[n]) for n in range(count)])


def first_left_over(answer: Any) -> int | None:
    """The record from which the stream goes on."""
    named = answer["batchItemFailures"]
    return int(named[0]["itemIdentifier"][-4:]) if named else None


def outcomes(lines: list[Line]) -> list[str]:
    return [one["outcome"] for one in came_in(invocation(lines))]


def said(lines: list[Line], message: str) -> list[Line]:
    return [line for line in lines if line["message"] == message]


class Clock:
    """A context whose time is what the test says."""

    function_name, function_version, aws_request_id = "f", "1", "r"

    def __init__(self, left_s: float) -> None:
        self.left_s = left_s

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left_s * 1000)


def test_it_stops_while_there_is_time_to_report() -> None:
    seen: list[int] = []

    @clew.kinesis_handler(on_failure=clew.halt())
    def each(record: clew.KinesisRecord) -> None:
        seen.append(number_of(record))
        time.sleep(0.1)

    with logged() as lines:
        answer = each(batch(100), Context(timeout_s=1.0))
    assert 1 <= len(seen) < 9
    assert first_left_over(answer) == len(seen)
    assert outcomes(lines) == ["done"] * len(seen) + ["returned"] * (100 - len(seen))
    (warning,) = warnings(lines)
    assert warning["returned"] == 100 - len(seen)
    assert warning["why"] == "the function's time is nearly up"


def test_a_wait_that_would_pass_the_deadline_returns_the_record() -> None:
    @clew.kinesis_handler(on_failure=clew.retry(5, backoff="1m", then=clew.skip()))
    def each(record: clew.KinesisRecord) -> None:
        raise KeyError(number_of(record))

    with logged() as lines:
        answer = each(batch(3), Context(timeout_s=5))
    assert first_left_over(answer) == 0
    assert outcomes(lines) == ["returned"] * 3, "none is given up, as there are attempts left"


@pytest.mark.parametrize("lanes", [None, 3])
@pytest.mark.parametrize("policy", [clew.skip(), clew.retry(2, backoff=0, then=clew.skip())])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_what_ends_a_process_comes_out(error: BaseException, policy: Any, lanes: Any) -> None:
    @clew.kinesis_handler(on_failure=policy, lanes=lanes)
    def each(record: clew.KinesisRecord) -> None:
        if number_of(record) == 1:
            raise error

    with logged() as lines, pytest.raises(type(error)) as raised:
        each(batch(3), Context())
    assert raised.value is error
    assert outcomes(lines) == ["done", "failed", "returned"], "Lambda delivers all of them again"


def test_memory_that_runs_out_is_the_records_failure() -> None:
    @clew.kinesis_handler(on_failure=clew.halt())
    def each(record: clew.KinesisRecord) -> None:
        if number_of(record) == 1:
            raise MemoryError

    with logged() as lines:
        assert first_left_over(each(batch(3), Context())) == 1
    assert outcomes(lines) == ["done", "returned", "returned"]


def test_a_record_that_hangs_is_returned_and_its_thread_gets_no_other(until: Until) -> None:
    go_on = threading.Event()
    ended: list[int] = []

    @clew.kinesis_handler(on_failure=clew.skip(), lanes=2)
    def each(record: clew.KinesisRecord) -> None:
        if number_of(record) == 1:
            go_on.wait(60)
        ended.append(number_of(record))

    with logged() as lines:
        answer = each(batch(6, "abcabc"), Context(timeout_s=1.5))
    assert first_left_over(answer) == 1
    assert sorted(ended) == [0, 2, 3, 5]
    assert outcomes(lines) == ["done", "returned", "done"] * 2
    go_on.set()
    until(lambda: 1 in ended, "the thread goes on")
    assert outcomes(lines)[1] == "returned", "what it does then changes nothing that was reported"
    until(
        lambda: not [one for one in threading.enumerate() if one.name.startswith("clew-lane")],
        "the thread ends",
    )
    assert sorted(ended) == [0, 1, 2, 3, 5]


def test_a_coroutine_that_hangs_is_cancelled_and_returned() -> None:
    import asyncio

    cancelled: list[int] = []

    @clew.kinesis_handler(on_failure=clew.skip())
    async def each(record: clew.KinesisRecord) -> None:
        try:
            await asyncio.sleep(60 if number_of(record) == 1 else 0)
        except asyncio.CancelledError:
            cancelled.append(number_of(record))
            raise

    with logged() as lines:
        answer = each(batch(3), Context(timeout_s=0.6))
    assert first_left_over(answer) == 1
    assert cancelled == [1]
    assert outcomes(lines) == ["done", "returned", "returned"]


def test_a_cancellation_from_inside_is_the_records_failure() -> None:
    import asyncio

    @clew.kinesis_handler(on_failure=clew.skip())
    async def each(record: clew.KinesisRecord) -> None:
        if number_of(record) == 1:
            raise asyncio.CancelledError

    with logged() as lines:
        assert first_left_over(each(batch(3), Context())) is None
    assert outcomes(lines) == ["done", "skipped", "done"]


def test_coroutines_find_the_loop_of_the_invocation_before() -> None:
    import asyncio

    loops: list[Any] = []

    @clew.kinesis_handler(on_failure=clew.halt(), lanes=2)
    async def each(record: clew.KinesisRecord) -> None:
        loops.append(asyncio.get_running_loop())

    with logged():
        each(batch(2), Context())
        each(batch(2), Context())
    assert len(set(map(id, loops))) == 1


def test_a_coroutine_handler_inside_a_loop_says_what_to_do() -> None:
    import asyncio

    @clew.kinesis_handler(on_failure=clew.halt(), report=False)
    async def each(record: clew.KinesisRecord) -> None:
        """Do nothing."""

    async def wrong() -> None:
        each(batch(1), Context())

    with logged() as lines, pytest.raises(clew.ClewError):
        asyncio.run(wrong())
    assert any("asyncio.to_thread" in str(line) for line in lines)


@pytest.mark.parametrize("lanes", [None, 2])
@pytest.mark.parametrize("broken", ["decide", "say", "log"])
def test_a_failure_of_clews_own_returns_the_records(
    broken: str, lanes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("clew's own")

    @clew.kinesis_handler(on_failure=clew.skip(), lanes=lanes)
    def each(record: clew.KinesisRecord) -> None:
        if number_of(record) == 1:
            raise KeyError

    if broken == "decide":
        monkeypatch.setattr(steps, "decide", fail)
    elif broken == "say":
        monkeypatch.setattr("clew.streams.batch.say", fail)
    else:
        monkeypatch.setattr("clew.log.logger.RecordLogger.error", fail, raising=False)
    with logged() as lines:
        answer = each(batch(4), Context())
    if broken == "log":
        assert first_left_over(answer) is None, "a line that cannot be written loses nothing"
        assert outcomes(lines) == ["done", "skipped", "done", "done"]
    else:
        assert first_left_over(answer) == 1
        assert outcomes(lines) == ["done"] + ["returned"] * 3
    assert any("clew failed while" in line["message"] for line in warnings(lines))


def test_an_engine_that_breaks_returns_what_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    @clew.kinesis_handler(on_failure=clew.skip())
    def each(record: clew.KinesisRecord) -> None:
        if number_of(record) == 1:
            raise KeyError

    monkeypatch.setattr(drive, "_settle", fail)
    with logged() as lines:
        answer = each(batch(4), Context())
    assert first_left_over(answer) == 1
    assert outcomes(lines) == ["done"] + ["returned"] * 3


def test_a_decoder_that_raises_fails_its_own_record_only() -> None:
    attempts: list[int] = []
    seen: list[Any] = []

    def decode(data: bytes) -> Any:
        attempts.append(1)
        if b"1" in data:
            raise ValueError("no post")
        return data.decode()

    policy = clew.retry(3, backoff=0, then=clew.skip())

    @clew.kinesis_handler(on_failure=policy, decode=decode)
    def each(record: clew.KinesisRecord) -> None:
        seen.append(record.decoded)

    @clew.kinesis_handler(on_failure=policy, decode=decode, batch=True)
    def many(records: list[clew.KinesisRecord]) -> None:
        seen.extend(record.decoded for record in records)

    for handler in (each, many):
        seen.clear()
        attempts.clear()
        with logged() as lines:
            handler(batch(3), Context())
        assert seen == ['{"n": 0}', '{"n": 2}']
        assert len(attempts) == 3, "what cannot be decoded is not tried again"
        assert outcomes(lines) == ["done", "skipped", "done"]
        assert invocation(lines)["received"][1]["error"] == "ValueError: no post"


def test_each_failure_is_told_under_its_own_ids() -> None:
    log = clew.get_logger("tests.engine")

    @clew.kinesis_handler(on_failure=clew.retry(1, backoff=0, then=clew.skip()))
    def each(record: clew.KinesisRecord) -> None:
        log.debug("what DEBUG would say", extra={"mine": number_of(record)})
        if number_of(record) == 1:
            raise KeyError("b")

    with logged() as lines:
        each(batch(3), Context())
    (again,) = said(lines, "record failed, trying again")
    (skipped,) = said(lines, "record skipped")
    held = said(lines, "what DEBUG would say")
    span = invocation(lines)["received"][1]["span"]
    assert {again["spanId"], skipped["spanId"]} == {span}
    assert (again["level"], again["attempts"], again["error"]) == ("WARNING", 1, "KeyError: 'b'")
    assert (skipped["level"], skipped["attempts"]) == ("ERROR", 2)
    assert skipped["exception"]["type"] == "KeyError"
    assert [(one["mine"], one["flightRecorder"]) for one in held] == [(1, True)] * 2


def test_a_policy_that_needs_more_time_than_there_is_says_so_once() -> None:
    policy = clew.retry(2, within="30s", then=clew.skip())
    handler = clew.kinesis_handler(on_failure=policy)(lambda record: None)
    enough = clew.kinesis_handler(on_failure=policy)(lambda record: None)
    with logged() as lines:
        for _ in range(3):
            handler(batch(1), Clock(3))
            enough(batch(1), Clock(60))
    (warning,) = warnings(lines)
    assert "retry(within='30s') is longer than the function may run (3 s)" in warning["message"]


def test_without_reports_the_first_error_is_raised_and_the_others_logged() -> None:
    @clew.sqs_handler(on_failure=clew.halt(), report=False)
    def each(record: clew.SqsRecord) -> None:
        if number_of(record) in (1, 2):
            raise KeyError(number_of(record))

    with logged() as lines, pytest.raises(KeyError, match="1"):
        each(event([sqs(number, "") for number in range(4)]), Context())
    (other,) = said(lines, "record returned")
    assert other["exception"]["message"] == "2"
    assert outcomes(lines) == ["done", "failed", "failed", "done"]


def test_without_reports_what_is_left_over_is_an_error() -> None:
    @clew.kinesis_handler(on_failure=clew.halt(), report=False)
    def each(record: clew.KinesisRecord) -> None:
        time.sleep(0.2)

    with logged(), pytest.raises(clew.ClewError, match="records were not run, and come again"):
        each(batch(100), Context(timeout_s=0.5))


def test_a_batch_function_may_name_the_failures_as_lambda_has_them() -> None:
    """As functions do that were written for batchItemFailures: they stop at the first one."""
    raws = [kinesis(number, "a") for number in range(4)]
    calls: list[list[int]] = []

    @clew.kinesis_handler(on_failure=clew.retry(1, backoff=0, then=clew.halt()), batch=True)
    def many(records: list[clew.KinesisRecord]) -> Any:
        calls.append([number_of(record) for record in records])
        for record in records:
            if number_of(record) == 2:
                failed = {"itemIdentifier": record.sequence_number}
                return {"batchItemFailures": [failed], "state": {"sum": 1}}
        return None

    with logged() as lines:
        answer = many(event(raws), Context())
    assert calls == [[0, 1, 2, 3], [2, 3]]
    assert first_left_over(answer) == 2
    assert answer["state"] == {"sum": 1}, "what a tumbling window needs is passed on"
    assert outcomes(lines) == ["done", "done", "returned", "returned"]


@pytest.mark.parametrize("named", [[{"itemIdentifier": "other"}], [{}], ["x"], "all"])
def test_a_batch_function_that_names_no_record_failed_whole(named: Any) -> None:
    @clew.kinesis_handler(on_failure=clew.halt(), batch=True)
    def many(records: list[clew.KinesisRecord]) -> Any:
        return {"batchItemFailures": named}

    with logged() as lines:
        assert first_left_over(many(batch(2), Context())) == 0
    assert outcomes(lines) == ["returned"] * 2


def test_a_batch_that_fails_whole_is_told_once() -> None:
    @clew.kinesis_handler(on_failure=clew.halt(), batch=True)
    def many(records: list[clew.KinesisRecord]) -> None:
        raise KeyError("all")

    with logged() as lines:
        assert first_left_over(many(batch(50), Context())) == 0
    assert len(said(lines, "record returned")) == 1


def test_a_partial_failure_of_another_batch_means_all() -> None:
    others: list[Any] = []

    @clew.kinesis_handler(on_failure=clew.halt(), batch=True)
    def many(records: list[clew.KinesisRecord]) -> None:
        if others:
            raise clew.PartialFailure(others)
        others.extend(records)

    with logged():
        assert first_left_over(many(batch(2), Context())) is None
        assert first_left_over(many(batch(2), Context())) == 0


def test_an_async_batch_is_cancelled_in_time_and_what_ends_a_process_comes_out() -> None:
    import asyncio

    @clew.kinesis_handler(on_failure=clew.skip(), batch=True)
    async def slow(records: list[clew.KinesisRecord]) -> None:
        await asyncio.sleep(60)

    @clew.kinesis_handler(on_failure=clew.skip(), batch=True)
    async def ends(records: list[clew.KinesisRecord]) -> None:
        raise SystemExit(3)

    with logged() as lines:
        assert first_left_over(slow(batch(2), Context(timeout_s=0.5))) == 0
    assert outcomes(lines) == ["returned"] * 2
    with logged() as lines, pytest.raises(SystemExit):
        ends(batch(2), Context())
    assert outcomes(lines) == ["failed"] * 2


def test_lanes_are_never_more_than_so_many() -> None:
    lock, running, most = threading.Lock(), [0], [0]

    @clew.kinesis_handler(on_failure=clew.halt(), lanes=3)
    def each(record: clew.KinesisRecord) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.003)
        with lock:
            running[0] -= 1

    with logged():
        each(event([kinesis(n, str(n % 20)) for n in range(60)]), Context())
    assert most[0] == 3


def test_each_lane_has_the_ids_of_its_record() -> None:
    log = clew.get_logger("tests.lanes")
    barrier = threading.Barrier(3, timeout=20)

    @clew.kinesis_handler(on_failure=clew.halt(), lanes=3)
    def each(record: clew.KinesisRecord) -> None:
        barrier.wait()
        clew.bind(mine=number_of(record))
        barrier.wait()
        log.info("in a lane", extra={"n": str(number_of(record))})
        assert clew.current().span_id == record.span_id

    with logged() as lines:
        each(batch(6, "abcabc"), Context())
    told = said(lines, "in a lane")
    assert len(told) == 6
    spans = [one["span"] for one in invocation(lines)["received"]]
    for line in told:
        assert line["x-correlation-mine"] == line["n"]
        assert line["spanId"] == spans[int(line["n"])]


HANDLERS: dict[str, Any] = {
    "kinesis": clew.kinesis_handler,
    "dynamodb": clew.dynamodb_handler,
    "sqs": clew.sqs_handler,
    "kafka": clew.kafka_handler,
    "sns": clew.sns_handler,
    "retry": clew.retry_handler,
}


@pytest.mark.parametrize("how", ["one at a time", "lanes", "async"])
@pytest.mark.parametrize("kind", list(HANDLERS))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(came=events(), fails=st.booleans())
def test_any_handler_takes_any_event(kind: str, how: str, came: Any, fails: bool) -> None:
    seen: list[Any] = []

    def each(record: Any) -> None:
        seen.append(record)
        if fails:
            raise KeyError

    async def each_async(record: Any) -> None:
        each(record)

    lanes = {"lanes": 2} if how == "lanes" and kind != "sns" else {}
    handler = HANDLERS[kind](on_failure=clew.skip(), **lanes)(
        each_async if how == "async" else each
    )
    with logged() as lines:
        handler(came, Context())
    wide = invocation(lines)
    assert wide["outcome"] == "ok"
    told = [one["outcome"] for one in wide["received"]]
    assert set(told) <= {"done", "skipped"}, "nothing is returned, and nothing breaks"
    if kind != "retry":
        assert len(seen) == len([one for one in wide["received"] if one["attempts"]])
    assert not [line for line in warnings(lines) if "clew failed" in line["message"]]
