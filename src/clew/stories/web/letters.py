"""The pages of dead letters: queues, what is in one, one letter, and sending them again."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from clew.stories.web import words
from clew.stories.web.forms import own_form
from clew.stories.web.render import page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from clew.dlq.filters import Filter
    from clew.dlq.letter import Letter
    from clew.dlq.queue import Queue
    from clew.dlq.redrive import Result
    from clew.stories.web.site import Site

MAX_QUEUES, MAX_LETTERS, MAX_PAYLOADS, MAX_ROWS = 200, 5_000, 20, 200
_MAX_PAYLOAD = 400  # lines
_REHEARSED = 200
_WHERE = {
    "source": "where the records came from",
    "queue": "the queues that the records came from",
    "function": "the functions that failed",
}


@dataclass(frozen=True, slots=True)
class Counted:
    """A queue in the list."""

    name: str
    waiting: int
    hidden: int
    of: tuple[str, ...]  # queues whose dead letters it takes


def queues(request: Request) -> Response:
    """``/dead-letters``."""
    site: Site = request.app.state.site
    found = None if site.session is None else _queues(site)
    return page(request, "queues.html", queues=found)


def _queues(site: Site) -> list[Counted]:
    import json
    from concurrent.futures import ThreadPoolExecutor

    from botocore.exceptions import ClientError

    from clew.dlq.errors import told

    client = site.session.client("sqs")
    with told("The list of queues"):
        pages = client.get_paginator("list_queues").paginate(
            PaginationConfig={"MaxItems": MAX_QUEUES, "PageSize": 100}
        )
        urls = [url for one in pages for url in one.get("QueueUrls", ())]

        def attributes(url: str) -> dict[str, str]:
            try:
                answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            except ClientError:
                return {}  # deleted meanwhile, or not ours to look at
            return dict(answer.get("Attributes", {}))

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(attributes, urls))
    sources: dict[str, list[str]] = {}
    for one in found:
        try:
            target = json.loads(one.get("RedrivePolicy", "{}")).get("deadLetterTargetArn", "")
        except ValueError:
            continue
        sources.setdefault(target, []).append(_name(one))
    counted = [
        Counted(
            _name(one),
            int(one.get("ApproximateNumberOfMessages", 0)),
            int(one.get("ApproximateNumberOfMessagesNotVisible", 0)),
            tuple(sources.get(one.get("QueueArn", ""), ())),
        )
        for one in found
        if one
    ]
    return sorted(counted, key=lambda one: (not one.waiting, not one.of, one.name))


def _name(attributes: Mapping[str, str]) -> str:
    return attributes.get("QueueArn", "").rpartition(":")[2]


def queue(request: Request) -> Response:
    """``/dead-letters/QUEUE``: its letters."""
    from clew.dlq.look import look

    site = _site(request)
    found = _find(site, request)
    given = _given(request.query_params)
    seen = look(site.session, found, _filter(given), most=MAX_LETTERS)
    now_ms = int(time.time() * 1000)
    errors = Counter(letter.error_type or "(no error)" for letter in seen.letters)
    functions = Counter(letter.function or "(no function)" for letter in seen.letters)
    return page(
        request,
        "letters.html",
        queue=found.name,
        rows=[_row(letter, now_ms) for letter in seen.letters[:MAX_ROWS]],
        total=len(seen.letters),
        seen=seen.seen,
        unseen=seen.unseen,
        given=given,
        errors=errors.most_common(8),
        functions=functions.most_common(8),
    )


def letter(request: Request) -> Response:
    """``/dead-letters/QUEUE/ID``: one letter."""
    from clew.dlq import view
    from clew.dlq.look import find_one
    from clew.dlq.opened import open_letter

    site = _site(request)
    found = _find(site, request)
    opened = open_letter(site.session, find_one(site.session, found, request.path_params["letter"]))
    one = opened.letter
    payloads = []
    for payload in opened.payloads[:MAX_PAYLOADS]:
        text = list(view.payload_lines(payload.data))
        payloads.append(
            (payload.name, len(payload.data), text[:_MAX_PAYLOAD], len(text) > _MAX_PAYLOAD)
        )
    return page(
        request,
        "letter.html",
        queue=found.name,
        letter=one,
        facts=list(view._facts(one)),
        history=list(view._history(one)),
        stack=[line for each in one.stack for line in each.split("\n")][-60:],
        payloads=payloads,
        problem=opened.problem or one.problem,
        story=opened.correlation_id,
    )


async def redrive(request: Request) -> Response:
    """``/dead-letters/QUEUE/redrive``: first what would be done, then, asked again, it is done."""
    form = await own_form(request)
    site = _site(request)
    to = form.get("to", "")
    if to not in _WHERE:
        raise HTTPException(400, "Say where to: source, queue or function.")
    if form.get("sure") == "yes":
        return await run_in_threadpool(_do, request, site, form, to)
    return await run_in_threadpool(_ask, request, site, form, to)


def _ask(request: Request, site: Site, form: Mapping[str, str], to: str) -> Response:
    """Rehearse it. This reads what letters point at, too."""
    from clew.dlq.look import look
    from clew.dlq.parts import Where
    from clew.dlq.redrive import rehearse

    found = _find(site, request)
    given = _given(form)
    letters = look(site.session, found, _filter(given), most=MAX_LETTERS).letters
    targets: Counter[str] = Counter()
    problems = []
    for one in letters[:_REHEARSED]:
        target, problem = rehearse(site.session, one, Where(to))
        if problem:
            problems.append((one.id, problem))
        else:
            targets[target] += 1
    return page(
        request, "redrive.html", queue=found.name, to=to, where=_WHERE[to], given=given,
        total=len(letters), targets=targets.most_common(), problems=problems[:20],
        rehearsed=min(len(letters), _REHEARSED),
    )  # fmt: skip


def _do(request: Request, site: Site, form: Mapping[str, str], to: str) -> Response:
    from clew.dlq.journal import Journal, default_path
    from clew.dlq.parts import Where
    from clew.dlq.redrive import Redrive

    found = _find(site, request)
    with Journal(default_path()) as journal:
        result = Redrive(site.session, found, _filter(_given(form)), Where(to), journal).run()
    told = site.tell(*_told(result))
    return RedirectResponse(
        words.url(f"/dead-letters/{words.part(found.name)}", {"told": told}), 303
    )


def _told(result: Result) -> list[str]:
    from clew.dlq.view import count

    said = [f"Sent {count(number)} to {target}." for target, number in sorted(result.sent.items())]
    if result.sent_before:
        said.append(f"{count(result.sent_before)} had been sent before; deleted now.")
    if result.maybe_twice:
        said.append(f"{count(result.maybe_twice)} may have arrived twice: a run ended meanwhile.")
    said += [f"Not sent: {letter.id[:8]}, {why}" for letter, why in result.failed[:10]]
    if len(result.failed) > 10:
        said.append(f"And {len(result.failed) - 10:,} more were not sent.")
    return said or ["There was nothing to send."]


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    if site.session is None:
        raise HTTPException(404, "There are no dead letters here: name an account or a cloud.")
    return site


def _find(site: Site, request: Request) -> Queue:
    """The queue, if looking at it moves nothing. Only a name is taken, no address."""
    from clew.dlq.queue import find_queue

    name = request.path_params["queue"]
    if not name.removesuffix(".fifo").replace("-", "").replace("_", "").isalnum():
        raise HTTPException(404)
    found = find_queue(site.session, name)
    found.check_look(force=False)
    return found


def _given(found: Mapping[str, str]) -> dict[str, str]:
    return {name: found.get(name, "")[:256] for name in ("function", "error", "id", "search")}


def _filter(given: Mapping[str, Any]) -> Filter:
    from clew.dlq.filters import Filter

    return Filter(given["function"], given["error"], given["id"], given["search"])


def _row(letter: Letter, now_ms: int) -> dict[str, Any]:
    from clew.dlq.view import origin
    from clew.stories.naming import one_line

    said = letter.problem or letter.error
    if not said and letter.payload is not None:
        said = letter.payload[:300].decode("utf-8", "replace")
    return {
        "name": letter.message.id,
        "id": letter.id,
        "story": letter.correlation_id,
        "function": letter.function,
        "origin": origin(letter),
        "tries": letter.attempts,
        "lives": letter.lives,
        "age": words.ago(int(letter.at.timestamp() * 1000), now_ms) if letter.at else "",
        "said": one_line(said, 300),
    }
