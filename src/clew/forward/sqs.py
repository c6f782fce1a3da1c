"""SQS: message attributes of ``SendMessage`` and ``SendMessageBatch``."""

from __future__ import annotations

from clew.forward.limits import SQS_MESSAGE
from clew.forward.messages import Messages, batch_answered, message_position
from clew.forward.sending import answered, new_sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Sent

_messages = Messages("sqs", ("MessageBody",), SQS_MESSAGE)


class SendMessage:
    """``SendMessage``."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """One message."""
        sent = new_sent("sqs", "SendMessage", str(params["QueueUrl"]), correlation)
        _messages.stamp(params, sent)
        return [sent]

    @staticmethod
    def answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
        """Note the message id."""
        answered(sent[0], message_position(parsed))


class SendMessageBatch:
    """``SendMessageBatch``: up to 10 messages that share the limit of one."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """Each entry gets a span of its own."""
        params["Entries"], all_sent = _messages.stamp_batch(
            params["Entries"], "SendMessageBatch", str(params["QueueUrl"]), correlation
        )
        return all_sent

    answered = staticmethod(batch_answered)


OPERATIONS = {"SendMessage": SendMessage, "SendMessageBatch": SendMessageBatch}
