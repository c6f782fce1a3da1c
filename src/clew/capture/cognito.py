"""Cognito user pool triggers: the metadata that the application's own call sent along.

``ClientMetadata`` of the call comes as ``clientMetadata``, and in the triggers before sign-up and
before authentication as ``validationData`` (Cognito developer guide, "Customizing user pool
workflows with Lambda triggers").
"""

from __future__ import annotations

from clew.capture.reading import Reading
from clew.capture.record import members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "aws:cognito-idp"


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is a user pool's."""
    return "triggerSource" in event and "userPoolId" in event


def read(event: dict[str, Any]) -> Reading:
    """The handler gets the very event, since it has to give it back."""
    request = members(event.get("request"))
    pairs = [
        *members(request.get("validationData")).items(),
        *members(request.get("clientMetadata")).items(),
    ]
    return Reading(NAME, event, pairs=pairs)
