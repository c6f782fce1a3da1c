"""Log lines from OpenSearch, as clew ships them there, or as others do.

A document of clew's has the line itself in ``message`` and where it is from in ``logGroup``. Of
any other, what is in ``message`` (or ``log``, or ``@message``) is the line; if that is none, the
document is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from clew import wire
from clew.errors import ClewError
from clew.stories.lines import RawLine
from clew.stories.parse import time_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

#: The index that clew's sink writes to, one for each day.
INDEX = "logs-*"
#: OpenSearch returns 10,000 documents at most ("index.max_result_window"); a line may be long.
_PAGE = 1_000
_NEWEST = 10_000
_TIMEOUT_S = 30
_WHEN = "@timestamp"
_FIELDS = ("message", "log", "@message")
#: The ids of a line that is JSON, as the sink writes them beside it.
_IDS = (f"fields.{wire.PREFIX}*", f"{wire.PREFIX}*", "fields.requestId", "requestId")
_GROUPS = ("logGroup", "log_group", "@log_group", "@log")
_STREAMS = ("stream", "logStream", "@logStream", "log_stream")


class OpenSearchSource:
    """The documents of an index, or of all whose names match a pattern.

    Args:
        client: A client of opensearch-py.
        where: Its address, for messages; without what is secret in it.
        index: The name, or ``logs-*``.
        page: How many documents are asked for at once.
    """

    finds_beginnings = True

    def __init__(self, client: Any, where: str, index: str = INDEX, page: int = _PAGE) -> None:
        self._client = client
        self._where = where
        self._index = index
        self._page = page

    @property
    def name(self) -> str:
        """What was searched."""
        return f"the index {self._index} of {self._where}"

    @property
    def hint(self) -> str:
        """What to try where nothing was found."""
        return "look further back with --since, or into another --index"

    def lines(
        self, text: str | None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[RawLine]:
        """The lines with ``text`` in them; the beginning of an id is found as well.

        Raises:
            ClewError: OpenSearch did not answer, does not allow it, or has no such index.
        """
        yield from self._search(_any([] if text is None else [text]), since, until)

    def any_of(
        self, texts: Sequence[str], since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[RawLine]:
        """The lines with any of the texts in them, in whatever letter case."""
        yield from self._search(_any(texts), since, until)

    def newest(
        self, word: str, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[RawLine]:
        """The newest 10,000 lines with a word in them (``*`` at its end: that begin so)."""
        kind = "phrase_prefix" if word.endswith("*") else "phrase"
        plain = word.removesuffix("*")
        asked = [_match(plain, kind, _FIELDS), _match(plain, "phrase", _IDS)]
        yield from self._search(asked, since, until, most=_NEWEST)

    def _search(
        self,
        wanted: list[dict[str, Any]],
        since: datetime | None,
        until: datetime | None,
        most: int | None = None,
    ) -> Iterator[RawLine]:
        body = question(wanted, since, until, self._page, newest=most is not None)
        came = 0
        while True:
            answer = self._asked(body)
            hits = answer["hits"]["hits"]
            for hit in hits:
                yield line_of(hit)
            came += len(hits)
            if len(hits) < self._page or (most is not None and came >= most):
                return
            body = {**body, "search_after": hits[-1]["sort"]}

    def _asked(self, body: dict[str, Any]) -> dict[str, Any]:
        from opensearchpy.exceptions import OpenSearchException

        try:
            answer: dict[str, Any] = self._client.search(
                body=body, index=self._index, params={"request_timeout": _TIMEOUT_S}
            )
        except OpenSearchException as error:
            raise self._failure(error) from error
        shards = answer.get("_shards", {})
        if answer.get("timed_out") or shards.get("failed"):
            failed = shards.get("failed", 0)
            why = f"{failed} of its shards failed" if failed else "it ran out of time"
            raise ClewError(f"{self._where} did not answer in full: {why}; make --since shorter.")
        if not shards.get("total", 1):
            raise ClewError(
                f"{self._where} has no index whose name is {self._index}; name yours with --index."
            )
        return answer

    def _failure(self, error: Any) -> ClewError:
        status = error.status_code if isinstance(getattr(error, "status_code", 0), int) else 0
        what = " ".join(str(getattr(error, "error", "") or type(error).__name__).split())[:300]
        if status in (401, 403):
            return ClewError(
                f"{self._where} may not be read with these credentials ({status}): allow"
                f" indices:data/read/search on {self._index}."
            )
        if status == 404:
            return ClewError(
                f"{self._where} has no index whose name is {self._index}; name yours with --index."
            )
        if "Timeout" in type(error).__name__:
            return ClewError(
                f"{self._where} did not answer within {_TIMEOUT_S} seconds; make --since shorter."
            )
        if not status:
            return ClewError(f"{self._where} did not answer: {type(error).__name__}.")
        return ClewError(f"{self._where} could not be read: it answered {status} ({what}).")


def question(
    wanted: list[dict[str, Any]],
    since: datetime | None,
    until: datetime | None,
    page: int,
    *,
    newest: bool = False,
) -> dict[str, Any]:
    """The body of a search request (OpenSearch documentation, "Search API", "Query DSL")."""
    filters: list[dict[str, Any]] = []
    time: dict[str, Any] = {}
    if since is not None:
        time["gte"] = int(since.timestamp() * 1000)
    if until is not None:
        time["lte"] = int(until.timestamp() * 1000)
    if time:
        filters.append({"range": {_WHEN: {**time, "format": "epoch_millis"}}})
    if wanted:
        filters.append({"bool": {"should": wanted, "minimum_should_match": 1}})
    order = {"order": "desc" if newest else "asc"}
    return {
        "size": page,
        "query": {"bool": {"filter": filters}} if filters else {"match_all": {}},
        # The time alone is not of one document; the next page would leave out the others.
        "sort": [{_WHEN: {**order, "unmapped_type": "date"}}, {"_id": order}],
        "track_total_hits": False,
    }


def _any(texts: Sequence[str]) -> list[dict[str, Any]]:
    # The last word of a text may be the beginning of one, as of an id that is given in part.
    return [
        one
        for text in texts
        for one in (_match(text, "phrase_prefix", _FIELDS), _match(text, "phrase", _IDS))
    ]


def _match(text: str, kind: str, fields: tuple[str, ...]) -> dict[str, Any]:
    asked = {"query": text, "type": kind, "fields": list(fields), "lenient": True}
    return {"multi_match": asked}


def line_of(hit: dict[str, Any]) -> RawLine:
    """A document as a log line. Never raises, whatever it holds."""
    found = hit.get("_source")
    source: dict[str, Any] = found if isinstance(found, dict) else {}
    at = source.get("at")
    at_ms = at if type(at) is int else time_ms(source.get(_WHEN), _sorted_at(hit))
    message = _first(source, _FIELDS)
    # Of what others ship, a line of clew's is often taken apart into the document.
    if wire.ID in source or not message:
        message = json.dumps(source, ensure_ascii=False)
    group = _first(source, _GROUPS) or _named(source, hit)
    return RawLine(at_ms, group, _first(source, _STREAMS), message)


def _sorted_at(hit: dict[str, Any]) -> int:
    sort = hit.get("sort")
    return sort[0] if isinstance(sort, list) and sort and type(sort[0]) is int else 0


def _first(source: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((value for name in names if isinstance(value := source.get(name), str)), "")


def _named(source: dict[str, Any], hit: dict[str, Any]) -> str:
    function = source.get("function")
    return function if isinstance(function, str) else str(hit.get("_index", ""))


def open_source(url: str, index: str | None = None) -> OpenSearchSource:
    """The index behind an address: ``https://HOST``, with ``USER:PASSWORD@`` where it needs one.

    With ``?aws=es`` or ``?aws=aoss``, requests are signed with the credentials of AWS.

    Raises:
        ClewError: It is no address, or opensearch-py is not installed.
    """
    from urllib.parse import parse_qs, unquote, urlsplit

    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host:
        raise ClewError("--opensearch needs an address like https://search.example.com.")
    try:
        from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth, Urllib3HttpConnection
    except ImportError:
        raise ClewError(
            "OpenSearch needs opensearch-py, which is not installed; install it with: pip install"
            " 'clew[stories]'."
        ) from None
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    auth: Any = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    if service := options.get("aws"):
        from botocore.session import Session

        session = Session()
        region = options.get("region") or session.get_config_variable("region")
        credentials = session.get_credentials()
        if service not in ("es", "aoss") or not region or credentials is None:
            raise ClewError(
                "A signed --opensearch needs ?aws=es or ?aws=aoss, credentials of AWS, and a region"
                " (&region=...)."
            )
        auth = Urllib3AWSV4SignerAuth(credentials, region, service)
    secure = parts.scheme == "https"
    client = OpenSearch(
        hosts=[{"host": host, "port": port or (443 if secure else 80), "use_ssl": secure}],
        http_auth=auth,
        url_prefix=parts.path.strip("/"),
        http_compress=True,
        connection_class=Urllib3HttpConnection,
        max_retries=2,
        retry_on_timeout=False,
        verify_certs=True,
    )
    shown = f"{parts.scheme}://{host}{f':{port}' if port else ''}"
    return OpenSearchSource(client, shown, index or INDEX)
