"""The table: settings page by page, plans, the ledger of calls, the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clew.scaling import ScalingError
from clew.scaling.managed.settings import ManagedStream
from clew.scaling.managed.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from .stage import Stage

    Make = Callable[..., Stage]


def test_settings_are_kept_by_name(stage: Make) -> None:
    on = stage()
    other = ManagedStream("a-first", 1, 2, tags={"team": "orders"})
    on.store.put_settings(other)
    assert on.store.settings("a-first") == other
    assert on.store.settings("nobody") is None
    assert list(on.store.all_settings()) == [other, on.settings]
    assert list(on.store.managed()) == ["a-first", on.stream]
    on.store.remove_settings("a-first")
    assert list(on.store.all_settings()) == [on.settings]


def test_more_settings_than_a_page_holds(stage: Make) -> None:
    on = stage()
    large = {f"tag-{number}": "x" * 250 for number in range(200)}  # 50 KB each
    names = [f"stream-{number:02}" for number in range(40)]  # 2 MB together: three pages
    for name in names:
        on.store.put_settings(ManagedStream(name, 1, 2, tags=large))
    assert [one.name for one in on.store.all_settings()] == sorted([*names, on.stream])


def test_the_audit_has_the_latest_first(stage: Make) -> None:
    on = stage()
    for number in range(5):
        on.store.put_audit(on.stream, {"id": f"{number}", "at_s": on.clock.now - 60 * number})
    assert [one["id"] for one in on.store.audit(on.stream)] == ["0", "1", "2", "3", "4"]
    assert [one["id"] for one in on.store.audit(on.stream, limit=2)] == ["0", "1"]
    since = on.clock.now - 150
    assert [one["id"] for one in on.store.audit(on.stream, since_s=since)] == ["0", "1", "2"]


def test_what_has_expired_is_not_there_though_dynamodb_still_has_it(stage: Make) -> None:
    on = stage()
    on.store.put_audit(on.stream, {"id": "old", "at_s": on.clock.now - 91 * 86_400})
    assert on.store.audit(on.stream) == []


def test_a_plan_is_forgotten_only_if_it_is_the_one(stage: Make) -> None:
    on = stage()
    on.store.put_plan(on.stream, {"id": "one"})
    on.store.put_plan(on.stream, {"id": "two"})
    on.store.forget_plan(on.stream, "one")
    assert on.store.plan(on.stream) == {"id": "two"}
    on.store.forget_plan(on.stream, "two")
    assert on.store.plan(on.stream) is None
    on.store.forget_plan(on.stream, "two")


def test_calls_of_a_day_are_counted(stage: Make) -> None:
    on = stage()
    for hours in (30, 23, 1, 0, 0):
        on.store.note_update_call(on.stream, on.clock.now - hours * 3600)
    assert on.store.update_calls(on.stream, on.clock.now) == 4
    assert on.store.update_calls("another", on.clock.now) == 0


def test_a_table_that_is_not_there_is_told_in_a_sentence(stage: Make) -> None:
    on = stage()
    with pytest.raises(ScalingError, match="There is no table nowhere here; deploy"):
        Store(on.cloud.client("dynamodb"), "nowhere").settings("x")
