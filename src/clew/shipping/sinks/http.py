"""Requests to sinks that speak HTTP. A thin shell around urllib3, which botocore brings."""

from __future__ import annotations

import gzip
import ssl
from base64 import b64encode
from typing import TYPE_CHECKING

import urllib3

from clew.shipping.answers import BusyError, UnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.shipping.settings import Address

#: An answer is read up to here; what a sink says of lines that it refused is short.
MAX_ANSWER = 4 << 20


class Poster:
    """Posts gzip to one address. Connections are kept."""

    def __init__(self, address: Address, path: str) -> None:
        self.name = address.shown
        self._url = f"{address.base}{path}"
        self._headers = {
            "user-agent": "clew",
            "content-encoding": "gzip",
            **authorization(address),
            **{name.lower(): value for name, value in address.headers.items()},
        }
        # Authorities of one's own: SSL_CERT_FILE, as OpenSSL has it.
        secure = ssl.create_default_context() if address.scheme == "https" else None
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=2, retries=False, ssl_context=secure)

    def post(
        self, body: bytes, content_type: str, timeout_s: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Post ``body``; status, headers and body of the answer.

        Raises:
            BusyError: There was no answer.
            UnusableError: The server is not the one that its certificate should name.
        """
        try:
            answer = self._pool.request(
                "POST",
                self._url,
                body=gzip.compress(body, 5, mtime=0),
                headers={**self._headers, "content-type": content_type},
                timeout=urllib3.Timeout(total=timeout_s),
                redirect=False,
                preload_content=False,
            )
            said = answer.read(MAX_ANSWER)
            if len(said) == MAX_ANSWER:
                answer.close()  # there is more, which nobody reads
            answer.release_conn()
        except urllib3.exceptions.SSLError as error:
            raise UnusableError(f"{self.name} is not trusted: {_kind(error)}.") from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise BusyError(f"{self.name} did not answer: {_kind(error)}") from None
        return answer.status, dict(answer.headers), said

    def close(self) -> None:
        """Let go of connections."""
        self._pool.clear()


def authorization(address: Address) -> dict[str, str]:
    """The header that says who asks: a bearer token, or user and password."""
    if address.user:
        # With a user and no password, the token is the password.
        pair = f"{address.user}:{address.password or address.token}".encode()
        return {"authorization": f"Basic {b64encode(pair).decode()}"}
    return {"authorization": f"Bearer {address.token}"} if address.token else {}


def _kind(error: Exception) -> str:
    """What kind of error, without the text: it may have the whole URL in it."""
    reason = error.__cause__ or error.__context__
    inner = f" ({type(reason).__name__})" if reason is not None else ""
    return f"{type(error).__name__}{inner}"
