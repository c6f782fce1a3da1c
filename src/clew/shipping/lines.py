"""Log lines on their way from a log group to a sink, as values. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What Lambda calls the log group of a function, unless told otherwise.
OF_LAMBDA = "/aws/lambda/"

#: ``2026/01/31/[$LATEST]0123…``, or with the function's name where its log group is another
#: (Lambda developer guide, "Configuring CloudWatch log groups").
_STREAM = re.compile(r"\d{4}/\d\d/\d\d/([\w-]*)\[([\w$-]{1,128})\][0-9a-f]{4,64}", re.ASCII)


@dataclass(frozen=True)
class Origin:
    """The log stream that lines come from, and who it belongs to."""

    log_group: str
    stream: str
    owner: str = ""  # the account
    filters: tuple[str, ...] = ()  # the subscription filters that sent them

    @cached_property
    def function(self) -> str:
        """The name of the Lambda function that writes it; "" where it is none's."""
        found = _STREAM.fullmatch(self.stream)
        if found and found[1]:
            return found[1]
        of_lambda = self.log_group.startswith(OF_LAMBDA)
        return self.log_group[len(OF_LAMBDA) :] if of_lambda else ""

    @cached_property
    def version(self) -> str:
        """Its version, ``$LATEST`` say; "" where the stream does not say."""
        found = _STREAM.fullmatch(self.stream)
        return found[2] if found else ""


class Line:
    """One log line; a stack that came in several events is one, with line breaks in it.

    A value: nobody changes one. Hundreds of thousands of them are made a second.
    """

    __slots__ = (
        "_members",
        "at_ms",
        "event_id",
        "events",
        "facts",
        "kind",
        "level",
        "message",
        "origin",
        "request_id",
    )

    def __init__(  # noqa: PLR0917 - a value's own
        self,
        at_ms: int,
        message: str,
        event_id: str,
        origin: Origin,
        kind: str,
        level: str,
        request_id: str,
        members: Mapping[str, Any] | None,
        facts: Mapping[str, Any],
        events: int = 1,
    ) -> None:
        self.at_ms = at_ms  # since the epoch
        self.message = message
        #: CloudWatch's name of the event, of the first one if it came in several.
        self.event_id = event_id
        self.origin = origin
        #: What Lambda itself says (``start``, ``report``, …); "" of a line of the function's own.
        self.kind = kind
        self.level = level
        self.request_id = request_id
        self._members = members
        #: What clew read out of it: durations, memory, ``problem``.
        self.facts = facts
        #: How many events it came in.
        self.events = events

    @property
    def members(self) -> Mapping[str, Any] | None:
        """Those of a line that is a JSON object; read when somebody asks."""
        if self._members is UNREAD:
            self._members = json_object(self.message)
        return self._members

    def __repr__(self) -> str:
        return f"Line({self.at_ms}, {self.message!r}, {self.event_id!r})"


def json_object(message: str) -> dict[str, Any] | None:
    """What a message holds that is a JSON object; None of any other."""
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):  # half a line, or nested beyond reason
        return None
    return found if type(found) is dict else None


#: Of lines about which there is no more to say.
NO_FACTS: Mapping[str, Any] = {}
#: Of lines that are JSON by all appearance, whose members nobody has asked for yet.
UNREAD: Mapping[str, Any] = {}
