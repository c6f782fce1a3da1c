"""What was worked out a moment ago is not worked out again, and does not fill the memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from clew.stories.web.site import Cache, Site

if TYPE_CHECKING:
    from clew.stories.web.shelf import Shelf


def test_what_is_fresh_is_not_made_again() -> None:
    cache, made = Cache(), []

    def make() -> int:
        made.append(1)
        return len(made)

    assert [cache.get("a", make, 60) for _ in range(3)] == [1, 1, 1]
    assert cache.get("b", make, 60) == 2
    assert cache.get("a", make, 0) == 3


def test_what_is_large_or_failed_is_not_kept() -> None:
    cache = Cache()
    assert cache.get("a", lambda: 1, 60, lambda _: False) == 1
    assert cache.get("a", lambda: 2, 60) == 2
    with pytest.raises(ZeroDivisionError):
        cache.get("b", lambda: 1 // 0, 60)
    assert cache.get("b", lambda: 3, 60) == 3


def test_two_that_ask_at_once_wait_for_one_answer() -> None:
    cache, made = Cache(), []
    begun, go_on = threading.Event(), threading.Event()

    def make() -> int:
        made.append(1)
        begun.set()
        assert go_on.wait(10)
        return 7

    threads = [threading.Thread(target=cache.get, args=("a", make, 60)) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert made == [1]


def test_it_forgets_what_is_old() -> None:
    cache = Cache()
    for number in range(1000):
        cache.get(number, lambda: b"x", 60)
    assert len(cache._known) == len(cache._making) == 64


def test_what_a_form_brought_about_is_told_once(shelf: Shelf) -> None:
    site = Site(shelf, "x")
    keys = [site.tell(f"sentence {number}") for number in range(100)]
    assert len(site.told) == 64
    assert site.told.pop(keys[-1]) == ("sentence 99",)
    assert keys[0] not in site.told
