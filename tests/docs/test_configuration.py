"""The documentation names every setting, and every test that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clew.log.redact import HARMLESS, SECRET_ENDS, SECRETS, is_secret

ROOT = Path(__file__).parents[2]
CONFIGURATION = (ROOT / "docs/reference/configuration.md").read_text("utf-8")
THREATS = (ROOT / "docs/explanation/threat-model.md").read_text("utf-8")
#: Settings of the tests and benchmarks only.
NOT_OURS = {"CLEW_FUZZ"}


def test_every_variable_that_is_read_is_in_the_table_and_no_other() -> None:
    read = {
        name
        for path in (ROOT / "src").rglob("*.py")
        for name in re.findall(r"\bCLEW_[A-Z_]*[A-Z]\b", path.read_text("utf-8"))
    }
    listed = set(re.findall(r"^\| `(CLEW_[A-Z_]+)` \|", CONFIGURATION, re.MULTILINE))
    assert listed == read - NOT_OURS


def test_every_name_that_is_masked_is_listed() -> None:
    section = CONFIGURATION.partition("- Built in:")[2].partition("- Your own:")[0]
    masked, _, shown = section.partition("Tokens that open nothing")
    names = re.findall(r"`([a-z-]+)`", masked)
    assert {name.replace("-", "") for name in names} == SECRETS | set(SECRET_ENDS)
    assert all(is_secret(name) for name in names)
    harmless = re.findall(r"`([a-z-]+)`", shown)
    assert {name.replace("-", "") for name in harmless} == HARMLESS
    assert not any(is_secret(name) for name in harmless)


@pytest.mark.parametrize(
    "named",
    sorted(set(re.findall(r"`((?:[a-z_]+/)*test_[a-z_]+\.py)(?:::[a-z_0-9]+)?`", THREATS))),
)
def test_every_file_of_tests_that_is_named_is_there(named: str) -> None:
    assert (ROOT / "tests" / named).is_file()


def test_every_test_that_is_named_is_there() -> None:
    missing = []
    last = ""
    for where, test in re.findall(r"`((?:[a-z_]+/)*test_[a-z_]+\.py|…)::(\w+)`", THREATS):
        last = last if where == "…" else where
        if f"def {test}(" not in (ROOT / "tests" / last).read_text("utf-8"):
            missing.append(f"{last}::{test}")
    assert missing == []
