"""Levels of single loggers, and lines that Lambda itself would drop."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.log.levels import set_single_ones, warn_of_dropped
from clew.log.logger import install

from .lines import Line, logged, read_lines, warnings

if TYPE_CHECKING:
    from collections.abc import Iterator

SRC = Path(clew.__file__).parents[1]
DEBUGGED = clew.Correlation({"x-correlation-id": "on", "debug-log-enabled": "true"})


@pytest.fixture
def library() -> Iterator[logging.Logger]:
    """A logger of somebody else's."""
    yield logging.getLogger("some.library")
    logging.Logger.manager.loggerDict.pop("some.library", None)


def test_each_logger_has_its_own(monkeypatch: pytest.MonkeyPatch, library: logging.Logger) -> None:
    monkeypatch.setenv("CLEW_LOG_LEVELS", "some.library=error, some.library.part=Debug,,")
    set_single_ones()
    part = logging.getLogger("some.library.part")
    with logged() as lines:
        library.warning("no")
        library.error("yes")
        part.debug("yes, too")
    assert [(line["logger"], line["message"]) for line in lines] == [
        ("some.library", "yes"),
        ("some.library.part", "yes, too"),
    ]
    part.setLevel(logging.NOTSET)


def test_what_is_no_level_is_left_out_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, library: logging.Logger
) -> None:
    monkeypatch.setenv("CLEW_LOG_LEVELS", "some.library=LOUD,=ERROR,some.library")
    with logged() as lines:
        set_single_ones()
    assert library.level == logging.NOTSET
    assert ["CLEW_LOG_LEVELS" in line["message"] for line in warnings(lines)] == [True] * 3


@pytest.mark.parametrize(
    ("log_format", "lambda_level", "level", "said"),
    [
        ("JSON", "INFO", logging.DEBUG, True),
        ("JSON", "DEBUG", logging.DEBUG, False),
        ("JSON", "TRACE", logging.DEBUG, False),
        ("JSON", "WARN", logging.INFO, True),
        ("JSON", "INFO", logging.INFO, False),
        ("JSON", "", logging.DEBUG, False),
        ("Text", "WARN", logging.INFO, False),
        ("", "WARN", logging.INFO, False),
    ],
)
def test_lines_that_lambda_drops(
    monkeypatch: pytest.MonkeyPatch, log_format: str, lambda_level: str, level: int, said: bool
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", log_format)
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", lambda_level)
    with logged() as lines:
        warn_of_dropped(level)
        warn_of_dropped(level)
    assert len(warnings(lines)) == said


def test_a_chain_at_debug_says_that_lambda_drops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "INFO")

    @clew.handler
    def quiet(event: Any, context: Any) -> None:
        """Does nothing."""

    with logged() as lines:
        quiet({"a": 1}, None)
    assert warnings(lines) == []
    with logged() as lines:
        quiet({"a": 1, "__context": dict(DEBUGGED)}, None)
    (warning,) = warnings(lines)
    assert warning["message"].startswith("Lambda drops DEBUG lines of this function")


# ---- logging, configured by the user


def run(program: str, **environment: str) -> tuple[list[Line], str]:
    """What clew wrote to stdout, and stderr, of a program of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        timeout=60,
        check=True,
        text=True,
        env={"PYTHONPATH": str(SRC), **environment},
    )
    return read_lines(done.stdout), done.stderr


BEFORE = """
import logging, clew
logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
log = clew.get_logger("app")
library = logging.getLogger("some.library")
"""
AFTER = """
import logging, clew
log = clew.get_logger("app")
logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
library = logging.getLogger("some.library")
library.setLevel(logging.INFO)
"""
USE = """
log.info("mine")
log.debug("off")
library.info("theirs %s", "too")
@clew.handler
def handler(event, context):
    log.debug("chosen")
handler({"a": 1, "__context": {"x-correlation-id": "x", "debug-log-enabled": "true"}}, None)
"""
ALL = ["mine", "theirs too", "chosen", "invocation"]


def test_basic_config_before_clew_has_its_handler_besides() -> None:
    lines, stderr = run(BEFORE + USE)
    assert [line["message"] for line in lines] == ALL
    assert stderr == "app: mine\nsome.library: theirs too\napp: chosen\n"


def test_basic_config_after_clew_changes_nothing() -> None:
    lines, stderr = run(AFTER + USE)
    assert [line["message"] for line in lines] == ALL
    assert stderr == ""


def test_dict_config_with_clews_handler() -> None:
    program = f"""
import logging.config
logging.config.dictConfig({{
    "version": 1,
    "handlers": {{"json": {{"class": "clew.log.logger.ClewHandler"}}}},
    "root": {{"handlers": ["json"], "level": "INFO"}},
    "loggers": {{"some.library": {{"level": "ERROR"}}}},
}})
import clew
log = clew.get_logger("app")
library = logging.getLogger("some.library")
{USE}
"""
    lines, _ = run(program)
    assert [line["message"] for line in lines] == ["mine", "chosen", "invocation"]


def test_dict_config_after_clew_has_the_last_word() -> None:
    program = """
import logging.config, clew
log = clew.get_logger("app")
library = logging.getLogger("some.library")
logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"own": {"format": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"own": {"class": "logging.StreamHandler", "formatter": "own"}},
    "root": {"handlers": ["own"], "level": "INFO"},
})
log.info("mine")
library.info("theirs")
with clew.use(clew.Correlation({"x-correlation-id": "x", "debug-log-enabled": "true"})):
    log.debug("chosen")
"""
    lines, stderr = run(program)
    assert lines == []
    assert stderr == "INFO app mine\nINFO some.library theirs\nDEBUG app chosen\n"


def test_levels_of_libraries_in_a_function(tmp_path: Path) -> None:
    program = """
import logging, clew
log = clew.get_logger("app")
library = logging.getLogger("some.library")
library.warning("no")
logging.getLogger("other.library").warning("yes")
log.info("no: it is one of those named")
"""
    lines, _ = run(program, CLEW_LOG_LEVELS="some.library=ERROR,app=WARNING")
    assert [line["message"] for line in lines] == ["yes"]


def test_in_lambdas_json_format_a_line_is_written_as_it_is() -> None:
    program = """
import clew
clew.get_logger("app").info("once")
"""
    plain = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}
    lines, _ = run(program, **plain)
    assert [line["message"] for line in lines] == ["once"]
    lines, _ = run(program, **plain | {"AWS_LAMBDA_LOG_LEVEL": "WARN"})
    assert lines[0]["message"].startswith("Lambda drops INFO invocation lines")
    assert json.loads(json.dumps(lines[0]))["level"] == "WARNING"


def test_installing_again_adds_no_handler() -> None:
    root = logging.getLogger()
    before, root.handlers = root.handlers, [logging.StreamHandler(io.StringIO())]
    try:
        for _ in range(3):
            install()
        assert len(root.handlers) == 2
    finally:
        root.handlers = before
