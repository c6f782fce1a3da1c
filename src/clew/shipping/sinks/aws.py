"""What the sinks that are AWS services have in common: clients, and what their errors mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.shipping.answers import (
    BusyError,
    RefusedError,
    TooLargeError,
    UnusableError,
    said,
)

if TYPE_CHECKING:
    from clew.shipping.errors import ShippingError

_REFUSED = frozenset(
    {"InvalidArgumentException", "InvalidSourceException", "ValidationException", "InvalidRequest"}
)
_TOO_LARGE = frozenset({"EntityTooLarge", "RequestEntityTooLarge"})


def client(service: str, region: str) -> Any:
    """A client that tries once: `clew.shipping.deliver` knows how much time is left."""
    from boto3.session import Session
    from botocore.config import Config

    make: Any = Session().client  # the stubs know services by literal names only
    where = {"region_name": region} if region else {}
    config = Config(
        connect_timeout=3, read_timeout=20, retries={"total_max_attempts": 1, "mode": "standard"}
    )
    return make(service, config=config, **where)


def failure(error: Exception, name: str) -> ShippingError:
    """What an error of botocore's means for a request."""
    from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError

    if isinstance(error, NoCredentialsError | NoRegionError):
        return UnusableError(f"{name} cannot be used: {error}")
    if not isinstance(error, ClientError):
        return BusyError(f"{name} did not answer: {type(error).__name__}")
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    what = f"{name} answered {code}{said(str(error.response.get('Error', {}).get('Message', '')))}"
    if code in _TOO_LARGE or status == 413:
        return TooLargeError(what)
    if code in _REFUSED:
        return RefusedError(what)
    busy = "Throttl" in code or code in (
        "ServiceUnavailableException", "SlowDown", "LimitExceededException", "InternalFailure",
        "InternalError", "RequestTimeout", "ServiceUnavailable", "TooManyRequestsException",
    )  # fmt: skip
    if busy or status >= 500 or status == 429:
        return BusyError(what)
    return UnusableError(f"{what}; look at CLEW_SHIP_TO and the function's permissions.")
