"""``clew story --insights``: what it costs is said first, and asking again costs nothing."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from clew.cli import story_insights
from clew.cli.story_insights import money, size
from stories.test_insights import put, two

from .test_story_sources import runner

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud

    from .test_story_sources import Clew

pytestmark = pytest.mark.local_cloud


@pytest.fixture
def clew(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Clew:
    return runner(capfd, monkeypatch)


@pytest.fixture
def account(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[str, str]:
    """A request in an account that is asked as AWS would be; the beginning of its log groups."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", cloud.region)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    request, prefix = str(uuid.uuid4()), f"/cli-insights-{uuid.uuid4().hex[:12]}/"
    put(cloud, prefix, *two(request))
    return request, prefix


def test_the_cost_is_said_and_asking_again_costs_nothing(
    clew: Clew,
    account: tuple[str, str],
    tmp_path: Path,
) -> None:
    request, prefix = account
    told = clew(request[:8], "--insights", "--log-group", prefix)
    assert (told.status, told.out.splitlines()[0]) == (0, f"Story of {request}")
    first, last = told.err.splitlines()
    assert first.startswith("Logs Insights will read about 2.")
    assert "of 2 log groups, if their lines came evenly, for less than $0.01 ($0.005 a GB" in first
    assert last.startswith("Logs Insights read 2.")
    assert (tmp_path / "clew" / "insights").stat().st_mode & 0o77 == 0
    again = clew(request[:8], "--insights", "--log-group", prefix)
    assert again.out == told.out
    assert again.err.startswith("Nothing was asked of Logs Insights: what it answered before is")
    fresh = clew(request[:8], "--insights", "--log-group", prefix, "--no-cache")
    assert "Logs Insights read 2." in fresh.err


def test_what_costs_more_is_not_asked_unless_somebody_says_yes(
    clew: Clew,
    account: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request, prefix = account
    monkeypatch.setattr(story_insights, "SMALL", 0.0)
    asked = ("--search", "checkout declined", "--insights", "--log-group", prefix)
    refused = clew(*asked)
    assert (refused.status, refused.out) == (1, "")
    assert "nobody is there to ask; say --yes" in refused.err.splitlines()[-1]
    assert len(refused.err.splitlines()) == 2
    agreed = clew(*asked, "--yes")
    assert agreed.out.startswith(f"Story of {request}\n")


def test_the_local_cloud_is_asked_by_its_name(
    clew: Clew,
    cloud: LocalCloud,
    account: tuple[str, str],
    tmp_path: Path,
) -> None:
    request, _ = account
    told = clew(request, "--insights", "--name", cloud.name, "--yes")
    assert told.out.startswith(f"Story of {request}\n")
    assert not (tmp_path / "clew").exists()
    missing = clew("no-such-id", "--insights", "--log-group", "/nothing-here/")
    assert (missing.status, missing.out) == (1, "")
    assert "no log group there has a name that begins with /nothing-here/" in missing.err


def test_money_and_sizes_in_words() -> None:
    assert [money(one) for one in (0, 0.009, 0.01, 1234.5)] == [
        "less than $0.01",
        "less than $0.01",
        "about $0.01",
        "about $1,234.50",
    ]
    assert [size(one) for one in (17, 2048, 3 << 30, 5 << 40)] == [
        "17 bytes",
        "2.0 KB",
        "3.0 GB",
        "5.0 TB",
    ]
