"""Records of the Kinesis Producer Library, against those of AWS's own library."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import md5
from typing import Any

import pytest
from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import deaggregate_records
from hypothesis import given, settings
from hypothesis import strategies as st

from clew import KinesisRecord, capture
from clew.capture import kpl

from ..events import FIELDS, Context, kinesis, kinesis_record, with_context
from .events import piped_kinesis

User = tuple[str, bytes, str | None]
_keys = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
_users = st.lists(
    st.tuples(_keys, st.binary(max_size=60), st.none() | st.integers(0, 2**128 - 1).map(str)),
    min_size=1,
    max_size=12,
)


def aggregated(*users: User) -> bytes:
    """The data of one record, as AWS's library puts it together."""
    aggregator = RecordAggregator()
    for key, data, hash_key in users:
        aggregator.add_user_record(key, data, hash_key)
    _, _, data = aggregator.clear_and_get().get_contents()
    assert isinstance(data, bytes)
    return data


def records(*payloads: bytes) -> list[KinesisRecord]:
    found = capture(kinesis(*payloads), Context()).records
    assert all(isinstance(record, KinesisRecord) for record in found)
    return found  # type: ignore[return-value]


def summed(message: bytes) -> bytes:
    """A protobuf message as the library ends it."""
    return kpl.MAGIC + message + md5(message).digest()


@settings(deadline=None)
@given(_users)
def test_every_user_record_comes_out_as_it_went_in(users: list[User]) -> None:
    data = aggregated(*users)
    theirs = deaggregate_records([kinesis_record(data)])
    ours = records(data)
    assert [
        (record.partition_key, record.data, record.explicit_hash_key or None) for record in ours
    ] == users
    assert [
        (
            one["kinesis"]["partitionKey"],
            one["kinesis"]["data"],
            one["kinesis"]["subSequenceNumber"],
        )
        for one in theirs
    ] == [
        (record.partition_key, b64encode(record.data), record.sub_sequence_number)
        for record in ours
    ]


def test_the_names_of_a_user_record() -> None:
    first, second, plain = records(aggregated(("a", b"{}", "12"), ("b", b"{}", None)), b"{}")
    assert first.sequence_number == second.sequence_number != plain.sequence_number
    assert (first.explicit_hash_key, second.explicit_hash_key, plain.explicit_hash_key) == (
        "12",
        "",
        "",
    )
    assert (first.sub_sequence_number, second.sub_sequence_number) == (0, 1)
    assert plain.sub_sequence_number is None
    assert second.position == {**plain.position, "subSequenceNumber": "1"} | {
        "sequenceNumber": second.sequence_number
    }
    assert "subSequenceNumber" not in plain.position
    assert first.shard_id == plain.shard_id
    assert first.arrived == plain.arrived is not None


def test_each_user_record_has_its_own_ids() -> None:
    one = with_context(b'{"a": 1}', FIELDS)
    two = with_context(b'{"b": 2}', {**FIELDS, "x-correlation-id": "another"})
    found = records(aggregated(("k", one, None), ("k", two, None), ("k", b"text", None)))
    assert [record.correlation.id for record in found[:2]] == ["the-request", "another"]
    assert [record.payload for record in found] == [{"a": 1}, {"b": 2}, b"text"]
    assert found[0].data == b'{"a": 1}'
    assert len({record.correlation.id for record in found}) == 3


def test_pipes_have_them_too() -> None:
    data = aggregated(("a", b"{}", None), ("b", b"{}", None))
    delivery = capture([piped_kinesis(data), piped_kinesis(b"{}")], Context())
    keys = [record.partition_key for record in delivery.records]  # type: ignore[attr-defined]
    assert keys == ["a", "b", "customer-1"]


WHOLE = aggregated(("a", b"{}", "1"), ("b", b'{"x": 1}', None))
MESSAGE = WHOLE[4:-16]
#: Where a field of the message ends: it is a message up to there too.
WHOLE_FIELDS = (3, 6, 9, 19)


@pytest.mark.parametrize(
    "data",
    [
        kpl.MAGIC,
        kpl.MAGIC + bytes(15),
        kpl.MAGIC + bytes(16),
        WHOLE[:-1],
        WHOLE[:-1] + bytes([WHOLE[-1] ^ 1]),
        b"\xf3\x89\x9a\xc3" + WHOLE[4:],
        *(summed(MESSAGE[:end]) for end in range(1, len(MESSAGE)) if end not in WHOLE_FIELDS),
        summed(b"\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),  # a length of 2 ** 64 - 1
        summed(b"\x1a\x05\x08\x00\x1a\x7f\x00"),  # data longer than its record
        summed(b"\x0a\x01a\x1a\x04\x08\x07\x1a\x00"),  # the eighth of one key
        summed(b"\x0a\x01a\x1a\x02\x08\x00"),  # no data
        summed(b"\x0a\x01a\x1a\x02\x1a\x00"),  # no key
        summed(b"\x0a\x01\xff\x1a\x04\x08\x00\x1a\x00"),  # a key that is no UTF-8
        summed(b"\x0a\x01a\x1a\x06\x08\x00\x10\x09\x1a\x00"),  # the tenth of no hash keys
        summed(b"\x0b\x0c"),  # a group
        summed(b"\x80" * 20),  # a number without an end
    ],
)
def test_what_is_no_aggregate_is_plain_data(data: bytes) -> None:
    [record] = records(data)
    assert record.payload == record.data == data
    assert record.sub_sequence_number is None
    assert record.partition_key == "1"


def test_it_says_why_a_record_was_not_taken_apart() -> None:
    [record] = records(WHOLE[:-1])
    assert record.problem == "a record begins as one of the Kinesis Producer Library and is none"


def test_fields_that_are_not_known_are_passed_over() -> None:
    """Tags have no use here; a later version may have more."""
    tags = b"\x22\x05\x0a\x03tag"
    later = b"\x28\x96\x01" + b"\x31" + bytes(8) + b"\x3d" + bytes(4)
    record = b"\x08\x00\x1a\x02{}" + tags + later
    [found] = records(summed(b"\x0a\x01a" + b"\x1a" + bytes([len(record)]) + record + later))
    assert (found.partition_key, found.data) == ("a", b"{}")


def test_more_user_records_than_fit_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kpl, "MAX_USER_RECORDS", 3)
    fits, more = (aggregated(*[("a", b"", None)] * number) for number in (3, 4))
    assert len(records(fits)) == 3
    assert len(records(more)) == 1


@settings(deadline=None)
@given(st.binary(max_size=80), st.data())
def test_no_bytes_at_all_raise(noise: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(MESSAGE)))
    message = MESSAGE[:at] + noise + MESSAGE[at + len(noise) :]
    found = kpl.user_records(summed(message))
    assert found is None or all(isinstance(one.partition_key, str) for one in found)
    assert kpl.user_records(noise) is None


def test_a_handler_gets_each_user_record() -> None:
    """The event is as Lambda has it; the records are the producer's."""
    event: Any = kinesis(aggregated(("a", b"{}", None), ("b", b"{}", None)), b"{}")
    delivery = capture(event, Context())
    assert delivery.event is event
    assert len(delivery.records) == 3
    assert json.loads(delivery.records[1].data) == {}
