"""Filter criteria: which records of a stream a function gets to see.

The rules are those of the Lambda developer guide, "Control which events Lambda sends to your
function" and "Using event filtering with a Kinesis event source": exact, prefix, suffix,
equals-ignore-case, anything-but, numeric, exists, ``$or`` and nesting. Strings and numbers are
compared as they are written: 300, 300.0 and 3.0e2 differ.
"""

from __future__ import annotations

import json
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clew.streams.worker.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Rule = Callable[[Any], bool]
    Pattern = Callable[[Mapping[str, Any]], bool]

_OR = "$or"
# The key under which the body of a record stands, by which a pattern has to be an object.
_BODIES = ("data", "dynamodb")
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "prefix": lambda text, operand: text.startswith(operand),
    "suffix": lambda text, operand: text.endswith(operand),
    "equals-ignore-case": operator.eq,
}


class Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


def read_json(text: str | bytes) -> Any:
    """JSON with its numbers as they are written. Raises ``ValueError``."""
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)


@dataclass(frozen=True)
class Filters:
    """Patterns of which a record has to match one. None at all let every record through."""

    patterns: tuple[str, ...]
    #: Whether a pattern looks into the body, which then has to be decoded.
    reads_body: bool
    _matchers: tuple[Pattern, ...]

    @classmethod
    def compile(cls, patterns: tuple[str, ...]) -> Filters:
        """Read the patterns. Raises `SettingsError`, naming the one that is no good."""
        read = [_read(text) for text in patterns]
        reads_body = any(_mentions_body(pattern) for pattern in read)
        matchers = []
        for text, pattern in zip(patterns, read, strict=True):
            try:
                matchers.append(_pattern(pattern, top=True))
            except _PatternError as error:
                raise SettingsError(f"The filter pattern {text} is no good: {error}.") from None
        return cls(patterns, reads_body, tuple(matchers))

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def matches(self, record: Mapping[str, Any]) -> bool:
        """Whether a record is to be kept.

        Args:
            record: Its metadata, and its body under ``data`` or ``dynamodb`` as `read_json`
                gives it. A body that is not JSON is left out: a pattern for it drops the record.
        """
        return not self._matchers or any(matches(record) for matches in self._matchers)


class _PatternError(Exception):
    """What is wrong with a pattern, without a full stop."""


def _read(text: str) -> dict[str, Any]:
    try:
        pattern = read_json(text)
    except ValueError:
        raise SettingsError(f"The filter pattern {text!r} is not JSON; write it as one.") from None
    if not isinstance(pattern, dict) or not pattern:
        raise SettingsError(f"The filter pattern {text} has to be a JSON object with a field.")
    return pattern


def _mentions_body(pattern: Mapping[str, Any]) -> bool:
    if any(name in pattern for name in _BODIES):
        return True
    branches = pattern.get(_OR)
    return isinstance(branches, list) and any(
        _mentions_body(branch) for branch in branches if isinstance(branch, dict)
    )


def _pattern(pattern: Any, *, top: bool = False) -> Pattern:
    """A predicate over an object that is true if every field of ``pattern`` matches."""
    if not isinstance(pattern, dict) or not pattern:
        raise _PatternError("it has to be an object that names a field, on every level")
    checks: list[Pattern] = []
    for name, rules in pattern.items():
        if name == _OR and isinstance(rules, list):
            checks.append(_any_of([_pattern(branch, top=top) for branch in rules]))
        elif isinstance(rules, dict):
            checks.append(_nested(name, _pattern(rules), required=top and name in _BODIES))
        elif top and name in _BODIES:
            raise _PatternError(f"{name} has to be an object with the fields to look at")
        elif isinstance(rules, list) and rules:
            checks.append(_field(name, rules))
        else:
            raise _PatternError(f"{name} has to be a list of rules that is not empty, or an object")
    return lambda record: all(check(record) for check in checks)


def _any_of(branches: list[Pattern]) -> Pattern:
    if not branches:
        raise _PatternError("$or has to list a pattern")
    return lambda record: any(branch(record) for branch in branches)


