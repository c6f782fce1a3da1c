"""Who may ask, and what a browser may do with the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clew.stories.web.guard import is_known_host
from clew.stories.web.site import Site, WebError

from .asking import Browser
from .conftest import BROKEN

if TYPE_CHECKING:
    from clew.stories.web.shelf import Shelf

TOKEN = "a-token-of-the-tests"
PAGES = (
    "/",
    f"/story/{BROKEN}",
    "/story/nothing-here",
    "/live",
    "/map",
    "/functions",
    "/streams",
    "/dead-letters",
    "/login",
    "/no-such-page",
    "/static/clew.js",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_forbids_foreign_and_inline_scripts(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    html = answer.text
    if answer.headers["content-type"].startswith("text/html"):
        for forbidden in ("<script>", " style=", "<style", " onclick", "javascript:", "http://"):
            assert forbidden not in html.replace("http://127.0.0.1", "")


def test_a_page_is_not_kept_by_the_browser(browser: Browser) -> None:
    assert browser.get("/").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:7337", True),
        ("127.8.8.8", True),
        ("localhost:7337", True),
        ("[::1]:7337", True),
        ("LOCALHOST", True),
        ("logs.example.com", True),
        ("evil.example.com", False),
        ("127.0.0.1.evil.example.com", False),
        ("localhost.evil.example.com:7337", False),
        ("192.168.1.5:7337", False),
        ("", False),
        ("[::1", True),
        ("2130706433", False),
    ],
)
def test_only_known_hosts_are_answered(shelf: Shelf, host: str, known: bool) -> None:
    site = Site(shelf, "x", names=("logs.example.com",))
    assert is_known_host(host, site) is known
    answer = Browser(site).get("/", host=host)
    assert answer.status_code == (200 if known else 421)
    assert known or "api-a" not in answer.text


def test_beyond_loopback_addresses_are_answered_and_names_are_not(shelf: Shelf) -> None:
    site = Site(shelf, "x", host="0.0.0.0", token=TOKEN)
    assert is_known_host("192.168.1.5:7337", site)
    assert not is_known_host("rebound.example.com:7337", site)


def test_beyond_loopback_a_token_is_needed(shelf: Shelf) -> None:
    with pytest.raises(WebError, match="they need a token: say --token"):
        Site(shelf, "x", host="0.0.0.0")
    with pytest.raises(WebError, match="16 characters or more"):
        Site(shelf, "x", token="short")


@pytest.mark.parametrize("path", [one for one in PAGES if one not in ("/login", "/static/clew.js")])
def test_without_the_token_nothing_is_shown(shelf: Shelf, path: str) -> None:
    browser = Browser(Site(shelf, "x", token=TOKEN))
    asked = browser.get(path)
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/login?next=")
    assert "api-a" not in asked.text
    events = browser.ask("GET", path, headers={"accept": "text/event-stream"})
    assert events.status_code == 401


def test_the_token_opens_the_pages(shelf: Shelf) -> None:
    browser = Browser(Site(shelf, "x", token=TOKEN))
    csrf = browser.form_token("/login?next=%2Fmap")
    wrong = browser.post("/login", {"csrf": csrf, "token": TOKEN + "x", "next": "/map"})
    assert (wrong.status_code, "That is not the token" in wrong.text) == (401, True)
    assert browser.get("/").status_code == 303
    right = browser.post("/login", {"csrf": csrf, "token": TOKEN, "next": "/map"})
    assert (right.status_code, right.headers["location"]) == (303, "/map")
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    assert "api-a" in browser.get("/").text


def test_the_token_may_be_a_header(shelf: Shelf) -> None:
    browser = Browser(Site(shelf, "x", token=TOKEN))
    assert browser.get("/", authorization=f"Bearer {TOKEN}").status_code == 200
    assert browser.get("/", authorization="Bearer nonsense").status_code == 303


@pytest.mark.parametrize(
    "next_", ["https://evil.example.com/", "//evil.example.com", "/\\evil.example.com", "x", ""]
)
def test_the_form_leads_nowhere_else(shelf: Shelf, next_: str) -> None:
    browser = Browser(Site(shelf, "x", token=TOKEN))
    form = {"csrf": browser.form_token("/login"), "token": TOKEN, "next": next_}
    assert browser.post("/login", form).headers["location"] == "/"


def test_a_form_needs_the_signature_of_its_visitor(shelf: Shelf) -> None:
    site = Site(shelf, "x", session=object())
    browser, stranger = Browser(site), Browser(site)
    browser.get("/")
    path = "/dead-letters/orders/redrive"
    theirs = stranger.form_token("/login")
    for form in ({}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": theirs}):
        answer = browser.post(path, {"to": "source", "sure": "yes", **form})
        assert answer.status_code == 403, form
        assert "was not made by this page" in answer.text


def test_a_form_of_another_site_is_refused_before_it_is_read(shelf: Shelf) -> None:
    browser = Browser(Site(shelf, "x", session=object()))
    form = {"csrf": browser.form_token("/login"), "to": "source"}
    path = "/dead-letters/orders/redrive"
    for headers in (
        {"origin": "https://evil.example.com"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ):
        answer = browser.post(path, form, **headers)
        assert (answer.status_code, answer.text[:12]) == (403, "Another site")


def test_another_site_may_only_link_to_a_page(browser: Browser) -> None:
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert browser.get("/", **link, sec_fetch_dest="document").status_code == 200
    assert browser.get("/", **link, sec_fetch_dest="iframe").status_code == 403
    assert (
        browser.get("/", sec_fetch_site="cross-site", sec_fetch_mode="no-cors").status_code == 403
    )
    # To look into a queue is to receive its messages.
    looked = browser.get("/dead-letters/orders", **link, sec_fetch_dest="document")
    assert looked.status_code == 403
