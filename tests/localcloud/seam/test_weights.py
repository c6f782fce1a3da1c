"""Aliases share invocations out by weight."""

from __future__ import annotations

from clew.localcloud.seam.weights import choose_version


def test_each_version_gets_its_share() -> None:
    weights = {"2": 0.25, "3": 0.5}
    chosen = [choose_version(weights, dice / 100) for dice in range(100)]
    assert {each: chosen.count(each) for each in ("2", "3", None)} == {"2": 25, "3": 50, None: 25}


def test_all_or_nothing() -> None:
    assert {choose_version({"2": 1.0}, dice / 10) for dice in range(10)} == {"2"}
    assert {choose_version({"2": 0.0}, dice / 10) for dice in range(10)} == {None}
