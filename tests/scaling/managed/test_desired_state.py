"""What is asked of AWS before anything is changed, and how it is told when AWS does not answer."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from clew.errors import ClewError
from clew.scaling.managed.desired_state import asking
from clew.scaling.managed.tools import TimeUpError


def refusal(code: str, operation: str) -> ClientError:
    said: Any = {"Error": {"Code": code, "Message": "User: arn:x is not\n authorized."}}
    return ClientError(said, operation)


@pytest.mark.parametrize(
    ("code", "operation", "said"),
    [
        ("AccessDeniedException", "ListShards", "kinesis:ListShards"),
        ("AccessDenied", "GetMetricData", "cloudwatch:GetMetricData"),
        ("AccessDeniedException", "Query", "dynamodb:Query"),
    ],
)
def test_a_missing_permission_is_one_sentence(code: str, operation: str, said: str) -> None:
    with pytest.raises(ClewError) as raised, asking("kinesis"):
        raise refusal(code, operation)
    assert str(raised.value) == (
        f"AWS does not allow {said} here (User: arn:x is not authorized); allow it, or use another"
        " --profile."
    )


def test_other_refusals_are_left_and_too_long_a_wait_is_told() -> None:
    with pytest.raises(ClientError), asking("kinesis"):
        raise refusal("ValidationException", "ListShards")
    with pytest.raises(ClewError, match="has been busy"), asking("kinesis"):
        raise TimeUpError
