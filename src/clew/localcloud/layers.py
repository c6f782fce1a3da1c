"""Finds the layers of other accounts, which the emulator attaches without what is in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ACCOUNT = "000000000000"
_LAYER = re.compile(r"arn:[^:]+:lambda:.+?:(?P<account>\d{12}):layer:.+")


def foreign_layers(template: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each function and layer of another account, the file's name to go before it.

    Args:
        template: A CloudFormation template, SAM already translated.
    """
    for logical_id, resource in template.get("Resources", {}).items():
        if resource.get("Type") != "AWS::Lambda::Function":
            continue
        layers = resource.get("Properties", {}).get("Layers")
        for layer in layers if isinstance(layers, list) else ():
            arn = _text(layer)
            found = _LAYER.fullmatch(arn)
            if found and found["account"] != _ACCOUNT:
                yield (
                    f"the layer {arn} of {logical_id} is empty here; list what it holds in the "
                    "function's requirements, or install it in this environment."
                )


def _text(layer: Any) -> str:
    match layer:
        case str(arn) | {"Fn::Sub": str(arn) | [str(arn), *_]}:
            return arn
    return ""
