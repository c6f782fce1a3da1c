"""What an action works with: clients, a clock, and the time that is left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import uniform
from typing import TYPE_CHECKING, Any

from clew.scaling.model import ScalingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.scaling.managed.store import Store

#: Codes of errors after which the same call may do a little later.
BUSY = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ResourceInUseException",
        "ServiceUnavailable",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 10.0


class TimeUpError(Exception):
    """The invocation has no time left for what comes next."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The world outside, so that a test may give it another clock."""

    kinesis: Any
    cloudwatch: Any
    store: Store
    sns: Any
    lambda_: Any
    #: The topic that alarms tell; "" makes alarms that tell nobody.
    topic: str = ""
    #: The id of this invocation, the same when Lambda tries it again.
    request_id: str = ""
    #: The function that goes on where the time of this invocation ends; "" for none.
    function: str = ""
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    #: Seconds that this invocation has left.
    left_s: Callable[[], float] = field(default=lambda: 900.0)

    def check_time(self) -> None:
        """Stop in good time.

        Raises:
            TimeUpError: There is only what an orderly end needs.
        """
        if self.left_s() < MARGIN_S:
            raise TimeUpError

    def wait(self, seconds: float) -> None:
        """Sleep, if there is time for it.

        Raises:
            TimeUpError: There is none.
        """
        if self.left_s() < seconds + MARGIN_S:
            raise TimeUpError
        self.sleep(seconds)


#: What is kept of an invocation's time for an orderly end.
MARGIN_S = 8.0


def patiently(tools: Tools, call: Callable[..., Any], **arguments: Any) -> Any:
    """Call until the service is not busy any more, with longer and longer waits between.

    Raises:
        TimeUpError: It is still busy, and the invocation's time is nearly over.
        ClientError: It answered with another error.
    """
    from botocore.exceptions import ClientError, HTTPClientError

    wait_s = _FIRST_WAIT_S
    while True:
        try:
            return call(**arguments)
        except ClientError as error:
            if code_of(error) not in BUSY:
                raise
        except HTTPClientError:  # no answer
            if tools.left_s() < MARGIN_S:
                raise
        tools.wait(uniform(wait_s / 2, wait_s))  # noqa: S311 - jitter
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)


def code_of(error: Any) -> str:
    """The code of a client's error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def no_stream(stream: str) -> ScalingError:
    """What to say where there is no such stream."""
    return ScalingError(
        f"There is no stream {stream} here; take it out of streams.yml, or create it."
    )
