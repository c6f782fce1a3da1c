"""Loggers that are `logging`'s own, but for the lines and the level."""

from __future__ import annotations

import io
import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.log.logger import ClewHandler, ClewLogger, RecordLogger, get_logger, install

from .lines import logged

if TYPE_CHECKING:
    from collections.abc import Iterator

DEBUGGED = clew.Correlation({"x-correlation-id": "on", "debug-log-enabled": "true"})
QUIET = clew.Correlation({"x-correlation-id": "off", "debug-log-enabled": "false"})


@pytest.fixture
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    """A logger's name that no other test uses."""
    fresh = f"tests.{request.node.name}"
    yield fresh
    logging.Logger.manager.loggerDict.pop(fresh, None)


def test_info_is_written_and_debug_follows_the_chain(name: str) -> None:
    log = get_logger(name)
    with logged() as lines:
        log.debug("outside")
        log.info("outside")
        for correlation in (QUIET, DEBUGGED):
            with clew.use(correlation):
                assert log.isEnabledFor(logging.DEBUG) is correlation.debug
                assert log.isEnabledFor(5) is False
                log.debug("by debug")
                log.log(logging.DEBUG, "by log")
                log.log(logging.INFO, "by log")
    assert [(one["level"], one["message"], one.get("x-correlation-id")) for one in lines] == [
        ("INFO", "outside", None),
        ("INFO", "by log", "off"),
        ("DEBUG", "by debug", "on"),
        ("DEBUG", "by log", "on"),
        ("INFO", "by log", "on"),
    ]


def test_a_disabled_logger_stays_silent(name: str) -> None:
    log = get_logger(name)
    with logged() as lines, clew.use(DEBUGGED):
        log.disabled = True
        log.debug("no")
        log.error("no")
        log.disabled = False
        logging.disable(logging.CRITICAL)
        try:
            log.debug("no")
            log.error("no")
        finally:
            logging.disable(logging.NOTSET)
    assert lines == []


def test_a_level_that_the_user_set_stays(name: str) -> None:
    logging.getLogger(name).setLevel(logging.ERROR)
    child = get_logger(f"{name}.child")
    assert child.level == logging.NOTSET
    with logged() as lines:
        child.warning("no")
        child.error("yes")
    assert [one["message"] for one in lines] == ["yes"]


@pytest.mark.parametrize("plain", [False, True])
def test_a_level_that_the_user_sets_on_a_parent_later_counts(name: str, *, plain: bool) -> None:
    log = get_logger(f"{name}.cart")
    log = logging.getLogger(f"{name}.cart.item") if plain else log
    parent = logging.getLogger(name)
    with logged() as lines:
        log.info("first")
        parent.setLevel(logging.ERROR)
        log.info("no")
        log.error("second")
        parent.setLevel(logging.DEBUG)
        log.debug("third")
        parent.setLevel(logging.NOTSET)
        log.debug("no")
        log.info("fourth")
        logging.getLogger(f"{name}.cart").setLevel(logging.WARNING)
        log.info("no")
        logging.getLogger(f"{name}.cart").setLevel(logging.NOTSET)
        log.info("fifth")
    messages = [one["message"] for one in lines]
    assert messages == ["first", "second", "third", "fourth", "fifth"]


def test_a_logger_that_was_used_before_is_at_the_level_too(name: str) -> None:
    logging.getLogger(name).info("no")
    with logged() as lines:
        get_logger(name).info("yes")
    assert [one["message"] for one in lines] == ["yes"]


@pytest.mark.parametrize(
    ("clew_level", "lambda_level", "level"),
    [
        (None, None, logging.INFO),
        ("debug", None, logging.DEBUG),
        (None, "WARN", logging.WARNING),
        (None, "FATAL", logging.CRITICAL),
        (None, "TRACE", logging.DEBUG),
        ("ERROR", "DEBUG", logging.ERROR),
        ("LOUD", None, logging.INFO),
    ],
)
def test_the_level_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    clew_level: str | None,
    lambda_level: str | None,
    level: int,
) -> None:
    for variable, value in (
        ("CLEW_LOG_LEVEL", clew_level),
        ("AWS_LAMBDA_LOG_LEVEL", lambda_level),
    ):
        monkeypatch.delenv(variable, raising=False)
        if value:
            monkeypatch.setenv(variable, value)
    assert get_logger(name).level == level


def test_arguments_and_fields(name: str) -> None:
    log = get_logger(name)
    with logged() as lines:
        log.info("%s of %d", "one", 2, extra={"own": {"a": 1}})
        log.info("%(a)s", {"a": 1})
        log.info({"a": 1})
        log.info("100 %")
    assert [one["message"] for one in lines] == ["one of 2", "1", "{'a': 1}", "100 %"]
    assert lines[0]["own"] == {"a": 1}


def test_wrong_arguments_are_shown_not_raised(name: str) -> None:
    class NoText:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    log = get_logger(name)
    with logged() as lines:
        log.info("%d", "a")
        log.info("%s %s", "a")  # noqa: PLE1206
        log.info("no place", "a")  # noqa: PLE1205
        log.info("%s", NoText())
        log.info(NoText())
    assert lines[0]["message"] == "%d (arguments: ('a',))"
    assert lines[1]["message"] == "%s %s (arguments: ('a',))"
    assert lines[2]["message"] == "no place (arguments: ('a',))"
    assert lines[3]["message"].startswith("%s (arguments: ")
    assert lines[4]["message"].startswith("<NoText: its text raised RuntimeError>")


