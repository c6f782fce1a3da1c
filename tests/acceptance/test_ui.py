"""``clew ui`` as a person uses it: Chromium in front of a real local cloud and its functions."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from clew.localcloud import LocalCloud, Stack
    from conftest import Until

pytestmark = pytest.mark.local_cloud

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SIZES = {"desk": (1440, 900), "hand": (390, 844)}
WAIT_MS = 30_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, installed if need be; Playwright brings none of its own here."""
    api = pytest.importorskip("playwright.sync_api")
    found = subprocess.run(
        [ROOT / "tools" / "chromium.sh"], capture_output=True, encoding="utf-8", check=False
    )
    if found.returncode:
        pytest.skip(f"no Chromium: {found.stderr.strip()[-300:]}")
    with api.sync_playwright() as playwright:
        # Chromium's sandbox does not start as root; what it opens here is our own.
        as_root = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=found.stdout.split("\n")[0], args=as_root
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """One of its own: the pages show all of a cloud, and others leave much in the shared one."""
    from clew.localcloud import LocalCloud

    with LocalCloud.start(name="ui") as running:
        yield running


@pytest.fixture(scope="module")
def blog(cloud: LocalCloud) -> Stack:
    return cloud.deploy(EXAMPLES / "correlation" / "template.yaml", "ui-blog")


@pytest.fixture(scope="module")
def feed(cloud: LocalCloud) -> Stack:
    parameters = {"Policy": "retry", "SecondChance": "no"}
    template = EXAMPLES / "timeline" / "template.yaml"
    return cloud.deploy(template, "ui-feed", parameters=parameters)


