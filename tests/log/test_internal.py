"""clew's own few words, which fail nobody."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from clew.log import internal
from clew.log.internal import failed, warn, warn_once

from .lines import logged

if TYPE_CHECKING:
    import pytest


def test_a_warning_is_written_as_clew() -> None:
    with logged() as lines:
        warn("hello", own=1)
    assert [(one["level"], one["logger"], one["own"]) for one in lines] == [("WARNING", "clew", 1)]


def test_once_is_once_for_each_key() -> None:
    with logged() as lines:
        for key in ("a", "b", "a"):
            warn_once(key, key)
    assert [one["message"] for one in lines] == ["a", "b"]


def raise_(error: Exception) -> None:
    raise error


def test_a_failure_of_clews_is_told_once_and_raises_nothing() -> None:
    class NoTextError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    with logged() as lines:
        for error in (KeyError("a"), KeyError("b"), ValueError("c"), NoTextError()):
            try:
                raise_(error)
            except Exception:  # noqa: BLE001
                failed("thinking")
        failed("nothing at all")
    assert [one["message"] for one in lines] == [
        "clew failed while thinking, and the request went on without it: KeyError: 'a'",
        "clew failed while thinking, and the request went on without it: ValueError: c",
        "clew failed while nothing at all, and the request went on without it: nothing: None",
    ]


def test_what_cannot_be_said_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: logging.Logger, *args: object, **kwargs: object) -> None:
        raise OSError("no logging today")

    monkeypatch.setattr(logging.Logger, "warning", broken)
    warn("hello")
    assert internal._said == set()
