"""The record of running clouds: what ``down``, ``status`` and ``logs`` find them by."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from clew.localcloud.emulator import ProcessIdentity, end_process
from clew.localcloud.errors import LocalCloudError


@dataclass(frozen=True, slots=True)
class CloudRecord:
    """What is known of one running cloud without asking it."""

    name: str
    port: int
    region: str
    pid: int
    created: float  # seconds since the epoch
    run_dir: str
    template: str | None = None
    stacks: tuple[str, ...] = ()

    @property
    def identity(self) -> ProcessIdentity:
        """The process that keeps the cloud."""
        return ProcessIdentity(self.pid, self.created)

    @property
    def log_path(self) -> Path:
        """The emulator's log."""
        return Path(self.run_dir) / "emulator.log"


def state_dir() -> Path:
    """Where the records are: ``$CLEW_STATE_DIR``, else clew's folder in the user's state home."""
    if own := os.environ.get("CLEW_STATE_DIR"):
        return Path(own)
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "clew" / "clouds"


def register(record: CloudRecord) -> CloudRecord:
    """Write the record, under the next free name if its own is taken by a cloud that runs."""
    folder = state_dir()
    folder.mkdir(parents=True, exist_ok=True)
    running_clouds()  # forgets those that have ended
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", record.name).strip("-.") or "local"
    for number in range(1, 1000):
        name = stem if number == 1 else f"{stem}-{number}"
        named = CloudRecord(**{**asdict(record), "name": name})
        try:
            # "x" fails if it exists: two clouds that start at once cannot take the same name.
            with (folder / f"{name}.json").open("x", encoding="utf-8") as file:
                json.dump(asdict(named), file)
        except FileExistsError:
            continue
        return named
    raise LocalCloudError(f"A thousand clouds are called {stem}; end some with: clew local down.")


def update(record: CloudRecord) -> None:
    """Write a record again."""
    handle, name = tempfile.mkstemp(dir=state_dir(), suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(record), file)
    Path(name).replace(state_dir() / f"{record.name}.json")


def forget(name: str) -> None:
    """Remove a record, if it is there."""
    (state_dir() / f"{name}.json").unlink(missing_ok=True)


def is_registered(name: str) -> bool:
    """Whether there is a record of that name."""
    return (state_dir() / f"{name}.json").exists()


def running_clouds() -> list[CloudRecord]:
    """The clouds that run, by name. Records of others are removed on the way."""
    clouds = []
    for path in state_dir().glob("*.json"):
        record = None
        with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
            fields = json.loads(path.read_text(encoding="utf-8"))
            record = CloudRecord(**{**fields, "stacks": tuple(fields["stacks"])})
        if record is not None and record.identity.process() is not None:
            clouds.append(record)
        else:
            path.unlink(missing_ok=True)
    return sorted(clouds, key=lambda record: record.name)


def find_cloud(name: str | None = None) -> CloudRecord:
    """The running cloud of that name, or the only one.

    Raises:
        LocalCloudError: There is none, or several and no name to choose by.
    """
    clouds = running_clouds()
    if name is not None:
        for record in clouds:
            if record.name == name:
                return record
    names = ", ".join(record.name for record in clouds)
    if not clouds:
        raise LocalCloudError("No local cloud is running; start one with: clew local up TEMPLATE.")
    if name is not None:
        raise LocalCloudError(f"No local cloud is called {name}; running: {names}.")
    if len(clouds) > 1:
        raise LocalCloudError(
            f"Several local clouds are running ({names}); name one of them: with --name NAME, "
            "or clew local down NAME, or clew worker run --local NAME."
        )
    return clouds[0]


def end_cloud(name: str | None = None) -> CloudRecord:
    """End the running cloud of that name, or the only one, and everything under it.

    Raises:
        LocalCloudError: There is none, several and no name, or its processes do not end.
    """
    record = find_cloud(name)
    # Before, not after: whoever waits for it tells by this that it was meant to end.
    forget(record.name)
    end_process(record.identity)
    return record
