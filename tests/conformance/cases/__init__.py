"""The contract of an event source mapping, case by case."""

from __future__ import annotations

from . import dynamodb, errors, filtering, partial, reading, windows

CASES = (
    *reading.CASES,
    *errors.CASES,
    *partial.CASES,
    *filtering.CASES,
    *windows.CASES,
    *dynamodb.CASES,
)
