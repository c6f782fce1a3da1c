"""SNS: message attributes of ``Publish`` and ``PublishBatch``."""

from __future__ import annotations

from clew.forward.attributes import stamped
from clew.forward.limits import SNS_ATTRIBUTES, SNS_MESSAGE
from clew.forward.sending import answered, goes_untouched, new_sent, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Sent


def _stamp(
    entry: dict[str, Any], sent: Sent, *, max_bytes: int = SNS_MESSAGE
) -> dict[str, Any] | None:
    body = len(entry["Message"].encode("utf-8", "replace")) + len(entry.get("Subject") or "")
    return stamped(
        entry.get("MessageAttributes"),
        sent,
        room=SNS_ATTRIBUTES,
        body_bytes=body,
        max_bytes=max_bytes,
    )


class Publish:
    """``Publish`` to a topic. A text message or a push to one device carries nothing."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """One message; one without a topic is noted, not stamped."""
        target = params.get("TopicArn") or params.get("TargetArn") or params.get("PhoneNumber", "")
        sent = new_sent("sns", "Publish", str(target), correlation)
        if ":sns:" not in sent.target or ":endpoint/" in sent.target:
            sent.target = sent.target if ":" in sent.target else "a phone number"
            goes_untouched(sent, "only messages to topics have a place for it")
        elif (attributes := _stamp(params, sent)) is not None:
            params["MessageAttributes"] = attributes
        return [sent]

    @staticmethod
    def answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
        """Note the message id."""
        answered(sent[0], {"messageId": parsed.get("MessageId", "")})


class PublishBatch:
    """``PublishBatch``: up to 10 messages that share the limit of one."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """Each entry gets a span of its own."""
        entries, all_sent = [], []
        given = params["PublishBatchRequestEntries"]
        for entry in given:
            sent = new_sent("sns", "PublishBatch", str(params.get("TopicArn")), correlation)
            sent.position = {"entry": str(entry.get("Id"))}
            attributes = _stamp(entry, sent, max_bytes=SNS_MESSAGE // max(len(given), 1))
            entries.append(
                entry if attributes is None else {**entry, "MessageAttributes": attributes}
            )
            all_sent.append(sent)
        params["PublishBatchRequestEntries"] = entries
        return all_sent

    @staticmethod
    def answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
        """Note each entry's message id, or why it failed."""
        by_entry = {one.position["entry"]: one for one in sent}
        for success in parsed.get("Successful", ()):
            answered(by_entry[success["Id"]], {"messageId": success.get("MessageId", "")})
        for failure in parsed.get("Failed", ()):
            refused(by_entry[failure["Id"]], f"{failure.get('Code')}: {failure.get('Message')}")


OPERATIONS = {"Publish": Publish, "PublishBatch": PublishBatch}