@pytest.fixture(scope="module")
def url(cloud: LocalCloud, blog: Stack, feed: Stack) -> Iterator[str]:
    """``clew ui`` in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "clew", "ui", "--local", cloud.name, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as ui:
        assert ui.stdout is not None
        assert ui.stderr is not None
        said = ui.stdout.readline()
        assert said.startswith("clew ui is at http://127.0.0.1:"), said + ui.stderr.read()
        yield said.split()[-1].rstrip("/")
        ui.send_signal(signal.SIGINT)
        errors = ui.stderr.read()
    assert (ui.returncode, errors) == (0, "")


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, chromium: Browser, tmp_path: Path) -> Iterator[Page]:
    """A page that complains of nothing, and is nowhere wider than its window."""
    wide, high = SIZES[request.param]
    context = chromium.new_context(viewport={"width": wide, "height": high})
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.screenshot(path=tmp_path / f"{request.node.originalname}-{request.param}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= wide
    context.close()
    # Chromium says of a page of 404 that it is one.
    assert [one for one in complaints if "404 (Not Found)" not in one] == []


def fits(page: Page) -> None:
    """No page is wider than its window, at either size; ends at the first one."""
    for wide, high in reversed(SIZES.values()):
        page.set_viewport_size({"width": wide, "height": high})
        page.wait_for_function(f"window.innerWidth === {wide}")
        assert page.evaluate("document.documentElement.scrollWidth") <= wide, page.url


def post(stack: Stack, id_: str, **more: str) -> None:
    answer = requests.post(
        stack.outputs["PostsUrl"],
        json={"author": "tywin", "text": "Hear me roar.", **more},
        headers={"x-correlation-id": id_},
        timeout=30,
    )
    assert answer.status_code == 202, answer.text


def a_new_id() -> str:
    return str(uuid.uuid4())


def test_search_finds_a_request_and_opens_its_story(page: Page, url: str, blog: Stack) -> None:
    id_ = a_new_id()
    post(blog, id_)
    page.goto(f"{url}/live")
    page.locator(f'#live .line[data-href="/story/{id_}"]', has_text="publishing").wait_for()
    page.goto(url)
    page.keyboard.press("/")
    page.keyboard.type("publishing")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=publishing**")
    assert page.locator("#lines .line").count() >= 1
    page.keyboard.press("j")
    assert "publishing" in page.locator(".line.here").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/story/**")
    assert "ui-blog-api-a" in page.locator(".fall").inner_text()
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    # Its id leads to its story as well.
    page.goto(url)
    page.fill("#q", id_)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/story/{id_}")


def test_a_request_is_followed_from_before_its_first_line(
    page: Page, url: str, blog: Stack
) -> None:
    id_ = a_new_id()
    page.goto(f"{url}/story/{id_}")
    page.get_by_text(f"No log line has the id {id_}").wait_for()
    assert page.locator("#follow").get_attribute("aria-pressed") == "true"
    post(blog, id_)
    # The page comes again by itself, as often as there is more.
    page.get_by_text("Nothing broke, and nothing that was sent is missing.").wait_for()
    page.locator(".hop b", has_text="ui-blog-timeline").wait_for()
    names = page.locator(".hop .who b").all_inner_texts()
    assert [name.removeprefix("ui-blog-") for name in names] == [
        "api-a", "api-b", "api-c", "notify", "api-c", "timeline", "api-c"
    ]  # fmt: skip
    page.locator("#follow").click()
    assert page.locator("#follow").get_attribute("aria-pressed") == "false"
    hop = page.locator("details.hop").first
    hop.locator("summary").click()
    assert "post-id=post-" in hop.locator(".ids").inner_text()
    assert hop.locator(".row", has_text="publishing").is_visible()


def test_a_break_is_marked_in_plain_words_and_in_its_place(
    page: Page, url: str, blog: Stack
) -> None:
    id_ = a_new_id()
    page.goto(f"{url}/story/{id_}")
    post(blog, id_, new_follower="jaqen")
    broke = page.locator("#breaks li")
    broke.get_by_text(re.compile("ui-blog-timeline failed on what ui-blog-api-a sent")).wait_for()
    page.locator("#follow").click()
    broke.locator("a").first.click()
    hop = page.locator("details.hop.here")
    assert hop.get_attribute("open") is not None
    assert "AttributeError" in hop.inner_text()
    assert "flight recorder" in hop.inner_text()
    assert hop.locator("summary em").inner_text() == "failed"
    # Errors are first on the page of lines, too.
    page.goto(url)
    assert "AttributeError" in page.locator("#errors").inner_text()


def test_lines_come_live_and_can_be_held(page: Page, url: str, blog: Stack) -> None:
    page.goto(f"{url}/live?q=publishing")
    first = a_new_id()
    post(blog, first)
    page.locator(f'#live .line[data-href="/story/{first}"]').wait_for()
    page.keyboard.press("f")
    second = a_new_id()
    post(blog, second)
    page.get_by_text(re.compile("paused, [1-9]")).wait_for()
    assert page.locator(f'#live .line[data-href="/story/{second}"]').count() == 0
    page.keyboard.press("f")
    page.locator(f'#live .line[data-href="/story/{second}"]').wait_for()


def test_the_map_the_functions_and_the_streams_show_the_traffic(
    page: Page, url: str, blog: Stack
) -> None:
    post(blog, a_new_id())
    drawing = page.locator(".map svg")

    def drawn() -> str:
        page.goto(f"{url}/map")
        return drawing.text_content() or "" if drawing.count() else ""

    for _ in range(100):
        if "ui-blog-timeline" in drawn():
            break
        page.wait_for_timeout(200)
    told = drawn()
    for name in ("API Gateway", "ui-blog-api-a", "SNS topic", "Kinesis stream", "ui-blog-api-c"):
        assert name in told, name
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.wait_for_url("**/functions")
    row = page.locator("tr", has_text="ui-blog-api-b").inner_text()
    assert "HTTP API" in row or "API Gateway" in row
    page.goto(f"{url}/streams")
    stream = page.locator(".stream", has_text="ui-blog-poststream")
    assert "full" in stream.inner_text()
    assert stream.locator(".shards .room").count() >= 1
    assert "running" in stream.locator("tr", has_text="ui-blog-timeline").inner_text()


@pytest.mark.parametrize("page", ["desk"], indirect=True)  # it looks at both sizes by itself
def test_a_dead_letter_is_looked_at_and_sent_again(
    page: Page, url: str, cloud: LocalCloud, feed: Stack, until: Until
) -> None:
    id_ = a_new_id()
    dynamodb: Any = cloud.session().resource("dynamodb", endpoint_url=cloud.endpoint_url)
    followers = dynamodb.Table(feed.outputs["FollowersTable"])
    followers.put_item(Item={"author": "tywin", "follower": "cersei"})
    sqs = cloud.client("sqs")
    dead = feed.outputs["DeadLettersUrl"]

    def waiting() -> int:
        name = "ApproximateNumberOfMessages"
        found = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=[name])
        return int(found["Attributes"][name])

    with contextlib.suppress(sqs.exceptions.ClientError):
        sqs.purge_queue(QueueUrl=dead)
    answer = requests.post(
        feed.outputs["PostsUrl"],
        json={"author": "tywin", "picture": "https://example.com/lion.png"},
        headers={"x-correlation-id": id_},
        timeout=30,
    )
    assert answer.status_code == 202
    until(lambda: waiting() == 1, "the dead letter is written", timeout_s=60)
    page.goto(f"{url}/dead-letters")
    page.get_by_role("link", name=re.compile("ui-feed-DeadLetters")).click()
    row = page.locator("tbody tr")
    assert "KeyError: 'text'" in row.inner_text()
    fits(page)
    row.get_by_role("link").first.click()
    assert "https://example.com/lion.png" in page.locator("pre.raw").inner_text()
    assert page.get_by_role("link", name=re.compile(id_)).is_visible()
    fits(page)
    page.click("#redrive")
    page.get_by_text(re.compile("^Send 1 dead letter of ui-feed-DeadLetters")).wait_for()
    assert waiting() == 1, "nothing is sent before somebody says so"
    fits(page)
    page.click("#sure")
    told = page.locator(".told")
    told.wait_for()
    assert told.inner_text().startswith("Sent 1 dead letter to the Kinesis stream ui-feed-")
    # The bug is still there, so the record fails in its second life as well.
    page.goto(f"{url}/story/{id_}")
    page.locator("#follow").click()
    lives = page.locator(".hop", has=page.locator("em", has_text="dead-lettered"))
    lives.nth(1).wait_for()
    assert "its dead letter was taken up again" in lives.nth(0).inner_text()
    lives.nth(1).get_by_role("link", name="look at it").click()
    assert "in 2 lives" in page.locator(".known").inner_text()
