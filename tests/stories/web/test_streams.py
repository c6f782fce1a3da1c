"""The page of streams, over a real stream that is managed, and one that is not."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import pytest

from clew.scaling.managed.audit import DONE, Audit
from clew.scaling.managed.settings import ManagedStream
from clew.scaling.managed.store import Store, describe_table
from clew.stories.web.site import Site

from .asking import Browser, text_of

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud
    from clew.stories.web.shelf import Shelf

pytestmark = pytest.mark.local_cloud


def test_shards_actions_and_reasons_are_shown(cloud: LocalCloud, shelf: Shelf) -> None:
    unique = uuid.uuid4().hex[:8]
    managed, other, table = f"ui-managed-{unique}", f"ui-other-{unique}", f"ui-scaling-{unique}"
    kinesis, dynamodb = cloud.client("kinesis"), cloud.client("dynamodb")
    kinesis.create_stream(StreamName=managed, ShardCount=3)
    kinesis.create_stream(StreamName=other, ShardCount=1)
    dynamodb.create_table(**describe_table(table))
    store = Store(dynamodb, table)
    store.put_settings(ManagedStream(managed, 2, 8))
    why = "It was 92% full for five minutes: <b>clicks</b>."
    audit = Audit("a1", time.time() - 60, managed, "alarm", DONE, why, 2, 3)
    store.put_audit(managed, audit.to_json())
    site = Site(shelf, "x", session=cloud.session(), cloud=cloud, table=table)
    try:
        html = Browser(site).get("/streams").text
    finally:
        for name in (managed, other):
            kinesis.delete_stream(StreamName=name)
        dynamodb.delete_table(TableName=table)
    first, _, rest = html.partition(f"<h2>{managed}")[2].partition("</section>")
    told = text_of(first)
    assert "shards 3 (2 to 8)" in told
    assert "2 to 3 shards, by alarm" in told
    assert "It was 92% full for five minutes: <b>clicks</b>." in told
    assert "<b>clicks" not in first
    assert first.count('class="room"') == 3
    assert "It has no alarms" in told
    of_other = text_of(rest.partition(f"<h2>{other}")[2].partition("</section>")[0])
    assert "Nobody scales it" in of_other


def test_without_an_account_it_says_what_to_say(browser: Browser) -> None:
    assert "say where they are, with --local" in text_of(browser.get("/streams").text)
    assert "say where they are, with --local" in text_of(browser.get("/dead-letters").text)
    assert browser.get("/dead-letters/orders").status_code == 404
