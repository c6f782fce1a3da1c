"""``streams.yml``: read, checked and resolved to the settings of each stream. Pure but for reading.

From the outside in: the defaults of :class:`ManagedStream`, those of the file, those of the
environment, the stream's own, and what the environment says of the stream.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clew.scaling.managed.config_words import faults, meant
from clew.scaling.managed.config_yaml import ConfigError, Document, read_yaml
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.scaling.managed.config_model import StreamsFile

__all__ = ["Config", "ConfigError", "Entry", "parse_config", "read_config"]

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_ENV = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,39}")  # it becomes a part of a stack's name
_PLACE = "{env}"
_BY_NAME = ("streams", "environments")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the file says of a name or a pattern in one environment, all levels put together."""

    name: str  # with {env} filled in
    said: dict[str, Any]
    #: Where each of it was said last: a path of the document.
    paths: dict[tuple[str, ...], tuple[str | int, ...]]
    line: int

    @property
    def is_pattern(self) -> bool:
        """Whether it adopts streams and creates none."""
        return any(mark in self.name for mark in "*?[")


@dataclass(frozen=True, slots=True)
class Config:
    """A file that has the right shape."""

    file: str
    document: Document
    model: StreamsFile

    @property
    def environments(self) -> tuple[str, ...]:
        """Those that it names, in its order."""
        return tuple(self.model.environments or ())

    def environment(self, name: str | None) -> str:
        """The environment meant by ``name``; empty if there are none and none is meant.

        Raises:
            ConfigError: It is not in the file, or has to be named.
        """
        known = self.environments
        if not name:  # an empty CLEW_ENV is none, either
            if len(known) == 1:
                return known[0]
            if known or self._has_places:
                which = f": {', '.join(known)}" if known else ""
                raise ConfigError(f"{self.file} has environments{which}; name one with --env.")
            return ""
        if known and name not in known:
            line = self.document.line(("environments",))
            raise ConfigError(
                f"{self.file}:{line}: there is no environment {visible(name)}{meant(name, known)}"
            )
        if not known and not self._has_places:
            raise ConfigError(
                f"{self.file} has no environments, so there is no {visible(name)}; leave --env out,"
                " or write {env} into the names of streams."
            )
        if not _ENV.fullmatch(name):
            raise ConfigError(f"{visible(name)!r} cannot be an environment: letters, digits and -.")
        return name

    @property
    def _has_places(self) -> bool:
        return any(_PLACE in name for name in self.model.streams)

    def region(self, env: str) -> str | None:
        """Where that environment is, if the file says so."""
        found = (self.model.environments or {}).get(env)
        return found.region if found else None

    def entries(self, env: str) -> list[Entry]:
        """What it says of each name and pattern in an environment.

        Raises:
            ConfigError: A name cannot be one of a stream, two come to the same, or an environment
                speaks of a stream that the file does not have.
        """
        data: dict[str, Any] = self.document.data
        own = (data.get("environments") or {}).get(env) or {}
        for name in own.get("streams") or {}:
            if name not in self.model.streams:
                raise ConfigError(
                    f"{self._at('environments', env, 'streams', name)}: {visible(name)} is not"
                    f" among the streams of the file{meant(name, self.model.streams)}"
                )
        found: dict[str, Entry] = {}
        for key in self.model.streams:
            name = key.replace(_PLACE, env)
            self._check_name(key, name)
            if name in found:
                raise ConfigError(
                    f"{self._at('streams', key)}: {visible(key)} is {name} in {env or 'the file'},"
                    f" which stands on line {found[name].line} already; remove one of them."
                )
            levels: list[tuple[str | int, ...]] = [
                ("defaults",), ("environments", env, "defaults"), ("streams", key),
                ("environments", env, "streams", key),
            ]  # fmt: skip
            said: dict[str, Any] = {}
            paths: dict[tuple[str, ...], tuple[str | int, ...]] = {}
            for level in levels:
                _over(said, paths, _get(data, level), level)
            found[name] = Entry(name, said, paths, self.document.line(("streams", key)))
        return list(found.values())

    def _check_name(self, key: str, name: str) -> None:
        plain = re.sub(r"[*?]|\[[A-Za-z0-9_.!-]+\]", "", name)
        if not name or (plain and not _NAME.fullmatch(plain)):
            raise ConfigError(
                f"{self._at('streams', key)}: {visible(key) or 'nothing'} cannot be a stream's"
                " name; that has letters, digits and _.- (and {env} or * here)."
            )

    def _at(self, *path: str) -> str:
        return f"{self.file}:{self.document.line(path)}"

    def where(self, entry: Entry, *keys: str) -> str:
        """``streams.yml:12``: where something of an entry was said last."""
        path = entry.paths.get(keys) or entry.paths.get(keys[:1])
        line = self.document.line(path) if path else entry.line
        return f"{self.file}:{line}"


def read_config(path: Path | str) -> Config:
    """Read and check a file.

    Raises:
        ConfigError: It cannot be read, is no YAML, or has not the right shape.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"There is no {path}; make one of the streams that there are with: clew streams init."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"{path} cannot be read: {said}.") from error
    return parse_config(text, str(path))


def parse_config(text: str, name: str = "streams.yml") -> Config:
    """Check what a file says; ``name`` is for the messages.

    Raises:
        ConfigError: As :func:`read_config`.
    """
    from pydantic import ValidationError

    from clew.scaling.managed.config_model import StreamsFile, keys_by_section

    document = read_yaml(text, name)
    if document.data is None:
        raise ConfigError(f"{name} is empty; see clew streams init.")
    if not isinstance(document.data, dict):
        raise ConfigError(f"{name}:1: a streams.yml has the keys version and streams.")
    if empty := [f"{name}:{line}: {visible(_last(path))} is empty; give it a value, or remove it."
                 for path, line in _empty(document)]:  # fmt: skip
        raise ConfigError(*empty)
    try:
        model = StreamsFile.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError(*faults(document, error, name, keys_by_section())) from error
    return Config(name, document, model)


def _empty(document: Document) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """What stands there without a value, but where a name alone says enough."""
    for path, line in document.lines.items():
        value: Any = document.data
        for part in path:
            value = value[part]
        named = path[:1] == ("defaults",) or (len(path) in (2, 4) and path[-2] in _BY_NAME)
        if value is None and path and not named:
            yield path, line


def _last(path: tuple[str | int, ...]) -> str:
    return str(path[-1]) if isinstance(path[-1], str) else f"{path[-2]}[{path[-1] + 1}]"


def _get(data: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data or {}


def _over(
    said: dict[str, Any],
    paths: dict[tuple[str, ...], tuple[str | int, ...]],
    more: dict[str, Any],
    level: tuple[str | int, ...],
    inside: tuple[str, ...] = (),
) -> None:
    """Put one level over what there is, section by section; a list replaces a list."""
    for key, value in more.items():
        here = (*inside, key)
        if isinstance(value, dict):
            _over(said.setdefault(key, {}), paths, value, level, here)
        elif value is not None:
            said[key] = value
        paths[here] = (*level, *here)
