"""An exception with everything that led to it, within limits, and whatever its own code does."""

from __future__ import annotations

import json
from typing import Any

import pytest

import clew
from clew.correlation import NONE
from clew.log.exceptions import MAX_MEMBERS, MAX_OTHERS, MAX_STACK_OF_OTHERS
from clew.log.line import build, describe

from .lines import logged, read_lines


def described(error: BaseException) -> dict[str, Any]:
    found = describe(type(error), error, error.__traceback__)
    assert found is not None
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause  # noqa: TRY301
    except BaseException as caught:  # noqa: BLE001
        return caught


def opening_the_cellar() -> None:
    raise KeyError("the key")


def test_a_cause_is_described_apart() -> None:
    def body() -> None:
        try:
            opening_the_cellar()
        except KeyError as error:
            raise ValueError("no wine") from error

    with pytest.raises(ValueError, match="no wine") as caught:
        body()
    found = described(caught.value)
    assert (found["type"], found["message"]) == ("ValueError", "no wine")
    assert not any("KeyError" in line for line in found["stack"])
    cause = found["cause"]
    assert (cause["type"], cause["message"]) == ("KeyError", "'the key'")
    assert any("in opening_the_cellar" in line for line in cause["stack"])
    assert cause["stack"][-1] == "KeyError: 'the key'"
    assert "context" not in found


def test_what_was_being_handled_is_described_apart() -> None:
    try:
        try:
            opening_the_cellar()
        except KeyError:
            raise ValueError("no wine")  # noqa: B904
    except ValueError as error:
        found = described(error)
    assert found["context"]["type"] == "KeyError"
    assert "cause" not in found


def test_what_was_raised_from_none_has_nothing_before_it() -> None:
    try:
        try:
            opening_the_cellar()
        except KeyError:
            raise ValueError("no wine") from None
    except ValueError as error:
        found = described(error)
    assert found.keys() == {"type", "message", "stack"}


def test_a_group_has_its_members() -> None:
    inner = BaseExceptionGroup("inner", [raised(KeyError("a"))])
    members = [inner, raised(ValueError("b"), OSError("c"))]
    group = raised(BaseExceptionGroup[BaseException]("several", members))
    found = described(group)
    assert found["message"] == "several (2 sub-exceptions)"
    assert found["stack"][-1] == "ExceptionGroup: several (2 sub-exceptions)"
    first, second = found["exceptions"]
    assert [one["type"] for one in first["exceptions"]] == ["KeyError"]
    assert (second["type"], second["cause"]["type"]) == ("ValueError", "OSError")
    assert "members" not in found


def count(found: dict[str, Any]) -> int:
    others = [found[name] for name in ("cause", "context") if name in found]
    return 1 + sum(count(one) for one in [*others, *found.get("exceptions", [])])


def test_there_are_never_many() -> None:
    error = ValueError("0")
    for number in range(1, 100):
        error = raised(ValueError(str(number)), error)  # type: ignore[assignment]
    assert count(described(error)) == 1 + MAX_OTHERS

    wide = ExceptionGroup("wide", [ValueError(str(number)) for number in range(1000)])
    found = described(wide)
    assert [one["message"] for one in found["exceptions"]] == [str(n) for n in range(MAX_MEMBERS)]
    assert found["members"] == 1000

    deep: Exception = ValueError("x")
    for _ in range(200):
        deep = ExceptionGroup("deep", [deep, ValueError("y")])
    assert count(described(deep)) == 1 + MAX_OTHERS


def test_a_circle_of_causes_ends() -> None:
    one, other = ValueError("one"), KeyError("other")
    one.__cause__, other.__cause__ = other, one
    assert count(described(one)) == 2


def test_the_stack_of_another_is_shorter() -> None:
    def deep(steps: int) -> None:
        back(steps)

    def back(steps: int) -> None:  # two functions: a stack of one alone is folded by Python
        if steps == 0:
            raise KeyError("x" * 5_000)
        deep(steps - 1)

    try:
        deep(100)
    except KeyError as error:
        cause = described(raised(ValueError("a"), error))["cause"]
    assert len(cause["stack"]) == 2 * MAX_STACK_OF_OTHERS + 1
    assert len(cause["message"]) == 1_000


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f40d", "\x1b"])
def test_a_line_with_everything_that_is_long_stays_short(letter: str) -> None:
    error: BaseException = ValueError(letter * 100_000)
    for _ in range(20):
        error = raised(ValueError(letter * 100_000), error)
    many = BaseExceptionGroup(letter * 100_000, [error, *(ValueError(letter * 9_000),) * 50])
    with logged() as lines:
        clew.get_logger("tests.exceptions").error(
            letter * 100_000, exc_info=many, extra={"long": letter * 100_000}
        )
    assert lines[0]["exception"]["type"] == "ExceptionGroup"
    assert lines[0]["exception"]["message"].startswith(letter)


def test_what_raises_when_it_is_looked_at() -> None:
    class HostileError(Exception):
        @property
        def __cause__(self) -> Any:
            raise RuntimeError("no cause")

        @__cause__.setter
        def __cause__(self, value: object) -> None:
            raise RuntimeError("no cause")

        def __str__(self) -> str:
            raise RuntimeError("no text")

    found = described(HostileError())
    assert found["message"].startswith("<HostileError: its text raised")
    text = build(
        at=0,
        level="ERROR",
        message="a",
        logger="a",
        correlation=NONE,
        exception=described(KeyError()),
    )
    assert read_lines(text)[0]["exception"]["type"] == "KeyError"
