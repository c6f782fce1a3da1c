"""What is wrong in a ``streams.yml``, in words: each fault a sentence with its line. Pure."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import ValidationError

    from clew.scaling.managed.config_yaml import Document

#: Where the models' own sections come from, by what a path goes through to get there.
_MANY = {"streams", "environments"}
_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text",
    "dict_type": "a section with keys of its own",
    "model_type": "a section with keys of its own",
    "model_attributes_type": "a section with keys of its own",
    "list_type": "a list",
    "tuple_type": "a list",
}
_PATTERNS = {
    "topic": "the ARN of an SNS topic",
    "webhook": "a URL that begins with https://",
    "region": "a region like eu-west-1",
}


def meant(word: object, known: Iterable[str]) -> str:
    """``; did you mean X?``, or what there is."""
    names = sorted(known)
    near = get_close_matches(str(word), names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there is {', '.join(names)}." if names else "."


def nearest_zone(name: object) -> str:
    """``; did you mean Europe/London?``, or nothing."""
    from zoneinfo import available_timezones

    zones = available_timezones()
    by_city = {zone.rpartition("/")[2].lower(): zone for zone in zones}
    city = str(name).rpartition("/")[2].lower().replace(" ", "_")
    if city in by_city:
        return f"; did you mean {by_city[city]}"
    near = get_close_matches(str(name), zones, n=1, cutoff=0.7)
    return f"; did you mean {near[0]}" if near else ", such as Europe/London"


def faults(
    document: Document, error: ValidationError, name: str, keys: Mapping[str, frozenset[str]]
) -> list[str]:
    """Every fault that the models found, in the order of the file. ``keys`` by section's name."""
    said = []
    for one in error.errors(include_url=False):
        path = tuple(part for part in one["loc"] if part != "[key]")
        line = document.line(path)
        said.append((line, f"{name}:{line}: {visible(_sentence(path, one, keys))}"))
    return [sentence for _, sentence in sorted(said)]


def _sentence(
    path: tuple[str | int, ...], one: Mapping[str, Any], keys: Mapping[str, frozenset[str]]
) -> str:
    where, given, context = _where(path), _shown(one.get("input")), one.get("ctx", {})
    kind = one["type"]
    if kind in _KINDS:
        return f"{where} is {given}, and has to be {_KINDS[kind]}."
    match kind:
        case "extra_forbidden":
            said = f"{where} is not known here{meant(path[-1], keys[_section(path[:-1])])}"
        case "missing":
            said = f"{where} is missing"
        case "literal_error":
            choices = str(context["expected"]).replace("'", "")
            said = f"{where} is {given}, and may be {choices}"
        case "greater_than" | "greater_than_equal":
            at = "more than" if kind == "greater_than" else "at least"
            least = context.get("gt", context.get("ge"))
            said = f"{where} is {given}, and has to be {at} {least:g}"
        case "less_than" | "less_than_equal":
            most = context.get("lt", context.get("le"))
            said = f"{where} is {given}, and may be {most:,g} at most"
        case "string_pattern_mismatch":
            if path[-1] == "webhook":  # whoever has it may post
                given = "set to something"
            said = f"{where} is {given}, which is not {_PATTERNS.get(str(path[-1]), 'right here')}"
        case _:
            said = f"{where}: {one['msg']}"
    return _ended(said)


def _where(path: tuple[str | int, ...]) -> str:
    """``scale_up.over of orders``, as a reader calls it."""
    parts = list(path)
    of = []
    while len(parts) > 1 and parts[0] in _MANY:
        of.append(str(parts[1]))
        parts = parts[2:]
    inner = ""
    for part in parts:
        inner += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if inner else str(part)
    names = " in ".join(reversed(of))
    if not inner:
        return names or "the file"
    return f"{inner} of {names}" if names else inner


def _section(path: tuple[str | int, ...]) -> str:
    """The name of the model at a path."""
    name, parts = "file", [part for part in path if isinstance(part, str)]
    while parts:
        if parts[0] in _MANY:
            name = "environment" if parts[0] == "environments" else "stream"
            parts = parts[2:]
        else:
            name = "stream" if parts[0] == "defaults" else parts[0]
            parts = parts[1:]
    return name


def _shown(given: object) -> str:
    if given is None:
        return "empty"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, dict | list | tuple):
        return "a section" if isinstance(given, dict) else "a list"
    text = str(given)
    return repr(text if len(text) <= 60 else f"{text[:57]}...") if isinstance(given, str) else text


def _ended(sentence: str) -> str:
    return sentence if sentence[-1] in ".?" else f"{sentence}."
