"""Put records into a stream: all of them, in order, whatever the stream refuses."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

import clew
from clew.capture import read
from clew.capture.kpl import user_records
from clew.streams import producer
from clew.streams.aggregate import pack
from clew.streams.producer import Queue
from log.lines import invocation, logged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.localcloud import LocalCloud
    from clew.streams.producer import Progress, Put

pytestmark = pytest.mark.usefixtures("in_cloud")
_numbers = itertools.count(1)


@pytest.fixture
def stream(cloud: LocalCloud) -> str:
    """A stream of two shards."""
    name = f"produced-{next(_numbers)}"
    cloud.client("kinesis").create_stream(StreamName=name, ShardCount=2)
    return name


def records_in(cloud: LocalCloud, stream: str) -> dict[str, list[bytes]]:
    """The data of each key, in its order; aggregated records opened."""
    client = cloud.client("kinesis")
    found: dict[str, list[bytes]] = {}
    for shard in client.list_shards(StreamName=stream)["Shards"]:
        iterator: str | None = client.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            page = client.get_records(ShardIterator=iterator, Limit=10_000)
            for one in page["Records"]:
                inner = user_records(one["Data"])
                if inner is None:
                    found.setdefault(one["PartitionKey"], []).append(one["Data"])
                for user in inner or ():
                    found.setdefault(user.partition_key, []).append(user.data)
            if not page["Records"]:
                break
            iterator = page.get("NextShardIterator")
    return found


def test_all_records_arrive_in_the_order_of_their_key(cloud: LocalCloud, stream: str) -> None:
    given_ = [(f"key-{number % 7}", {"n": number}) for number in range(60)]
    seen: list[Progress] = []
    done = clew.streams.put(stream, iter(given_), on_progress=seen.append)
    assert (done.taken, done.waiting, done.refused) == (60, 0, 0)
    assert done.requests == len(seen) == 9, "a request has one record of each key"
    found = records_in(cloud, stream)
    for key, all_data in found.items():
        numbers = [json.loads(data)["n"] for data in all_data]
        assert numbers == [n for n in range(60) if f"key-{n % 7}" == key]
    assert sum(map(len, found.values())) == 60


@pytest.mark.parametrize("aggregate", [False, True])
def test_what_is_refused_is_sent_again_in_order(
    cloud: LocalCloud, stream: str, aggregate: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "PAUSE_S", 0.001)
    monkeypatch.setattr(producer, "MAX_PAUSE_S", 0.004)
    given_ = [(f"key-{number % 5}", {"n": number}) for number in range(100)]
    error = "ProvisionedThroughputExceededException"
    with cloud.faults.during("kinesis", "PutRecords", error=error, rate=0.4, seed=1):
        done = clew.streams.put(stream, given_, aggregate=aggregate)
    assert done.taken == 100
    assert done.refused > 0
    found = records_in(cloud, stream)
    for number in range(5):
        numbers = [json.loads(data)["n"] for data in found[f"key-{number}"]]
        assert numbers == list(range(number, 100, 5))


def test_unordered_records_fill_a_request(cloud: LocalCloud, stream: str) -> None:
    done = clew.streams.put(stream, [("one", str(n)) for n in range(600)], ordered=False)
    assert (done.taken, done.requests) == (600, 2)
    assert sorted(map(int, records_in(cloud, stream)["one"])) == list(range(600))


def test_aggregated_records_are_few_and_are_read_as_they_were(
    cloud: LocalCloud, stream: str
) -> None:
    given_ = [(f"key-{n % 3}", {"n": n}) for n in range(300)]
    done = clew.streams.put(stream, given_, aggregate=True)
    assert (done.taken, done.requests) == (300, 1)
    found = records_in(cloud, stream)
    assert [json.loads(data)["n"] for data in found["key-1"]] == list(range(1, 300, 3))


def test_the_ids_go_along_each_with_a_span_of_its_own(cloud: LocalCloud, stream: str) -> None:
    @clew.handler
    def function(event: Any, context: Any) -> None:
        clew.streams.put(stream, [("a", {"n": 1}), ("b", {"n": 2})])
        clew.streams.put(stream, [("c", {"n": 3}), ("c", {"n": 4})], aggregate=True)

    with logged() as lines:
        function({}, None)
    wide = invocation(lines)
    all_data = [data for group in records_in(cloud, stream).values() for data in group]
    contexts = [json.loads(data)["__context"] for data in all_data]
    assert {one["x-correlation-id"] for one in contexts} == {wide["x-correlation-id"]}
    assert len({one["traceparent"] for one in contexts}) == 4
    clew.uninstrument()


def test_a_stream_that_takes_nothing_is_given_up_and_nothing_is_lost(
    cloud: LocalCloud, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "PAUSE_S", 0.01)
    given_ = [("a", "1"), ("b", "2"), ("a", "3")]
    error = "ProvisionedThroughputExceededException"
    with (
        cloud.faults.during("kinesis", "PutRecords", error=error),
        pytest.raises(clew.streams.PutFailed, match="took no record for 50ms") as raised,
    ):
        clew.streams.put(stream, given_, give_up_after="50ms")
    assert raised.value.unsent == given_
    assert "3 records are left over" in str(raised.value)


def test_a_stream_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(clew.streams.PutFailed, match="does not take the records") as raised:
        clew.streams.put("missing", [("a", "1"), ("b", "2")])
    assert raised.value.unsent == [("a", "1"), ("b", "2")]


def test_nothing_is_put_where_there_is_nothing() -> None:
    assert clew.streams.put("missing", []).requests == 0


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        7,
        "text",
        ("a",),
        ("", "x"),
        ("k" * 257, "x"),
        (1, "x"),
        ("\ud800", "x"),
        {},
        ("a", object()),
        ("a", {"number": float("nan")}),
    ],
)
def test_what_is_no_record_is_said_with_its_number_and_all_before_it_is_there(
    cloud: LocalCloud, stream: str, wrong: Any
) -> None:
    """Else nobody would know which of those that were read ahead are in the stream."""
    with pytest.raises(clew.ClewError, match="Record 2 of put has to be"):
        clew.streams.put(stream, [("a", "x"), ("a", "y"), wrong, ("a", "z")])
    assert records_in(cloud, stream) == {"a": [b"x", b"y"]}


def test_what_the_records_themselves_raise_comes_out_behind_those_before_it(
    cloud: LocalCloud, stream: str
) -> None:
    def some() -> Iterator[tuple[str, str]]:
        yield "a", "x"
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        clew.streams.put(stream, some())
    assert records_in(cloud, stream) == {"a": [b"x"]}


def test_a_network_that_is_down_is_waited_for_and_loses_nothing(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "PAUSE_S", 0.01)
    nowhere = cloud.session().client(
        "kinesis",
        endpoint_url="http://127.0.0.1:1",
        config=Config(retries={"total_max_attempts": 1}),
    )
    given_ = [("a", "1"), ("b", "2")]
    with pytest.raises(clew.streams.PutFailed, match="took no record for 50ms") as raised:
        clew.streams.put("any", given_, client=nowhere, give_up_after="50ms")
    assert raised.value.unsent == given_


def test_what_the_sdk_refuses_says_what_is_left(cloud: LocalCloud) -> None:
    with pytest.raises(clew.streams.PutFailed, match="A stream without a name does not") as raised:
        clew.streams.put("", [("a", "1")], client=cloud.client("kinesis"))
    assert raised.value.unsent == [("a", "1")]


def test_entries_as_put_records_takes_them(cloud: LocalCloud, stream: str) -> None:
    entry = {"PartitionKey": "a", "Data": bytearray(b"1"), "ExplicitHashKey": "0"}
    arn = cloud.client("kinesis").describe_stream_summary(StreamName=stream)
    arn = arn["StreamDescriptionSummary"]["StreamARN"]
    clew.streams.put(arn, [entry, {**entry, "Data": b"2"}], client=cloud.client("kinesis"))
    assert records_in(cloud, stream) == {"a": [b"1", b"2"]}


def test_a_pack_is_what_the_reference_library_makes() -> None:
    from importlib import import_module

    aggregator = import_module("aws_kinesis_agg.aggregator").RecordAggregator()
    for number in range(3):
        aggregator.add_user_record("tywin", b"%d" % number, "42")
    _, _, theirs = aggregator.clear_and_get().get_contents()
    assert pack("tywin", "42", [b"0", b"1", b"2"]) == theirs


@given(
    key=st.text(min_size=1, max_size=20),
    hash_key=st.sampled_from(["", "0", "340282366920938463463374607431768211455"]),
    all_data=st.lists(st.binary(max_size=300), min_size=1, max_size=20),
)
def test_a_pack_is_read_as_it_was_put(key: str, hash_key: str, all_data: list[bytes]) -> None:
    found = user_records(pack(key, hash_key, all_data))
    assert found is not None
    assert [one.data for one in found] == all_data
    assert {(one.partition_key, one.explicit_hash_key) for one in found} == {(key, hash_key)}


@settings(max_examples=200, deadline=None)
@given(
    keys=st.lists(st.sampled_from("abc"), max_size=40),
    aggregate=st.booleans(),
    ordered=st.booleans(),
    refusals=st.lists(st.booleans(), max_size=40),
)
def test_whatever_is_refused_all_arrives_once_and_in_order(
    keys: list[str], aggregate: bool, ordered: bool, refusals: list[bool]
) -> None:
    given_ = [(key, str(number)) for number, key in enumerate(keys)]
    queue = Queue(given_, ordered=ordered, aggregate=aggregate)
    arrived: list[tuple[str, str]] = []
    for _ in range(500):
        request = queue.next_request()
        if not request:
            break
        if ordered or aggregate:
            in_it = [one.entries[0].key for one in request]
            assert len(set(in_it)) == len(in_it), "two of one key in a request"
        refused: list[Put] = []
        for one in request:
            if refusals and refusals.pop():
                refused.append(one)
            else:
                arrived += [entry.given for entry in one.entries]
                queue.done(one)
        queue.again(refused)
        assert sorted(queue.unsent() + arrived) == sorted(given_)
    assert sorted(arrived) == sorted(given_)
    assert queue.waiting == 0
    if ordered or aggregate:
        for key in set(keys):
            of_key = [int(text) for one, text in arrived if one == key]
            assert of_key == sorted(of_key)


def test_it_reads_no_further_ahead_than_it_has_to() -> None:
    read_so_far = 0

    def endless() -> Any:
        nonlocal read_so_far
        while True:
            read_so_far += 1
            yield "one key", b"x"

    queue = Queue(endless(), ordered=True, aggregate=False)
    for _ in range(3):
        (one,) = queue.next_request()
        queue.done(one)
    assert read_so_far == producer.MAX_WAITING + 2


def test_read_of_a_producer_s_record_in_a_lambda_event() -> None:
    from base64 import b64encode

    raw = {
        "eventSource": "aws:kinesis",
        "kinesis": {"data": b64encode(pack("k", "", [b'{"n":1}', b'{"n":2}'])).decode()},
    }
    assert [one.payload for one in read({"Records": [raw]}).records] == [{"n": 1}, {"n": 2}]
