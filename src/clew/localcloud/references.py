"""Finds what a template refers to and does not have.

CloudFormation refuses such a template ("Unresolved resource dependencies"); the emulator deploys
it, with the name standing where the value should, and the mistake shows much later.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# ${Name}, ${Name.Attribute}; not the escaped ${!Literal}.
_PLACEHOLDER = re.compile(r"\$\{\s*([^!}\s][^}]*?)\s*\}")


def unresolved_references(template: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is referred to and is neither a resource nor a parameter.

    Args:
        template: A CloudFormation template, SAM already translated.

    Returns:
        Pairs of where (a logical id, or the name of an output) and the name that is missing, in
        the order of the template, each once.
    """
    known = {*template.get("Resources", {}), *template.get("Parameters", {})}
    found = [
        (where, name)
        for section in ("Resources", "Outputs")
        for where, body in template.get(section, {}).items()
        for name in names_in(body)
        if name not in known and not name.startswith("AWS::")
    ]
    return list(dict.fromkeys(found))


def names_in(value: Any) -> Iterator[str]:
    """Every resource, parameter or pseudo parameter that a part of a template refers to."""
    if isinstance(value, list):
        for item in value:
            yield from names_in(item)
    elif isinstance(value, dict):
        if len(value) == 1:
            yield from _intrinsic_names(value)
        for key, item in value.items():
            if key == "DependsOn":
                yield from [item] if isinstance(item, str) else item
            else:
                yield from names_in(item)


def _intrinsic_names(value: dict[str, Any]) -> Iterator[str]:
    """What an intrinsic function itself names, not what it does in its arguments."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::GetAtt": str(text)}:
            yield text.partition(".")[0]
        case {"Fn::Sub": str(text)}:
            yield from _placeholders(text)
        case {"Fn::Sub": [str(text), dict(variables)]}:
            yield from (name for name in _placeholders(text) if name not in variables)


def _placeholders(text: str) -> Iterator[str]:
    for found in _PLACEHOLDER.finditer(text):
        yield found[1].partition(".")[0]
