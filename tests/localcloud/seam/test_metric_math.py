"""Metric math, as CloudWatch's page has it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.localcloud.seam.metric_math import MetricMathError, evaluate

_METRICS: dict[str, list[float | None]] = {
    "m1": [60.0, 120.0, None],
    "m2": [10.0, None, 30.0],
}


def _of(expression: str, **expressions: str) -> list[float | None]:
    queries: list[dict[str, Any]] = [
        {"Id": name, "MetricStat": {"Period": 60}, "ReturnData": False} for name in _METRICS
    ]
    queries += [
        {"Id": name, "Expression": text, "ReturnData": False} for name, text in expressions.items()
    ]
    queries.append({"Id": "result", "Expression": expression})
    return evaluate(queries, _METRICS, 3)


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("m1", [60, 120, None]),
        ("m1 + m2", [70, None, None]),
        ("m1/PERIOD(m1)", [1, 2, None]),
        ("-m1 * 2 ^ 2", [-240, -480, None]),
        ("FILL(m1, 0)", [60, 120, 0]),
        ("FILL(m1, REPEAT)", [60, 120, 120]),
        ("FILL(m2, LINEAR)", [10, 20, 30]),
        ("MAX([m1, m2])", [60, 120, 30]),
        ("SUM(METRICS())", [70, 120, 30]),
        ('MIN(METRICS("m2"))', [10, None, 30]),
        ("AVG(m1)", [90, 90, 90]),
        ("IF(m1 > 100, 1, 0)", [0, 1, None]),
        ("IF(FILL(m1, 0) > 100 && m2 < 20 || 1 == 0, 1, 2)", [2, None, 2]),
        ("CEIL(m1 / 7)", [9, 18, None]),
        ("m1 / 0", [None, None, None]),
        ("SUM(METRICS() / PERIOD(m1))", [70 / 60, 2, 0.5]),
        ("7", [7, 7, 7]),
        ("(0 - m1) ^ 0.5", [None, None, None]),
    ],
)
def test_an_expression(expression: str, values: list[float | None]) -> None:
    found = _of(expression)

    assert [None if one is None else round(one, 9) for one in found] == [
        None if one is None else round(one, 9) for one in values
    ]


def test_expressions_stand_on_one_another() -> None:
    assert _of("100 * MAX([bytes, records])", bytes="m1 / 600", records="m2 / 100") == [10, 20, 30]


@pytest.mark.parametrize(
    "expression",
    [
        "m3",
        "result + 1",
        "__import__('os').system('true')",
        "m1.real",
        "[x for x in m1]",
        "ANOMALY_DETECTION_BAND(m1)",
        "METRICS()",
        "m1 +",
        "FILL(m1, SOMEHOW)",
        "PERIOD(7)",
        "(" * 3000,
        "'text' + 1",
    ],
)
def test_what_is_not_known_is_refused(expression: str) -> None:
    with pytest.raises(MetricMathError):
        _of(expression)


@given(st.text(max_size=60) | st.text("m12+-*/^()[],<>=&|IFMAXSUMLR 0.", max_size=40))
def test_any_text_is_a_series_or_refused(expression: str) -> None:
    try:
        found = _of(expression)
    except MetricMathError:
        return
    assert len(found) == 3
