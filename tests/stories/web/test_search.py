"""The first page finds what somebody looks for, errors first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clew.stories.lines import RawLine

from .asking import Browser, text_of
from .conftest import BROKEN, WHOLE

if TYPE_CHECKING:
    from clew.stories.web.shelf import Shelf
    from clew.stories.web.site import Site


def found(browser: Browser, **given: str) -> str:
    answer = browser.ask("GET", "/", params=given)
    assert answer.status_code == 200
    return text_of(answer.text)


def test_errors_stand_before_the_newest_lines(browser: Browser) -> None:
    html = browser.get("/").text
    errors, _, rest = html.partition("Newest lines")
    assert "card declined" in errors
    assert "nothing to do" not in errors
    assert "nothing to do" in rest
    assert "card declined" not in rest, "it stands above"


def test_words_functions_and_levels_narrow_it_down(browser: Browser) -> None:
    assert "card declined" in found(browser, q="CARD dec*")
    assert "No line has all of that" in found(browser, q="card accepted")
    of_b = found(browser, function="api-b")
    assert ("looking" in of_b, "calling" in of_b) == (True, False)
    bad = found(browser, level="ERROR")
    assert ("card declined" in bad, "nothing to do" in bad) == (True, False)
    assert "No line has all of that" in found(browser, since="15m")
    assert "nothing to do" in found(browser, since="2026-01-01")


def test_a_word_with_an_equals_sign_is_an_id(browser: Browser) -> None:
    told = found(browser, q="user-id=42")
    assert ("calling" in told, "nothing to do" in told) == (True, False)
    assert "No line has all of that" in found(browser, q="user-id=4")
    assert "calling" in found(browser, q="user-id=42 calling")


def test_an_id_leads_to_its_story(browser: Browser) -> None:
    answer = browser.ask("GET", "/", params={"q": BROKEN, "go": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/story/{BROKEN}")
    assert "card declined" in found(browser, q=BROKEN), "without go it is a search"


def test_facets_count_and_can_be_taken_back(browser: Browser) -> None:
    html = browser.ask("GET", "/", params={"function": "mail", "q": "card"}).text
    assert re.search(r'href="/\?q=card" aria-current="true"><span>mail</span><b>2</b>', html)
    assert 'href="/?q=card&amp;function=mail&amp;level=ERROR"><span>error</span>' in html


def test_a_line_leads_to_its_story(browser: Browser) -> None:
    html = browser.get("/").text
    assert f'data-href="/story/{WHOLE}"' in html
    assert f'data-href="/story/{BROKEN}"' in html


def test_pages_follow_each_other(shelf: Shelf, site: Site, browser: Browser) -> None:
    shelf.add(
        RawLine(1_767_000_000_000 + number, "/aws/lambda/many", "s", f"number{number} counted")
        for number in range(250)
    )
    seen: list[str] = []
    path = "/?q=counted"
    while path and len(seen) < 500:
        html = browser.get(path).text
        seen += re.findall(r'class="message">number(\d+) counted', html)
        more = re.search(r'<p class="more"><a href="([^"]+)"', html)
        path = more[1].replace("&amp;", "&") if more else ""
    assert seen == [str(number) for number in reversed(range(250))]


def test_an_empty_store_says_so(site: Site, shelf: Shelf, browser: Browser) -> None:
    from datetime import UTC, datetime

    shelf.prune(older_than=datetime(2100, 1, 1, tzinfo=UTC))
    assert "No line has come yet" in found(browser)
    for path in ("/live", "/map", "/functions", "/streams", "/dead-letters"):
        assert browser.get(path).status_code == 200
