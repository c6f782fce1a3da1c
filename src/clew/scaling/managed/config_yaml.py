"""YAML with the line of everything in it: what is wrong with a file is said where it stands. Pure.

Scalars are read as in YAML 1.2: in 1.1, which PyYAML follows, ``10:00`` is the number 600 and
``on`` is true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from clew.errors import ClewError

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str | int, ...]

_SHOWN = 20
_MAX_BYTES = 1_000_000
_MAX_NODES = 100_000  # aliases of aliases make much of little


class ConfigError(ClewError):
    """What is wrong with a file, where, and what to do next: a sentence and a line for each."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        shown = list(problems[:_SHOWN])
        if len(problems) > _SHOWN:
            shown.append(f"... and {len(problems) - _SHOWN} more.")
        super().__init__("\n".join(shown))


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and on which line each key and each item of a list begins."""

    data: Any
    lines: Mapping[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of a path, or of the nearest that is above it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """SafeLoader, with the scalars of YAML 1.2's core schema and no others."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way


def _whole(_: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    return int(node.value)


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )
_Loader.add_constructor("tag:yaml.org,2002:int", _whole)


def read_yaml(text: str, name: str) -> Document:
    """What ``text``, the content of the file ``name``, says.

    Raises:
        ConfigError: It is no YAML, has a key twice, or is far too large.
    """
    if len(text) > _MAX_BYTES:
        raise ConfigError(f"{name} is larger than 1 MB; split it up.")
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{name}:{line} is not YAML: a character that is no text.") from error
    try:
        node = loader.get_single_node()
        if node is None:
            return Document(None)
        reader = _Reader(loader, name)
        return Document(reader.value(node, ()), reader.lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        what = " ".join((error.problem or error.context or "it cannot be read").split())
        begins = text.splitlines()[line - 1 : line]
        if begins and begins[0].lstrip().startswith(("{env}", "*")):
            what = "a name that begins with { or * has to be in quotes"
        raise ConfigError(f"{name}:{line} is not YAML: {what}.") from error
    except RecursionError as error:
        raise ConfigError(f"{name} is nested too deeply; no stream needs that.") from error
    finally:
        loader.dispose()


class _Reader:
    def __init__(self, loader: _Loader, name: str) -> None:
        self._loader, self._name = loader, name
        self._nodes = 0
        self.lines: dict[Path, int] = {}

    def value(self, node: yaml.Node, path: Path) -> Any:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise ConfigError(f"{self._name} comes to more than {_MAX_NODES:,} values; split it.")
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, at)) for at, item in enumerate(node.value)]
        if node.tag == "tag:yaml.org,2002:merge":
            return node.value
        if not node.tag.startswith("tag:yaml.org,2002:"):
            raise ConfigError(
                f"{self._at(node)}: the tag {node.tag} means nothing here; remove it."
            )
        try:
            return self._loader.construct_object(node)
        except ValueError as error:  # thousands of digits
            raise ConfigError(f"{self._at(node)}: this number is far too long.") from error

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == "tag:yaml.org,2002:merge":
                merged |= self._merged(value_node, path)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError(f"{self._at(key_node)}: a key is one word here.")
            key = str(key_node.value)
            if key in first:
                raise ConfigError(
                    f"{self._at(key_node)}: {key} stands there twice, first on line {first[key]};"
                    " put both together."
                )
            first[key] = line
            self.lines[*path, key] = line
            found[key] = self.value(value_node, (*path, key))
        return merged | found

    def _merged(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        """What ``<<`` brings in: of several, the first that has a key counts."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found: dict[str, Any] = {}
        for one in nodes:
            if not isinstance(one, yaml.MappingNode):
                raise ConfigError(f"{self._at(node)}: << takes what has keys of its own.")
            found = self._mapping(one, path) | found
        return found

    def _at(self, node: yaml.Node) -> str:
        return f"{self._name}:{node.start_mark.line + 1}"
