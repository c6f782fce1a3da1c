"""``CLEW_FORWARD``: names of carriers that are off."""

from __future__ import annotations

import pytest

from clew.forward.switches import is_on


@pytest.mark.parametrize(
    ("variable", "on"),
    [
        ("", True),
        ("-kinesis", True),
        ("-sns", False),
        (" -Kinesis , -SNS ", False),
        ("off", False),
        ("-kinesis,off", False),
        ("sns", True),
        ("-snsx", True),
    ],
)
def test_switches(variable: str, on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_FORWARD", variable)
    assert is_on("sns") is on
