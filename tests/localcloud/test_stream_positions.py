"""Mappings on the template's own streams start at the beginning."""

from __future__ import annotations

from typing import Any

import pytest

from clew.localcloud.stream_positions import read_own_streams_from_the_start


def _position(source: Any, position: str = "LATEST") -> str:
    mapping = {"EventSourceArn": source, "StartingPosition": position}
    template = {
        "Resources": {
            "Mine": {"Type": "AWS::Kinesis::Stream"},
            "Table": {"Type": "AWS::DynamoDB::Table"},
            "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping},
        }
    }
    changed = read_own_streams_from_the_start(template)
    result: str = changed["Resources"]["Mapping"]["Properties"]["StartingPosition"]
    return result


def test_a_stream_of_the_template_is_read_from_its_start() -> None:
    assert _position({"Fn::GetAtt": ["Mine", "Arn"]}) == "TRIM_HORIZON"


@pytest.mark.parametrize(
    "source",
    [
        "arn:aws:kinesis:us-east-1:000000000000:stream/theirs",
        {"Fn::GetAtt": ["Table", "StreamArn"]},
        {"Fn::ImportValue": "theirs"},
    ],
)
def test_what_another_one_may_have_written_to_is_not(source: Any) -> None:
    assert _position(source) == "LATEST"


def test_a_position_in_time_stays() -> None:
    assert _position({"Fn::GetAtt": ["Mine", "Arn"]}, "AT_TIMESTAMP") == "AT_TIMESTAMP"
