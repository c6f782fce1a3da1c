"""Lambda ``Invoke``: a context inside the payload, which is the other function's event."""

from __future__ import annotations

from clew.forward.limits import LAMBDA_EVENT_PAYLOAD, LAMBDA_PAYLOAD, length
from clew.forward.payloads import Splicer
from clew.forward.sending import answered, new_sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Sent


class Invoke:
    """``Invoke`` of every type but ``DryRun``, which invokes nothing."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """An invocation without a payload gets one that holds the context alone."""
        kind = str(params.get("InvocationType", "RequestResponse"))
        if kind == "DryRun":
            return []
        # A durable execution that is started again under its name has to have the same payload
        # (Lambda developer guide, "Durable execution idempotency").
        once = str(params.get("DurableExecutionName") or "")
        target = str(params["FunctionName"])
        sent = new_sent("lambda", "Invoke", target, correlation, once=once)
        sent.position = {"invocationType": kind}
        given = params.get("Payload", b"")
        if given in (b"", ""):
            given = b"{}"
        limit = LAMBDA_EVENT_PAYLOAD if kind == "Event" else LAMBDA_PAYLOAD
        payload = Splicer(sent.correlation).into(given, sent, limit - length(given))
        if payload is not None:
            params["Payload"] = payload
        return [sent]

    @staticmethod
    def answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
        """Note the status; a function that failed was invoked all the same."""
        for one in sent:
            answered(one, {}, int(parsed.get("StatusCode", 0)))
            if parsed.get("FunctionError"):
                one.error = f"the function failed: {parsed['FunctionError']}"


OPERATIONS = {"Invoke": Invoke, "InvokeWithResponseStream": Invoke}
