"""What SNS and SQS have in common: a batch of messages that share the limit of one."""

from __future__ import annotations

from clew.forward.attributes import size, stamped
from clew.forward.limits import length, room
from clew.forward.sending import answered, new_sent, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Sent


class Messages:
    """How one service's messages are stamped: what its text is called, and how large one may be."""

    def __init__(self, service: str, texts: tuple[str, ...], limits: tuple[int, ...]) -> None:
        self._service = service
        self._texts = texts
        self._limits = limits

    def bytes_of(self, message: dict[str, Any]) -> int:
        """What a message counts for: its texts and its attributes."""
        texts = sum(length(message.get(name)) for name in self._texts)
        return texts + size(message.get("MessageAttributes") or {})

    def stamp(self, message: dict[str, Any], sent: Sent) -> None:
        """Put the fields on ``message``, the parameters of a call."""
        space = room(self.bytes_of(message), self._limits)
        attributes = stamped(message.get("MessageAttributes", {}), sent, space)
        if attributes is not None:
            message["MessageAttributes"] = attributes

    def stamp_batch(
        self, entries: Any, operation: str, target: str, correlation: Correlation
    ) -> tuple[Any, list[Sent]]:
        """``entries`` as they go out, those that get the fields in copies, and what they are."""
        if not isinstance(entries, list | tuple):
            return entries, []  # botocore says what is wrong with them
        left = room(sum(self.bytes_of(entry) for entry in entries), self._limits)
        stamped_entries, all_sent = [], []
        for entry in entries:
            sent = new_sent(self._service, operation, target, correlation)
            sent.position = {"entry": str(entry["Id"])}
            all_sent.append(sent)
            own = entry.get("MessageAttributes", {})
            attributes = stamped(own, sent, left)
            if attributes is None:
                stamped_entries.append(entry)
            else:
                left -= size(attributes) - size(own)
                stamped_entries.append({**entry, "MessageAttributes": attributes})
        return stamped_entries, all_sent


def batch_answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
    """Note each entry's message id, or why it failed."""
    by_entry = {one.position["entry"]: one for one in sent}
    for success in parsed.get("Successful", ()):
        answered(by_entry[success["Id"]], message_position(success))
    for failure in parsed.get("Failed", ()):
        refused(by_entry[failure["Id"]], f"{failure.get('Code')}: {failure.get('Message')}")


def message_position(parsed: dict[str, Any]) -> dict[str, str]:
    """The message id, and on a FIFO topic or queue the sequence number."""
    position = {"messageId": parsed.get("MessageId", "")}
    if parsed.get("SequenceNumber"):
        position["sequenceNumber"] = parsed["SequenceNumber"]
    return position
