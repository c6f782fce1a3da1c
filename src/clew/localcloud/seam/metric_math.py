"""CloudWatch's metric math, as far as alarms use it. Pure.

"Using math expressions with CloudWatch metrics": arithmetic, comparisons, ``IF``, ``FILL``,
``PERIOD``, ``METRICS``, ``ABS``, ``CEIL``, ``FLOOR``, and ``MAX``, ``MIN``, ``AVG`` and ``SUM``
over the metrics of a list or, of one metric, over its periods. An expression is read as a Python
one, of which nothing but these is accepted.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    #: A value for each period, the latest last; None where there is none.
    Series = list[float | None]
    #: A number, a series, or several series.
    Value = float | Series | list[Series] | str

MAX_LENGTH = 2048  # "PutMetricAlarm", MetricDataQuery: the most characters of an Expression


class MetricMathError(Exception):
    """An expression that cannot be read, or has something that is not known here."""


def evaluate(
    queries: Sequence[Mapping[str, Any]], metrics: Mapping[str, Series], periods: int
) -> Series:
    """The series that an alarm looks at: that of the query whose data are returned.

    Args:
        queries: ``Metrics`` of PutMetricAlarm.
        metrics: The series of each query that names a metric, by its id.
        periods: How many values each has.

    Raises:
        MetricMathError: What an expression says is not known, or goes round in a circle.
    """
    by_id = {str(query["Id"]): query for query in queries}
    returned = [name for name, query in by_id.items() if query.get("ReturnData", True)]
    if len(returned) != 1:
        raise MetricMathError("exactly one of Metrics must have ReturnData true")
    found = _Evaluation(by_id, metrics, periods).of(returned[0], ())
    return found if isinstance(found, list) else [found] * periods


class _Evaluation:
    def __init__(
        self,
        queries: Mapping[str, Mapping[str, Any]],
        metrics: Mapping[str, Series],
        periods: int,
    ) -> None:
        self._queries = queries
        self._metrics = metrics
        self._periods = periods

    def of(self, name: str, above: tuple[str, ...]) -> Series | float:
        """The value of the query of that id."""
        if name in self._metrics:
            return self._metrics[name]
        if name in above:
            raise MetricMathError(f"{name} is made of itself")
        if name not in self._queries:
            raise MetricMathError(f"there is no metric {name}")
        found = self._value(_parse(str(self._queries[name]["Expression"])), (*above, name))
        if isinstance(found, str) or (isinstance(found, list) and _is_several(found)):
            raise MetricMathError(f"{name} is not one series")
        return found  # type: ignore[return-value]

    def _value(self, node: ast.expr, above: tuple[str, ...]) -> Value:  # noqa: PLR0911 - a table
        match node:
            case ast.Constant(value=int() | float() | str() as value):
                return value
            case ast.Name(id="REPEAT" | "LINEAR" as word):
                return word
            case ast.Name(id=name):
                return self.of(name, above)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self._series(item, above) for item in items]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._each(operator.neg, self._value(operand, above))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                both = self._value(left, above), self._value(right, above)
                return self._each(_ARITHMETIC[type(op)], *both)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
                both = self._value(left, above), self._value(right, above)
                return self._each(_COMPARISONS[type(op)], *both)
            case ast.BoolOp(op=op, values=values):
                join = _all if isinstance(op, ast.And) else _any
                return self._each(join, *(self._value(value, above) for value in values))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name.upper(), arguments, above)
        raise MetricMathError(f"{ast.unparse(node)} is not known here")

    def _call(  # noqa: PLR0911 - a table of functions
        self, name: str, arguments: list[ast.expr], above: tuple[str, ...]
    ) -> Value:
        if name == "PERIOD" and len(arguments) == 1 and isinstance(arguments[0], ast.Name):
            return self._period(arguments[0].id)
        given = [self._value(argument, above) for argument in arguments]
        match name, given:
            case "METRICS", []:
                return list(self._metrics.values())
            case "METRICS", [str() as part]:
                return [series for name, series in self._metrics.items() if part in name]
            case "FILL", [list() as series, str() | int() | float() as by] if not _is_several(
                series
            ):
                return _fill(series, by)
            case "IF", [condition, then, otherwise]:
                return self._each(_if, condition, then, otherwise)
            case "IF", [condition, then]:
                return self._each(_if, condition, then, None)
            case (("ABS" | "CEIL" | "FLOOR"), [value]):
                return self._each(_OF_ONE[name], value)
            case (("MAX" | "MIN" | "AVG" | "SUM"), [list() as value]):
                if _is_several(value):
                    return [_of_known(_OVER[name], column) for column in zip(*value, strict=True)]
                return [_of_known(_OVER[name], value)] * self._periods  # type: ignore[arg-type]
        raise MetricMathError(f"{name} with {len(given)} of these arguments is not known here")

    def _period(self, name: str) -> float:
        query = self._queries.get(name, {})
        if "MetricStat" not in query:
            raise MetricMathError(f"PERIOD({name}) is not that of a metric")
        return float(query["MetricStat"]["Period"])

    def _series(self, node: ast.expr, above: tuple[str, ...]) -> Series:
        found = self._value(node, above)
        if isinstance(found, str) or (isinstance(found, list) and _is_several(found)):
            raise MetricMathError(f"{ast.unparse(node)} is not one series")
        return self._spread(found)

    def _spread(self, value: Any) -> Series:
        return value if isinstance(value, list) else [value] * self._periods

    def _each(self, function: Callable[..., float | None], *values: Value | None) -> Value:
        """The function of each period's values; of lists of series, for each of them."""
        if any(isinstance(value, str) for value in values):
            raise MetricMathError("a text is not a value")
        several = next((v for v in values if isinstance(v, list) and _is_several(v)), None)
        if several is not None:
            found = []
            for number in range(len(several)):
                now = [v[number] if isinstance(v, list) and _is_several(v) else v for v in values]
                found.append(self._spread(self._each(function, *now)))
            return found
        columns = zip(*(self._spread(value) for value in values), strict=True)
        return [_quietly(function, column) for column in columns]