def _nested(name: str, inner: Pattern, *, required: bool) -> Pattern:
    def check(record: Mapping[str, Any]) -> bool:
        value = record.get(name)
        if isinstance(value, list):
            return any(inner(each) for each in value if isinstance(each, dict))
        if isinstance(value, dict):
            return inner(value)
        return not required and inner(
            {}
        )  # a rule like {"exists": false} holds for what is not there

    return check


def _field(name: str, rules: list[Any]) -> Pattern:
    present = [_rule(rule) for rule in rules if not _is_exists(rule)]
    exists = {rule["exists"] for rule in rules if _is_exists(rule)}
    if not exists <= {True, False} or any(not isinstance(each, bool) for each in exists):
        raise _PatternError("exists has to be true or false")

    def check(record: Mapping[str, Any]) -> bool:
        value = record.get(name)
        # "exists" knows only leaves: an object is none.
        if name not in record or isinstance(value, dict):
            return False in exists
        if True in exists:
            return True
        values = value if isinstance(value, list) else [value]
        return any(rule(each) for rule in present for each in values)

    return check


def _is_exists(rule: Any) -> bool:
    return isinstance(rule, dict) and set(rule) == {"exists"}


def _rule(rule: Any) -> Rule:
    """A predicate over one value."""
    if not isinstance(rule, dict):
        return _equal(rule)
    if len(rule) != 1:
        raise _PatternError("a rule has to have one comparison")
    ((kind, operand),) = rule.items()
    match kind:
        case "prefix" | "suffix" | "equals-ignore-case":
            return _text_rule(kind, operand)
        case "anything-but":
            return _anything_but(operand)
        case "numeric":
            return _numeric(operand)
    raise _PatternError(
        f"Lambda has no comparison {kind!r}; it has prefix, suffix, equals-ignore-case, "
        "anything-but, numeric and exists"
    )


def _equal(expected: Any) -> Rule:
    if isinstance(expected, list):
        raise _PatternError("a list of rules cannot hold a list")
    kind = type(expected)  # so that "1" is not 1, nor true
    return lambda value: type(value) is kind and bool(value == expected)


def _text_rule(kind: str, operand: Any) -> Rule:
    if isinstance(operand, dict) and set(operand) == {"equals-ignore-case"}:
        folded = _text(operand["equals-ignore-case"]).casefold()
        fold: Callable[[str], str] = str.casefold
    else:
        folded = _text(operand)
        fold = str
    if kind == "equals-ignore-case":
        folded, fold = folded.casefold(), str.casefold
    test = _TEXT_TESTS[kind]
    return lambda value: type(value) is str and test(fold(value), folded)


def _text(operand: Any) -> str:
    if type(operand) is not str:
        raise _PatternError("prefix, suffix and equals-ignore-case take a string")
    return operand


def _anything_but(operand: Any) -> Rule:
    if isinstance(operand, dict):
        if len(operand) != 1:
            raise _PatternError("anything-but has to have one comparison")
        ((kind, inner),) = operand.items()
        if kind not in {"prefix", "suffix", "equals-ignore-case"}:
            raise _PatternError(f"anything-but takes no {kind!r}")
        banned = [
            _text_rule(kind, each) for each in (inner if isinstance(inner, list) else [inner])
        ]
    else:
        banned = [_equal(each) for each in (operand if isinstance(operand, list) else [operand])]
    if not banned:
        raise _PatternError("anything-but has to name a value")
    return lambda value: not any(rule(value) for rule in banned)


def _numeric(operand: Any) -> Rule:
    if not isinstance(operand, list) or not operand or len(operand) % 2:
        raise _PatternError('numeric takes a list like [">", 0, "<=", 5]')
    bounds = []
    for sign, limit in zip(operand[::2], operand[1::2], strict=True):
        if sign not in _COMPARISONS or type(limit) is not Number:
            raise _PatternError("numeric compares by =, <, <=, > and >= with a number")
        bounds.append((_COMPARISONS[sign], float(limit)))
    return lambda value: (
        type(value) is Number and all(compare(float(value), limit) for compare, limit in bounds)
    )
