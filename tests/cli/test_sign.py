"""``clew sign``."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from clew import trust
from clew.cli.root import clew as command

SECRET = "an-example-of-32-random-characters"


def test_headers_are_printed_as_curl_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_SECRET", SECRET)
    done = CliRunner().invoke(command, ["sign", "why", "--expires", "1h"])
    assert done.exit_code == 0
    headers = dict(line.split(": ") for line in done.output.splitlines())
    assert headers["x-correlation-id"] == "why"
    assert headers["debug-log-enabled"] == "true"
    assert trust.is_valid(headers["debug-log-signature"], "why")
    assert SECRET not in done.output
    as_json = json.loads(CliRunner().invoke(command, ["sign", "why", "--json"]).output)
    assert as_json.keys() == headers.keys()


@pytest.mark.parametrize(
    ("arguments", "secret", "said"),
    [
        (["why"], "", "CLEW_SECRET is not set"),
        (["why", "--expires", "soon"], SECRET, "say it as 90s, 10m, 2h or 1d"),
        (["a\nb"], SECRET, "printable ASCII"),
    ],
)
def test_what_cannot_be_signed(
    arguments: list[str], secret: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEW_SECRET", secret)
    done = CliRunner().invoke(command, ["sign", *arguments])
    assert done.exit_code != 0
    assert said in str(done.exception)
