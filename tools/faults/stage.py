"""A local cloud that things are broken in, and the lines that it logs."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

import clew
from faults.sets import RECORDED, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.localcloud import LocalCloud
    from faults.sets import Lines

SHOP = RECORDED / "templates" / "shop" / "template.yaml"
QUIET_S = 3.0
MOST_S = 60.0


class Stage:
    """The local cloud with what was deployed, and how to use it."""

    def __init__(self, cloud: LocalCloud, work: Path) -> None:
        self.cloud = cloud
        self.work = work
        self.started = datetime.now(UTC)
        self._stacks: dict[str, Any] = {}

    def stack(self, name: str, template: Path, **parameters: str) -> Any:
        """A stack, deployed when it is first asked for."""
        if name not in self._stacks:
            self._stacks[name] = self.cloud.deploy(template, name, parameters=parameters)
        return self._stacks[name]

    @property
    def shop(self) -> Any:
        """The shop."""
        return self.stack("shop", SHOP)

    def order(self, *plan: Any) -> str:
        """Send the edge a plan; the request's id."""
        answer = requests.post(self.shop.outputs["OrdersUrl"], json={"plan": plan}, timeout=30)
        return answer.headers.get("x-correlation-id", "") or self.last_id("shop-edge")

    def last_id(self, function: str) -> str:
        """The id of the last line of a function, where the answer did not say it."""
        self.settle(1.0)
        for line in reversed(self.lines()):
            if line["group"].endswith(f"/{function}"):
                try:
                    found = json.loads(line["message"])["x-correlation-id"]
                except (ValueError, KeyError, TypeError):
                    continue
                return str(found)
        raise LookupError(function)

    def lines(self) -> Lines:
        """What was logged since this recording began."""
        return [
            {
                "at": int(line.timestamp.timestamp() * 1000),
                "group": line.log_group,
                "stream": line.stream,
                "message": line.message,
            }
            for line in self.cloud.log_lines(since=self.started)
        ]

    def settle(self, quiet_s: float = QUIET_S) -> None:
        """Return when nothing was logged for so long."""
        known, since, end = -1, time.monotonic(), time.monotonic() + MOST_S
        while time.monotonic() - since < quiet_s and time.monotonic() < end:
            count = len(self.lines())
            if count != known:
                known, since = count, time.monotonic()
            time.sleep(0.25)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """The first true value of a condition."""
        end = time.monotonic() + MOST_S
        while not (value := condition()):
            if time.monotonic() > end:
                raise TimeoutError(what)
            time.sleep(0.25)
        return value

    def has(self, function: str, words: str, times: int = 1) -> Callable[[], bool]:
        """Whether a function has logged these words so often."""

        def look() -> bool:
            found = [
                line
                for line in self.lines()
                if line["group"].endswith(f"/{function}") and words in line["message"]
            ]
            return len(found) >= times

        return look

    def redrive(self, queue: str, request: str) -> None:
        """Send the dead letters of a request to where they came from, as a person does it."""
        queue = self.shop.resources[queue].rpartition("/")[2]
        command = [sys.executable, "-m", "clew", "dlq", "redrive", queue, "--to", "source"]
        done = subprocess.run(  # noqa: S603  (its own command)
            [*command, "--id", request, "--yes", "--local", self.cloud.name],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.work,
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    @contextmanager
    def without_subscription(self, topic: str) -> Iterator[None]:
        """While nobody has subscribed to a topic."""
        sns = self.cloud.own_client("sns")
        arn = self.shop.resources[topic]
        subscriptions = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        for one in subscriptions:
            sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
        try:
            yield
        finally:
            for one in subscriptions:
                sns.subscribe(TopicArn=arn, Protocol=one["Protocol"], Endpoint=one["Endpoint"])


def neutral(lines: Lines, stage: Stage) -> Lines:
    """Without what names this machine."""
    port = stage.cloud.endpoint_url.rpartition(":")[2]
    packages = str(Path(requests.__file__).parents[1])
    own = str(Path(clew.__file__).parents[1])
    standard = sysconfig.get_path("stdlib")
    text = json.dumps(lines)
    for path, instead in ((packages, "/var/task"), (own, "/var/task"), (standard, "/var/lang/lib")):
        text = text.replace(f"{path}/", f"{instead}/")
    text = text.replace(f"127.0.0.1:{port}", "127.0.0.1:4566")
    text = re.sub(
        r"/[\w./-]*/(?=(?:acts|shop|damaged|profiles|people|timelines|timeline|distribute"
        r"|publish|notify|api_[abc])\.py)",
        "/var/task/",
        text,
    )
    text = re.sub(r"/[\w./-]+/site-packages/ministack/", "/var/runtime/", text)
    text = re.sub(rf"{tempfile.gettempdir()}/[\w./-]+", "/var/task/run.py", text)
    for hint in (str(ROOT), socket.gethostname(), str(Path.home()), sys.prefix):
        if len(hint) > 5 and hint in text:
            raise ValueError(f"{hint} is still in the lines")
    return list(json.loads(text))