@pytest.mark.parametrize("correlation", [QUIET, DEBUGGED])
def test_fields_named_as_members_of_a_record_do_not_raise(
    name: str, correlation: clew.Correlation
) -> None:
    members = dict.fromkeys(["message", "asctime", "name", "args", "msg", "module", "taskName"], 1)
    log = get_logger(name)
    with logged() as lines, clew.use(correlation):
        log.info("hello", extra={**members, "own": 2})
    (line,) = lines
    assert (line["message"], line["own"]) == ("hello", 2)
    assert {member: line[f"{member}_"] for member in members} == members


@pytest.mark.parametrize("extra", [7, "text", ["a"], [("a", 1)], {1: 2}, None, {}])
def test_extra_of_another_type_does_not_raise(name: str, extra: Any) -> None:
    with logged() as lines:
        get_logger(name).info("hello", extra=extra)
    assert len(lines) == 1


def test_an_exception_is_in_the_line(name: str) -> None:
    log = get_logger(name)
    with logged() as lines:
        try:
            int("wine")
        except ValueError as error:
            log.exception("failed")
            known = error
        log.error("later", exc_info=known)
        log.error("none in hand", exc_info=True)
    assert [one.get("exception", {}).get("type") for one in lines] == [
        "ValueError",
        "ValueError",
        None,
    ]


def test_a_failing_stdout_reaches_nobody(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("closed")

    monkeypatch.setattr(logging, "raiseExceptions", False)
    log = get_logger(name)
    for stdout in (Closed(), None):
        monkeypatch.setattr(sys, "stdout", stdout)
        log.info("nowhere to go")


def test_a_line_is_one_write(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[str] = []
    monkeypatch.setattr(
        sys, "stdout", type("Out", (), {"write": writes.append, "flush": lambda self: None})()
    )
    handlers, logging.getLogger().handlers = logging.getLogger().handlers, [ClewHandler()]
    try:
        get_logger(name).info("x" * 200_000)
    finally:
        logging.getLogger().handlers = handlers
    assert len(writes) == 1


def test_the_caller_is_the_users_line(name: str) -> None:
    found: list[tuple[str, str]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append((record.filename, record.funcName))

    log = get_logger(name)
    log.addHandler(Keep())
    with logged(), clew.use(DEBUGGED):
        log.debug("a")
        log.info("a")
        log.log(logging.DEBUG, "a")
        log.log(logging.INFO, "a")
    assert found == [("test_logger.py", "test_the_caller_is_the_users_line")] * 4


def test_a_records_logger_carries_its_correlation_whichever_is_in_force() -> None:
    on, off = RecordLogger(DEBUGGED), RecordLogger(QUIET)
    with logged() as lines, clew.use(QUIET):
        on.debug("yes")
        off.debug("no")
        off.warning("yes", extra={"own": 1})
        on.exception("failed", exc_info=KeyError("a"))
        assert on.isEnabledFor(logging.DEBUG)
        assert not off.isEnabledFor(logging.DEBUG)
        assert clew.current() is QUIET
    assert [(one["x-correlation-id"], one["level"]) for one in lines] == [
        ("on", "DEBUG"),
        ("off", "WARNING"),
        ("on", "ERROR"),
    ]


def test_other_libraries_lines_are_json_too(name: str) -> None:
    plain = logging.getLogger(name)
    assert not isinstance(plain, ClewLogger)
    with logged() as lines, clew.use(QUIET):
        plain.warning("from a library")
    assert [(one["message"], one["x-correlation-id"]) for one in lines] == [
        ("from a library", "off")
    ]


def test_a_logger_of_a_class_that_logs_its_own_way_is_left_alone() -> None:
    class Own(logging.Logger):
        def isEnabledFor(self, level: int) -> bool:
            return level == logging.CRITICAL

    own = Own("tests.own")
    logging.Logger.manager.loggerDict["tests.own"] = own
    try:
        assert get_logger("tests.own") is own
        assert type(own) is Own
    finally:
        del logging.Logger.manager.loggerDict["tests.own"]


def test_install_replaces_lambdas_own_handler_and_no_other() -> None:
    class Other(logging.Handler):
        pass

    lambdas = type("LambdaLoggerHandler", (logging.Handler,), {"__module__": "awslambdaric.x"})
    root = logging.getLogger()
    other = Other()
    before, root.handlers = root.handlers, [lambdas(), other]
    try:
        for _ in range(2):
            install()
            assert [type(one) for one in root.handlers] == [Other, ClewHandler]
    finally:
        root.handlers = before


def test_a_stack_that_is_asked_for_is_a_field(name: str) -> None:
    with logged() as lines:
        get_logger(name).warning("here", extra={"a": 1}, stack_info=True)
        logging.getLogger("plain").warning("here", stack_info=True)
        get_logger(name).warning("here", extra={"stack": "mine"}, stack_info=True)
    for line in lines[:2]:
        assert line["stack"][-2].startswith(f'File "{__file__}", line ')
        assert line["stack"][-2].endswith("in test_a_stack_that_is_asked_for_is_a_field")
    assert lines[0]["a"] == 1
    assert lines[2]["stack"] == "mine"


def test_a_logger_of_another_librarys_class_follows_the_call_chain_too() -> None:
    class Theirs(logging.Logger):
        def own(self) -> str:
            return "theirs"

    before = logging.getLoggerClass()
    logging.setLoggerClass(Theirs)
    try:
        logger = clew.get_logger("tests.of-another-class")
    finally:
        logging.setLoggerClass(before)
    assert isinstance(logger, Theirs)
    assert logger.own() == "theirs"
    with logged() as lines, clew.use(clew.Correlation({"debug-log-enabled": "true"})):
        logger.debug("detail")
        logger.info("line")
    assert [line["message"] for line in lines] == ["detail", "line"]
