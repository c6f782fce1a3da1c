"""Lengths of time on the command line: ``500ms``, ``30s``, ``10m``, ``2h``, ``1d``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _Seconds = click.ParamType[float]
else:
    _Seconds = click.ParamType

_UNITS_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


class _Duration(_Seconds):
    """Seconds, as a float."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The seconds that a text means; a number is one already."""
        if isinstance(value, int | float):
            return float(value)
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|[smhd])", value)
        if not found:
            self.fail(f"{value!r} is not like 500ms, 30s, 10m, 2h or 1d", param, ctx)
        return float(found[1]) * _UNITS_S[found[2]]


DURATION = _Duration()
