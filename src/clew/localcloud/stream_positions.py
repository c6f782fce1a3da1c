"""Keeps a mapping from missing the first records of a new stream.

The emulator fixes what ``LATEST`` means at the first poll of a Kinesis mapping, which comes up to
a second after the stack is complete; a record put before that is never delivered. Where the
stream is created by the same template nothing can have been written earlier, so ``TRIM_HORIZON``
means the same and loses nothing.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAPPING = "AWS::Lambda::EventSourceMapping"
_STREAM = "AWS::Kinesis::Stream"


def read_own_streams_from_the_start(template: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a translated template in which such mappings start at ``TRIM_HORIZON``."""
    changed = deepcopy(dict(template))
    resources = changed.get("Resources", {})
    for resource in resources.values():
        properties = resource.get("Properties", {})
        if resource.get("Type") != _MAPPING or properties.get("StartingPosition") != "LATEST":
            continue
        match properties.get("EventSourceArn"):
            case {"Fn::GetAtt": [str(stream), "Arn"]}:
                if resources.get(stream, {}).get("Type") == _STREAM:
                    properties["StartingPosition"] = "TRIM_HORIZON"
    return changed
