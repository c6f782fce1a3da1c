"""The worker keeps to the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .cases import CASES
from .contract import difference
from .in_worker import run_in_worker

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud
    from clew.localcloud.session import LoopbackSession

    from .contract import Case


@pytest.fixture(scope="module")
def session(cloud: LocalCloud) -> LoopbackSession:
    return cloud.session()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_worker_does_what_the_documentation_says(session: LoopbackSession, case: Case) -> None:
    assert not difference(run_in_worker(session, case))
