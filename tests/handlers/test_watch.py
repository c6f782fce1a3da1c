"""Shortly before Lambda stops a function it is said where it is, and what its end would say."""

from __future__ import annotations

import contextlib
import io
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import clew
from capture.events import FIELDS, Context, kinesis, rest_api, with_context
from clew.handlers import watch as module
from clew.handlers.watch import Margin, Watch, watch
from clew.log.timeout import MAX_FRAMES, stack_of
from log.lines import Line, logged, read_lines

from .every import EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Until

log = clew.get_logger("tests.watch")


class Short(Context):
    """An invocation that has so many seconds."""

    def __init__(self, seconds: float = 0.15) -> None:
        self._ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends - time.monotonic()) * 1000)


class Out:
    """What is written, while it is written."""

    def __init__(self) -> None:
        self.text = io.StringIO()

    @property
    def lines(self) -> list[Line]:
        return read_lines(self.text.getvalue())

    def messages(self) -> list[str]:
        return [line["message"] for line in self.lines]

    def timed_out(self) -> list[Line]:
        return [line for line in self.lines if line.get("outcome") == "timeout"]


@pytest.fixture
def out() -> Iterator[Out]:
    made = Out()
    yield made


@contextlib.contextmanager
def writing_to(out: Out) -> Iterator[None]:
    with logged(), contextlib.redirect_stdout(out.text):
        yield


def in_the_users_code(out: Out, until: Until) -> None:
    until(lambda: "the event of the failed invocation" in out.messages(), "it is all said")


@pytest.mark.parametrize("kind", EVERY)
def test_where_it_is_and_all_that_its_end_would_say(kind: str, out: Out, until: Until) -> None:
    def body(_: Any) -> None:
        log.debug("held", extra={"token": "x"})
        in_the_users_code(out, until)

    make, event = EVERY[kind]
    with writing_to(out):
        make(body)(event, Short())
    warning, timed_out, held, failed_event, wide = out.lines
    assert warning["message"] == "the function is about to time out"
    assert warning["level"] == "WARNING"
    assert 0 <= warning["remainingMs"] <= 150
    assert any(
        "test_watch.py" in frame and "in in_the_users_code" in frame for frame in warning["stack"]
    )
    assert "/tests/" in warning["stack"][0], "from the user's own function on"
    assert timed_out["message"] == "invocation"
    assert (timed_out["level"], timed_out["outcome"]) == ("ERROR", "timeout")
    entries = timed_out["received"]
    assert {entry["outcome"] for entry in entries} == {"timeout"}
    assert all(entry["error"].startswith('out of time at File "') for entry in entries)
    assert (held["message"], held["token"]) == ("held", "***")
    assert held["flightRecorder"] is True
    assert failed_event["flightRecorder"] is True
    assert {line["requestId"] for line in out.lines} == {Context.aws_request_id}
    assert warning["spanId"] == timed_out["spanId"] == wide["spanId"]
    # It did get to its end, and says so.
    assert (wide["message"], wide["outcome"]) == ("invocation", "ok")
    assert {entry["outcome"] for entry in wide["received"]} == {"done"}


def test_of_a_batch_what_is_done_what_is_in_hand_and_what_is_not_reached(
    out: Out, until: Until
) -> None:
    names = ("a", "b", "c")
    fields = [{**FIELDS, "x-correlation-id": name} for name in names]

    @clew.kinesis_handler(on_failure=clew.halt())
    def each(record: clew.KinesisRecord) -> None:
        if record.correlation.id == "b":
            in_the_users_code(out, until)

    with writing_to(out):
        each(kinesis(*(with_context(b"{}", one) for one in fields)), Short(1.0))
    (timed_out,) = out.timed_out()
    assert [(one["id"], one["outcome"]) for one in timed_out["received"]] == [
        ("a", "done"),
        ("b", "timeout"),
        ("c", "pending"),
    ]


def test_what_was_sent_until_then_is_there(out: Out, until: Until) -> None:
    from clew.forward.sending import new_sent, note

    @clew.api_handler
    def handler(event: Any, context: Any) -> None:
        note([new_sent("sns", "Publish", "arn:topic", clew.current())])
        in_the_users_code(out, until)

    with writing_to(out):
        handler(rest_api({}), Short())
    (timed_out,) = out.timed_out()
    assert [(one["target"], one["outcome"]) for one in timed_out["sent"]] == [
        ("arn:topic", "pending")
    ]


