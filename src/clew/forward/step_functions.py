"""Step Functions: a context inside the input of an execution."""

from __future__ import annotations

from clew.forward.limits import STEP_FUNCTIONS_INPUT, length
from clew.forward.payloads import Splicer
from clew.forward.sending import answered, new_sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Sent


def _stamp(operation: str, params: dict[str, Any], correlation: Correlation) -> list[Sent]:
    # Started again under its name, an execution is the same only if its input is (Step Functions
    # API reference, "StartExecution"); so the span comes from the name, where it has one.
    sent = new_sent(
        "stepfunctions",
        operation,
        str(params["stateMachineArn"]),
        correlation,
        once=str(params.get("name") or ""),
    )
    given = params.get("input") or "{}"  # what the service takes for none
    done = Splicer(sent.correlation).into(given, sent, STEP_FUNCTIONS_INPUT - length(given))
    if done is not None:
        params["input"] = done
    return [sent]


class StartExecution:
    """``StartExecution``."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """An execution without an input gets one that holds the context alone."""
        return _stamp("StartExecution", params, correlation)

    @staticmethod
    def answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
        """Note the execution's ARN."""
        answered(sent[0], {"executionArn": parsed.get("executionArn", "")})


class StartSyncExecution:
    """``StartSyncExecution``: of an express workflow, which answers when it has ended."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """An execution without an input gets one that holds the context alone."""
        return _stamp("StartSyncExecution", params, correlation)

    @staticmethod
    def answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
        """Note the execution's ARN; one that failed was started all the same."""
        StartExecution.answered(sent, parsed)
        if parsed.get("status") not in (None, "SUCCEEDED"):
            error, cause = parsed.get("error"), parsed.get("cause")
            sent[0].error = f"the execution ended as {parsed['status']}: {error}: {cause}"


OPERATIONS = {"StartExecution": StartExecution, "StartSyncExecution": StartSyncExecution}