def _parse(expression: str) -> ast.expr:
    if len(expression) > MAX_LENGTH:
        raise MetricMathError("an expression is too long")
    text = expression.replace("&&", " and ").replace("||", " or ").replace("^", "**")
    text = re.sub(r"\b(AND|OR)\b", lambda found: found[0].lower(), text)
    # IF is a function there, and stays a name here: Python's own is written in small letters.
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise MetricMathError(f"{expression!r} cannot be read") from None


def _is_several(value: Sequence[Any]) -> bool:
    return bool(value) and isinstance(value[0], list)


def _quietly(function: Callable[..., float | None], column: tuple[Any, ...]) -> float | None:
    """What is missing makes the result missing, and so does what has no result."""
    if function is not _if and None in column:
        return None
    try:
        found = function(*column)
    except (ArithmeticError, TypeError, ValueError):
        return None
    return None if found is None or isinstance(found, complex) else float(found)


def _if(condition: float | None, then: float | None, otherwise: float | None) -> float | None:
    return None if condition is None else then if condition else otherwise


def _all(*values: float) -> float:
    return float(all(values))


def _any(*values: float) -> float:
    return float(any(values))


def _of_known(
    function: Callable[[list[float]], float], values: Sequence[float | None]
) -> float | None:
    known = [value for value in values if value is not None]
    return function(known) if known else None


def _fill(series: Series, by: float | str) -> Series:
    if isinstance(by, (int, float)):
        return [float(by) if value is None else value for value in series]
    filled = list(series)
    known = [at for at, value in enumerate(series) if value is not None]
    for first, then in pairwise([*known, len(series)]):
        start = series[first] or 0.0
        end = series[then] if then < len(series) else None
        for at in range(first + 1, then):
            if by == "REPEAT":
                filled[at] = start
            elif by == "LINEAR" and end is not None:
                filled[at] = start + (end - start) * (at - first) / (then - first)
    if by not in {"REPEAT", "LINEAR"}:
        raise MetricMathError(f"FILL by {by} is not known here")
    return filled


_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_OF_ONE: dict[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
}
_OVER: dict[str, Callable[[list[float]], float]] = {
    "MAX": max,
    "MIN": min,
    "SUM": math.fsum,
    "AVG": lambda values: math.fsum(values) / len(values),
}
