"""A story as one HTML file: it loads nothing, runs nothing, and shows hostile text as text."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from clew.stories.to_html import POLICY, story_html

from .runtime import Run, http, story_of

if TYPE_CHECKING:
    from clew.stories.model import Story

HOSTILE = (
    "\"><script>alert(1)</script><img src=x onerror=alert(1)>' \x1b[2J \u202eabc\u2066 &amp; {{x}}"
)
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "code", "p", "span",
    "section", "ol", "li", "a", "div", "details", "summary", "b", "i", "em", "svg", "path", "rect",
    "pre", "footer",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "aria-label",
    "aria-hidden", "open", "viewbox", "preserveaspectratio", "d", "x", "y", "width", "height",
}  # fmt: skip


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "path", "rect"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def check(html: str) -> Page:
    page = Page(html)
    assert page.open == []
    for tag, attributes in page.tags:
        assert tag in ALLOWED, tag
        assert set(attributes) <= ATTRIBUTES, attributes
        assert (attributes.get("href") or "#").startswith("#")
    anchors = {one["href"] for _, one in page.tags if "href" in one}
    ids = [f"#{one['id']}" for _, one in page.tags if "id" in one]
    assert anchors <= set(ids)
    assert len(ids) == len(set(ids))
    return page


def broken(text: str = "no card") -> Story:
    edge = Run("edge", source="aws:apigateway", cold_start=True)
    got = edge.receive("request-1", note="x")
    edge.log(got, text, field=text)
    http(edge, got, 503, at=3)
    publish = edge.send(got, target=f"arn:aws:sns:us-east-1:000000000000:{text[:40]}", at=5)
    edge.end()
    mail = Run(text[:60] or "mail", at=20)
    error = ValueError(text)
    mail.log(mail.receive(answers=publish, outcome="failed", error=text), text, level="ERROR")
    mail.end(error)
    return story_of(edge, mail)


def test_a_story_is_a_whole_page() -> None:
    story = broken()
    page = check(story_html(story))
    for said in ("Story of request-1", "It broke in", "no card", "SNS topic", "cold start"):
        assert said in page.text
    told = [text for one in story.breaks for text in (one.sentence, one.unknown)]
    assert any(one.unknown for one in story.breaks)
    assert [text for text in told if text not in page.text] == []
    assert sum(tag == "details" for tag, _ in page.tags) >= len(story.hops)
    whole = Run("edge")
    whole.receive()
    whole.end()
    assert "Nothing broke" in check(story_html(story_of(whole))).text


def test_what_went_through_somebody_without_clew_is_said() -> None:
    mail = Run("mail")
    mail.receive(answers="a" * 16)
    mail.end()
    story = story_of(mail)
    assert story.gaps
    text = check(story_html(story)).text
    assert all(gap.sentence in text for gap in story.gaps)
    assert "Nothing broke." in text


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    html = story_html(broken())
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert found is not None
    assert unescape(found[1]) == POLICY
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    told = base64.b64encode(sha256(style[1].encode()).digest()).decode()
    rules = dict(one.strip().split(" ", 1) for one in POLICY.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == f"'sha256-{told}'"
    # The policy has to stand before what it is to judge.
    assert html.index("Content-Security-Policy") < html.index("<style>")
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert " style=" not in html.replace(style[1], "")


def test_hostile_text_is_text() -> None:
    html = story_html(broken(HOSTILE))
    page = check(html)
    assert "<script>alert(1)</script>" in page.text
    assert "\\x1b[2J" in page.text
    for bad in ("\x1b", "\u202e", "\u2066", "<img", "<script"):
        assert bad not in html


@given(st.text(st.characters(codec=None), max_size=60))
def test_whatever_is_logged_the_page_stays_one(text: str) -> None:
    html = story_html(broken(text))
    check(html)
    html.encode()


def test_a_story_of_many_hops_ends() -> None:
    fan = Run("fan", source="aws:kinesis")
    for number in range(2500):
        fan.receive("request-1", position={"sequenceNumber": str(number)})
    fan.end()
    assert "more rows, which only the JSON has" in check(story_html(story_of(fan))).text
