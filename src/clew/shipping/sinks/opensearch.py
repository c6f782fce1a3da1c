"""OpenSearch: its bulk API (OpenSearch documentation, "Bulk"), through opensearch-py.

An event's id is its document's, so that what comes twice is there once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.shipping.answers import (
    AGAIN,
    MISCONFIGURED,
    BusyError,
    Outcome,
    RefusedError,
    TooLargeError,
    UnusableError,
    said,
)
from clew.shipping.documents import document, to_json
from clew.shipping.errors import ShippingError

if TYPE_CHECKING:
    from clew.shipping.batches import Parcel
    from clew.shipping.lines import Line
    from clew.shipping.settings import Address

#: The index of a day, unless the address names another: ``logs-2026.01.31``.
INDEX = "logs"


class OpenSearchSink:
    """An OpenSearch, or a domain of Amazon OpenSearch Service."""

    max_lines = 2_000
    max_bytes = 5 << 20  # the smallest instances of the service take requests of 10 MiB

    def __init__(self, client: Any, name: str, index: str) -> None:
        self._client = client
        self._index = index
        self.name = name

    def pack(self, line: Line) -> bytes:
        """An action and its document, a line each."""
        found = document(line)
        if line.members is not None and not line.kind:
            found["fields"] = dict(line.members)
        day = found["timestamp"][:10].replace("-", ".")
        # "create" refuses what is there already, and so never writes over a line.
        action: dict[str, Any] = {"_index": f"{self._index}-{day}"}
        if line.event_id:
            action["_id"] = line.event_id[:512]
        return (
            to_json({"create": action})
            + b"\n"
            + to_json({"@timestamp": found["timestamp"], **found})
            + b"\n"
        )

    def send(self, parcels: list[Parcel], timeout_s: float) -> Outcome:
        """Send one request."""
        from opensearchpy.exceptions import (
            ConnectionError as NoConnectionError,
        )
        from opensearchpy.exceptions import OpenSearchException, SSLError, TransportError

        body = b"".join(parcel.data for parcel in parcels)
        try:
            answer = self._client.bulk(body=body, params={"request_timeout": timeout_s})
        except SSLError:
            raise UnusableError(f"{self.name} is not trusted: SSLError.") from None
        except NoConnectionError as error:
            raise BusyError(f"{self.name} did not answer: {type(error).__name__}") from None
        except TransportError as error:
            raise _failure(error, self.name) from None
        except OpenSearchException as error:
            raise BusyError(f"{self.name} did not answer: {type(error).__name__}") from None
        return read_answer(answer, len(parcels))

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def _failure(error: Any, name: str) -> ShippingError:
    status = error.status_code if isinstance(error.status_code, int) else 0
    what = f"{name} answered {status}{said(str(error.error))}"
    if status == 413:
        return TooLargeError(what)
    if status in MISCONFIGURED:
        return UnusableError(f"{what}; look at CLEW_SHIP_TO and its secret.")
    if status in AGAIN or status >= 500 or not status:
        return BusyError(what)
    return RefusedError(what)


def read_answer(answer: Any, count: int) -> Outcome:
    """What became of each of ``count`` documents."""
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list) or len(items) != count:
        return Outcome(tuple(range(count)), why="OpenSearch did not say what became of each line")
    if not answer.get("errors"):
        return Outcome()
    again: list[int] = []
    refused: dict[int, str] = {}
    why = ""
    for place, item in enumerate(items):
        found = next(iter(item.values()), None) if isinstance(item, dict) else None
        status = found.get("status") if isinstance(found, dict) else None
        if isinstance(status, int) and (200 <= status < 300 or status == 409):
            continue  # 409: it is there already
        error = found.get("error") if isinstance(found, dict) else None
        reason = error.get("reason") if isinstance(error, dict) else error
        kind = error.get("type") if isinstance(error, dict) else ""
        text = f"OpenSearch answered {status}{said(f'{kind}: {reason}')}"
        if not isinstance(status, int) or status in AGAIN or status >= 500:
            again.append(place)
            why = why or text
        else:
            refused[place] = text
    return Outcome(tuple(again), refused, why)


def open_sink(address: Address) -> OpenSearchSink:
    """``opensearch+https://HOST/INDEX``; with ``?aws=es`` (or ``aoss``) requests are signed."""
    address.needs_http()
    try:
        from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth, Urllib3HttpConnection
    except ImportError:
        raise ShippingError(
            "OpenSearch needs opensearch-py, which is not installed; add it to the function's"
            " requirements.txt, or: pip install 'clew[stories]'."
        ) from None
    auth: Any = None
    if service := address.options.get("aws"):
        from botocore.session import Session

        session = Session()
        region = address.options.get("region") or session.get_config_variable("region")
        if service not in ("es", "aoss") or not region:
            raise ShippingError(
                f"{address.shown} has to say ?aws=es or ?aws=aoss, and a region where the"
                " environment has none."
            )
        auth = Urllib3AWSV4SignerAuth(session.get_credentials(), region, service)
    elif address.user:
        auth = (address.user, address.password or address.token)
    elif address.token:
        address = _with_header(address)
    client = OpenSearch(
        hosts=[
            {
                "host": address.host,
                "port": address.port or (443 if address.scheme == "https" else 80),
                "use_ssl": address.scheme == "https",
            }
        ],
        http_auth=auth,
        http_compress=True,
        headers=dict(address.headers),
        connection_class=Urllib3HttpConnection,
        max_retries=0,
        verify_certs=True,
    )
    index = address.path.strip("/") or INDEX
    return OpenSearchSink(client, address.shown, index.lower())


def _with_header(address: Address) -> Address:
    from dataclasses import replace

    return replace(address, headers={"authorization": f"Bearer {address.token}", **address.headers})
