"""SNS: message attributes of ``Publish`` and ``PublishBatch``."""

from __future__ import annotations

from clew.forward.limits import SNS_MESSAGE
from clew.forward.messages import Messages, batch_answered, message_position
from clew.forward.sending import answered, new_sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Sent

_messages = Messages("sns", ("Message", "Subject"), SNS_MESSAGE)


class Publish:
    """``Publish`` to a topic. A text message or a push to one device carries nothing."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """One message; one without a topic is noted, not stamped."""
        target = str(params.get("TopicArn") or params.get("TargetArn") or "a phone number")
        sent = new_sent("sns", "Publish", target, correlation)
        if ":sns:" not in target or ":endpoint/" in target:
            sent.carried = False  # no place for the fields, and nobody there to read them
        else:
            _messages.stamp(params, sent)
        return [sent]

    @staticmethod
    def answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
        """Note the message id."""
        answered(sent[0], message_position(parsed))


class PublishBatch:
    """``PublishBatch``: up to 10 messages that share the limit of one."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """Each entry gets a span of its own."""
        params["PublishBatchRequestEntries"], all_sent = _messages.stamp_batch(
            params["PublishBatchRequestEntries"],
            "PublishBatch",
            str(params["TopicArn"]),
            correlation,
        )
        return all_sent

    answered = staticmethod(batch_answered)


OPERATIONS = {"Publish": Publish, "PublishBatch": PublishBatch}
