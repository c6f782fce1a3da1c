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
    """As Slack's incoming web hooks take it; others read ``text`` just as well.

    In a thread of its own: a server that answers a byte now and then would hold up whoever waits.
    """
    from threading import Thread

    if not may_post(url):
        _log.warning("a web hook has to be https, and was told nothing")
        return
    text = f"```\n{audit.text()}\n```"
    wrong = ["it did not answer in time"]
    thread = Thread(target=_send, args=(url, json.dumps({"text": text}).encode(), wrong))
    thread.daemon = True
    thread.start()
    thread.join(_TIMEOUT_S)
    if wrong[0]:
        _log.warning("a web hook could not be told", extra={"error": wrong[0]})


def _send(url: str, body: bytes, wrong: list[str]) -> None:
    from urllib.error import HTTPError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class NoRedirect(HTTPRedirectHandler):
        """Whoever is elsewhere was not named, and would be asked without the message."""

        def redirect_request(self, *_: object) -> None:
            return None

    headers = {"Content-Type": "application/json"}
    request = Request(url, body, headers)  # noqa: S310 - checked by who calls
    try:
        # Without a correlation nothing is put on the request, nor its URL into the log: whoever
        # has the URL may post.
        with use(NONE), build_opener(NoRedirect).open(request, timeout=_TIMEOUT_S) as answer:
            answer.read(1024)
    except HTTPError as error:
        wrong[0] = f"it answered {error.code}"
    except Exception as error:  # noqa: BLE001 - what was done stays done
        wrong[0] = type(error).__name__
    else:
        wrong[0] = ""


def may_post(url: str) -> bool:
    """Whether a web hook is one: over https, or on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
