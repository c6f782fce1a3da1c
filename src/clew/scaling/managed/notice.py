"""Tells the team what was done: a topic, and a web hook. What goes wrong here stops nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from clew.correlation import NONE, use
from clew.log.logger import get_logger

if TYPE_CHECKING:
    from clew.scaling.managed.audit import Audit
    from clew.scaling.managed.settings import ManagedStream
    from clew.scaling.managed.tools import Tools

_log = get_logger("clew.scaling")
_TIMEOUT_S = 3.0
_SUBJECT = 100  # Publish: fewer than 100 characters, printable ASCII
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def tell(tools: Tools, settings: ManagedStream, audit: Audit) -> None:
    """Tell of an action wherever the stream's settings say. Never raises."""
    if settings.notify_topic:
        _publish(tools, settings.notify_topic, audit)
    if settings.notify_webhook:
        _post(settings.notify_webhook, audit)


def _publish(tools: Tools, topic: str, audit: Audit) -> None:
    line = "".join(one if " " <= one <= "~" else "?" for one in f"clew: {audit.headline()}")
    try:
        tools.sns.publish(TopicArn=topic, Subject=line[: _SUBJECT - 1], Message=audit.text())
    except Exception as error:  # noqa: BLE001 - what was done stays done
        _log.warning("a topic could not be told", extra={"topic": topic, "error": str(error)})


def _post(url: str, audit: Audit) -> None:
    """As Slack's incoming web hooks take it; others read ``text`` just as well."""
    from urllib.request import Request, urlopen

    if not may_post(url):
        _log.warning("a web hook has to be https, and was told nothing")
        return
    text = f"```\n{audit.text()}\n```"
    body = json.dumps({"text": text}).encode()
    request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - checked above
    try:
        # Without a correlation nothing is put on the request, nor its URL into the log: whoever
        # has the URL may post.
        with use(NONE), urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            answer.read(1024)
    except Exception as error:  # noqa: BLE001 - what was done stays done
        _log.warning("a web hook could not be told", extra={"error": type(error).__name__})


def may_post(url: str) -> bool:
    """Whether a web hook is one: over https, or on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