def test_one_that_is_done_in_time_says_nothing(out: Out, until: Until) -> None:
    quick = EVERY["direct"][0](lambda _: None)
    slow = EVERY["direct"][0](lambda _: in_the_users_code(out, until))
    with writing_to(out):
        for _ in range(50):  # their moments pass before that of the slow one
            quick({"a": 1}, Short(0.1))
        slow({"a": 1}, Short(0.4))
    assert len(out.timed_out()) == 1
    assert out.messages().count("invocation") == 52


def test_several_at_once_each_speak_for_themselves(out: Out, until: Until) -> None:
    def body(event: Any) -> None:
        until(lambda: len(out.timed_out()) == 3, "all of them speak")

    handler = EVERY["direct"][0](body)

    def invoke(seconds: float, name: str) -> None:
        handler({"a": 1, "__context": {"x-correlation-id": name}}, Short(seconds))

    with writing_to(out):
        # The first has the most time: the others wake the thread that waits for it.
        threads = [
            threading.Thread(target=invoke, args=(seconds, str(seconds)))
            for seconds in (0.6, 0.3, 0.15)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join(20)
    assert [line["x-correlation-id"] for line in out.timed_out()] == ["0.15", "0.3", "0.6"]


class Frozen(Short):
    """Its clock stands still between invocations, as the process does; the machine's goes on."""

    def __init__(self) -> None:
        super().__init__(30.0)


def test_after_a_thaw_lambdas_own_clock_counts(out: Out) -> None:
    invocation = EVERY["direct"][0]
    seen: list[Watch] = []

    def body(_: Any) -> None:
        (mine,) = [one for one in module._watcher.watches if one.thread == threading.get_ident()]
        module._watcher.watches.discard(mine)
        mine.at = time.monotonic() - 100  # as if the machine's clock had gone on without us
        mine.due()
        seen.append(mine)
        assert mine in module._watcher.watches, "it is put down again"
        assert mine.at > time.monotonic() + 20

    with writing_to(out):
        invocation(body)({"a": 1}, Frozen())
    assert len(seen) == 1
    assert out.messages() == ["invocation"]


def test_the_moment_of_one_that_is_done_has_no_say(out: Out) -> None:
    with writing_to(out), logged():
        delivery = clew.capture({"a": 1}, Context())
        watched = watch(delivery, Short())
        assert watched is not None
        watched.end()
        watched.due()
    assert out.text.getvalue() == ""
    assert watched not in module._watcher.watches


class NoTime:
    """A context without the method, as tests have it."""


class Raises:
    def get_remaining_time_in_millis(self) -> int:
        raise RuntimeError("no time")


@pytest.mark.parametrize(
    "context",
    [
        None,
        NoTime(),
        Raises(),
        *(
            type("C", (), {"get_remaining_time_in_millis": lambda self, v=v: v})()
            for v in (None, "3000", True, 0, -5)
        ),
    ],
)
def test_who_does_not_know_its_time_is_not_watched(context: Any) -> None:
    assert watch(clew.capture({}), context) is None


@pytest.mark.parametrize(
    ("wanted", "seconds"),
    [("", 0.2), ("500", 0.5), ("0", 0), (" 50 ", 0.05), ("-1", 0.2), ("x", 0.2)],
)
def test_the_margin(wanted: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_TIMEOUT_MARGIN", wanted)
    assert Margin().seconds == seconds


def test_0_switches_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.margin, "seconds", 0.0)
    assert watch(clew.capture({}), Context()) is None


def test_of_a_short_time_no_more_than_a_fifth() -> None:
    watched = watch(clew.capture({}), Short(0.5))
    assert watched is not None
    watched.end()
    assert watched.margin_s == pytest.approx(0.1, rel=0.1)


def test_a_failure_while_it_is_said_reaches_nobody(
    out: Out, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clew.log import timeout

    def broken(*_: object) -> None:
        raise KeyError("broken")

    def body(_: Any) -> None:
        until(lambda: "clew failed while watching" in out.text.getvalue(), "it is said")

    monkeypatch.setattr(timeout, "write_held", broken)
    handler = EVERY["direct"][0](body)
    with writing_to(out):
        handler({"a": 1}, Short())
        monkeypatch.undo()
        EVERY["direct"][0](lambda _: in_the_users_code(out, until))({"a": 1}, Short())
    assert len(out.timed_out()) == 2, "and the next one is watched"


def deep(steps: int, then: Callable[[], Any]) -> Any:
    return then() if steps == 0 else deep(steps - 1, then)


def test_a_long_stack_keeps_its_ends() -> None:
    import sys

    stack = deep(300, lambda: stack_of(sys._getframe()))
    assert len(stack) == 2 * MAX_FRAMES + 1
    assert stack[MAX_FRAMES].startswith("… ")
    assert "in <lambda>" in stack[-1]
    assert all(len(frame) <= 300 for frame in stack)
    assert stack_of(None) == []
