"""Settings: ranges, and what CloudFormation and the Lambda API call them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from clew.streams.worker import MappingSettings, SettingsError

from .making import ARN, TABLE_ARN


def test_the_defaults_are_lambdas() -> None:
    settings = MappingSettings(ARN, "LATEST")
    assert (settings.batch_size, settings.batching_window_s, settings.parallelization_factor) == (
        100,
        0,
        1,
    )
    assert (settings.maximum_retry_attempts, settings.maximum_record_age_s) == (-1, -1)
    assert not settings.filters


@pytest.mark.parametrize(
    ("arn", "service", "name", "stream_arn"),
    [
        (ARN, "kinesis", "orders", ARN),
        (f"{ARN}/consumer/me:1540591608", "kinesis", "orders", ARN),
        (TABLE_ARN, "dynamodb", "orders", TABLE_ARN),
        (ARN.replace("aws", "aws-cn"), "kinesis", "orders", ARN.replace("aws", "aws-cn")),
    ],
)
def test_a_source_is_taken_apart(arn: str, service: str, name: str, stream_arn: str) -> None:
    source = MappingSettings(arn, "LATEST").source
    assert (source.service, source.name, source.stream_arn) == (service, name, stream_arn)
    assert source.region == "us-east-1"
    assert source.enhanced_fan_out == (arn != stream_arn)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"source_arn": "arn:aws:sqs:us-east-1:000000000000:orders"},
            "is not the ARN of a Kinesis",
        ),
        ({"source_arn": "orders"}, "'orders' is not the ARN"),
        ({"starting_position": "NOW"}, "TRIM_HORIZON, LATEST, AT_TIMESTAMP, not 'NOW'"),
        ({"starting_position": "AT_TIMESTAMP"}, "go together"),
        ({"starting_at": 1.0}, "go together"),
        (
            {"source_arn": TABLE_ARN, "starting_position": "AT_TIMESTAMP", "starting_at": 1.0},
            "DynamoDB stream cannot be read from a point in time",
        ),
        ({"batch_size": 0}, "The batch size has to be from 1 to 10,000, not 0"),
        ({"batch_size": 10_001}, "from 1 to 10,000, not 10001"),
        ({"batch_size": True}, "not True"),
        ({"batching_window_s": 301}, "from 0 to 300"),
        ({"parallelization_factor": 11}, "from 1 to 10,"),
        ({"maximum_retry_attempts": -2}, "from -1 to 10,000"),
        ({"maximum_record_age_s": 59}, "from 60 to 604,800, not 59"),
        ({"tumbling_window_s": 901}, "from 0 to 900"),
        ({"on_failure_destination": "arn:aws:lambda:us-east-1:1:function:f"}, "standard SQS queue"),
        ({"on_failure_destination": "arn:aws:sqs:us-east-1:1:q.fifo"}, "standard SQS queue"),
        ({"filter_patterns": ('{"data": {"a": [1]}}',) * 11}, "There are 11 filters"),
        ({"filter_patterns": ("{",)}, "is not JSON"),
    ],
)
def test_what_lambda_would_not_take_gets_one_sentence(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)) as caught:
        MappingSettings(**({"source_arn": ARN, "starting_position": "LATEST"} | changed))
    assert str(caught.value).count(". ") == 0


PROPERTIES = {
    "EventSourceArn": ARN,
    "FunctionName": "orders-function",
    "StartingPosition": "AT_TIMESTAMP",
    "StartingPositionTimestamp": 1541139109,
    "BatchSize": "500",
    "MaximumBatchingWindowInSeconds": 5,
    "ParallelizationFactor": 2,
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "BisectBatchOnFunctionError": "true",
    "MaximumRetryAttempts": 3,
    "MaximumRecordAgeInSeconds": 3600,
    "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::lost"}},
    "TumblingWindowInSeconds": 60,
    "FilterCriteria": {"Filters": [{"Pattern": '{"partitionKey": ["1"]}'}]},
    "Enabled": True,
}


def test_the_properties_of_a_template_are_read() -> None:
    assert MappingSettings.from_properties(PROPERTIES) == MappingSettings(
        ARN,
        "AT_TIMESTAMP",
        starting_at=1541139109.0,
        batch_size=500,
        batching_window_s=5,
        parallelization_factor=2,
        report_batch_item_failures=True,
        bisect_on_error=True,
        maximum_retry_attempts=3,
        maximum_record_age_s=3600,
        on_failure_destination="arn:aws:s3:::lost",
        tumbling_window_s=60,
        filter_patterns=('{"partitionKey": ["1"]}',),
    )


def test_what_the_service_answers_is_read() -> None:
    answered = {
        "UUID": "2b733gdc-8ac3-cdf5-af3a-1827b3b11284",
        "StartingPosition": "LATEST",
        "StartingPositionTimestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "EventSourceArn": ARN,
        "DestinationConfig": {},
        "FunctionResponseTypes": [],
        "LastModified": 1541139209.351,
        "LastProcessingResult": "No records processed",
        "State": "Creating",
        "StateTransitionReason": "User action",
        "MaximumRetryAttempts": None,
        "Queues": [],
    }
    assert MappingSettings.from_properties(answered) == MappingSettings(ARN, "LATEST")


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (1541139109.5, 1541139109.5),
        ("1541139109.5", 1541139109.5),
        ("2018-11-02T06:11:49.5Z", 1541139109.5),
        ("2018-11-02T07:11:49.5+01:00", 1541139109.5),
        (datetime(2018, 11, 2, 6, 11, 49, 500_000, tzinfo=UTC), 1541139109.5),
    ],
)
def test_a_time_to_start_at_may_be_written_in_several_ways(given: Any, seconds: float) -> None:
    settings = MappingSettings.from_properties({**PROPERTIES, "StartingPositionTimestamp": given})
    assert settings.starting_at == seconds


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"BatchSiez": 1}, "An event source mapping has no BatchSiez; a stream's has: BatchSize"),
        ({"BatchSize": "many"}, "BatchSize has to be a whole number, not 'many'"),
        ({"BisectBatchOnFunctionError": "maybe"}, "has to be true or false, not 'maybe'"),
        ({"StartingPositionTimestamp": "yesterday"}, "has to be a time"),
        ({"Topics": ["t"]}, "Topics is not a setting of a stream"),
        ({"FunctionResponseTypes": ["All"]}, "can only hold ReportBatchItemFailures, not 'All'"),
        ({"DestinationConfig": {"OnFailure": {"Destination": {"Ref": "Queue"}}}}, "OnFailure with"),
        ({"FilterCriteria": {"Filters": [{}]}}, "has to have a Pattern"),
        ({"FilterCriteria": []}, "has to hold a list of Filters"),
        ({"EventSourceArn": {"Fn::GetAtt": ["S", "Arn"]}}, "EventSourceArn has to be a string"),
        ({"EventSourceArn": None}, "has no EventSourceArn"),
        ({"StartingPosition": None}, "has no StartingPosition"),
    ],
)
def test_a_property_that_means_nothing_gets_one_sentence(
    changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        MappingSettings.from_properties({**PROPERTIES, **changed})


def test_no_destination_may_be_said_by_an_empty_one() -> None:
    none = {"OnFailure": {"Destination": ""}}
    settings = MappingSettings.from_properties({**PROPERTIES, "DestinationConfig": none})
    assert settings.on_failure_destination is None
