"""What every test may use."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.localcloud import LocalCloud


# How long an example takes says something of the machine and nothing of the code. The examples are
# the same in every run, so that a change is judged by itself; `make fuzz` looks for new ones.
settings.register_profile(
    "clew",
    deadline=None,
    derandomize=os.environ.get("CLEW_FUZZ") != "1",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("clew")


class Until(Protocol):
    """Waits for a condition, with a bound."""

    def __call__(self, condition: Callable[[], Any], what: str, timeout_s: float = 20.0) -> Any:
        """The first true value of ``condition``; fails, saying ``what``, if there is none."""


def _until(condition: Callable[[], Any], what: str, timeout_s: float = 20.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.02)
    return value


@pytest.fixture(scope="session")
def until() -> Until:
    """``until(condition, "what is waited for")``: the first true value of the condition."""
    return _until


@pytest.fixture(scope="session", autouse=True)
def _own_records_of_clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither see nor end the local clouds that the user has running."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEW_STATE_DIR", str(tmp_path_factory.mktemp("clouds")))
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalCloud]:
    """One local cloud for the whole run, with nothing deployed. Deploy under a name of your own."""
    from clew.localcloud import LocalCloud

    with LocalCloud.start(name="tests") as running:
        yield running
