"""Log lines on their way from a log group to a sink, as values. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

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


class Line(NamedTuple):
    """One log line; a stack that came in several events is one, with line breaks in it."""

    at_ms: int  # since the epoch
    message: str
    #: CloudWatch's name of the event, of the first one if it came in several.
    event_id: str
    origin: Origin
    #: What Lambda itself says (``start``, ``report``, …); "" of a line that the function wrote.
    kind: str
    level: str
    request_id: str
    #: Those of a line that is a JSON object.
    members: Mapping[str, Any] | None
    #: What clew read out of it: durations, memory, ``problem``.
    facts: Mapping[str, Any]
    #: How many events it came in.
    events: int = 1


#: Of lines about which there is no more to say.
NO_FACTS: Mapping[str, Any] = {}
