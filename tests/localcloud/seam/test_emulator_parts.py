"""Functions stand around the emulator's, or there is one sentence that says why not."""

from __future__ import annotations

import types
from typing import Any

import pytest

from clew.localcloud.seam.emulator_parts import around


def test_the_outer_function_answers_and_may_ask_the_original() -> None:
    module = types.ModuleType("module")
    module.double = lambda number: 2 * number  # type: ignore[attr-defined]
    around(module, "double", lambda original, number: original(number) + 1)
    assert module.double(5) == 11


def test_a_method_gets_its_object() -> None:
    class Counter:
        count = 3

        def add(self, number: int) -> int:
            return self.count + number

    def outer(original: Any, counter: Counter, number: int) -> int:
        counter.count = 10
        added: int = original(counter, number)
        return added

    around(Counter, "add", outer)
    assert Counter().add(1) == 11


def test_what_is_missing_ends_the_process_with_a_sentence() -> None:
    module = types.ModuleType("module")
    with pytest.raises(SystemExit, match="module has no function gone: this is another version"):
        around(module, "gone", lambda original: original())
