"""Searching a store: what is found, counted and paged, and what is no syntax."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.errors import ClewError
from clew.stories.store import Entry, Query, Store
from stories.runtime import START_S, Run

from .lines import request, requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """40 requests, one of them with a card of its own, and lines of Lambda's own."""
    with Store(tmp_path_factory.mktemp("store") / "logs.db", write=True) as opened:
        opened.add(requests(40))
        opened.add(request("request-x", 90_000, card="Straße Łódź"))
        run = Run("batch", at=95_000, source="aws:kinesis", request_id="of-batch")
        for number in range(3):
            run.receive(f"record-{number}", user_id=f"user-{number}")
        run.text(
            'RequestId: 8c7ad3a2-6c3a-4a4e-8f5f-5d8a3e0b7a11 Error: it\'s 100% "broken" OR not'
        )
        opened.add(run.end(ValueError("no card on file")))
        yield opened


def total(store: Store, query: Query) -> int:
    return store.search(query).total


def test_words_are_found_in_any_order_and_case(store: Store) -> None:
    assert total(store, Query(text="order placed")) == 41
    assert total(store, Query(text="PLACED Order")) == 41
    assert total(store, Query(text="order mailing")) == 0
    assert total(store, Query(text="straße łódź")) == 1
    assert total(store, Query(text="mailin* cust*")) == 41
    assert total(store, Query(text="no card on file")) == 1
    assert total(store, Query(text="mailing", function="edge")) == 0


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "'",
        '"broken" OR not',
        "100%",
        "it's",
        "NOT broken AND",
        "broken NEAR(",
        "(",
        "broken:",
        "-broken",
    ],
)
def test_nothing_typed_is_syntax(store: Store, text: str) -> None:
    wanted = 0 if text in ('"', "'", "(", "NOT broken AND", "broken NEAR(") else 1
    assert total(store, Query(text=text)) == wanted


@given(st.text())
def test_no_text_is_an_error(store: Store, text: str) -> None:
    assert 0 <= total(store, Query(text=text)) <= 200
    assert 0 <= total(store, Query(id=text or "x", ids={text: text}, function=text)) <= 200


def test_any_id_is_found_and_by_its_field(store: Store) -> None:
    assert total(store, Query(id="request-7")) == 4
    assert total(store, Query(id="invocation-request-7-1")) == 2
    assert total(store, Query(id="request-1")) == 4 * 11
    assert total(store, Query(id="record-2")) == 1  # one of a batch's records
    assert total(store, Query(id="8c7ad3a2-6c3a")) == 1  # in Lambda's own words
    assert total(store, Query(ids={"id": "request-7"})) == 4
    assert total(store, Query(ids={"x-correlation-id": "request-7", "requestId": "request-7"})) == 0
    assert total(store, Query(ids={"requestId": "invocation-request-7-2"})) == 2


def test_ids_that_handlers_add_are_found_by_their_field(tmp_path: Path) -> None:
    run = Run("edge")
    run.log(run.receive("request-1", user="42"), "hello")
    with Store(tmp_path / "logs.db", write=True) as store:
        store.add(run.end())
        for name in ("user", "USER", "x-correlation-user"):
            assert total(store, Query(ids={name: "42"})) == 2
        assert total(store, Query(ids={"user": "4"})) == 0
        assert total(store, Query(ids={"order-id": "42"})) == 0


def test_levels_times_and_counts(store: Store) -> None:
    page = store.search(Query(level="warning"))
    assert page.functions == {"mail": 41, "batch": 1}
    assert page.levels == {"WARNING": 41, "ERROR": 1}
    assert [line.kind for line in store.search(Query(level="ERROR")).lines] == ["invocation"]
    start = datetime.fromtimestamp(START_S, UTC)
    assert total(store, Query(since=start + timedelta(seconds=90))) == 4 + 2
    assert total(store, Query(until=start + timedelta(milliseconds=99))) == 4
    with pytest.raises(ClewError, match="There is no level 'LOUD'; there are DEBUG, INFO"):
        store.search(Query(level="LOUD"))


def test_pages_have_every_line_once(store: Store) -> None:
    seen: list[int] = []
    before = None
    while True:
        page = store.search(Query(text="order placed", limit=7, before=before))
        assert page.total == 41
        seen += [line.place for line in page.lines]
        if page.more is None:
            break
        before = page.more
    assert len(seen) == 41
    assert seen == sorted(set(seen), reverse=True)


def test_a_line_says_what_is_known_of_it(store: Store) -> None:
    (line,) = store.search(Query(text="card on file")).lines
    assert (line.function, line.version, line.level) == ("batch", "$LATEST", "ERROR")
    assert (line.log_group, line.stream) == ("/aws/lambda/batch", "stream")
    (line,) = store.search(Query(text="100% broken")).lines
    assert (line.function, line.level, line.kind) == ("batch", "", "text")


def test_what_lambda_writes_is_a_kind_of_its_own(tmp_path: Path) -> None:
    with Store(tmp_path / "logs.db", write=True) as store:
        store.add(
            [
                Entry(
                    1, "/aws/lambda/f", "s", "START RequestId: 8c7ad3a2-6c3a-4a4e-8f5f-5d8a3e0b7a11"
                ),
                Entry(
                    2,
                    "/aws/lambda/f",
                    "s",
                    '{"type":"platform.report","record":{"requestId":"r-1"}}',
                ),
            ]
        )
        assert {line.kind for line in store.search(Query()).lines} == {"lambda"}
        assert total(store, Query(id="r-1")) == 1
