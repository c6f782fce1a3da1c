"""The user's own boto3, imported when it is first needed; its clients, made once."""

from __future__ import annotations

from _thread import allocate_lock

from clew.errors import ClewError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: A call that hangs may not take the time that the report of a batch needs.
CONNECT_S, READ_S, ATTEMPTS = 1.0, 3.0, 3

_clients: dict[tuple[str, str], Any] = {}
_making = allocate_lock()


def client(service: str, region: str = "") -> Any:
    """A client of ``service`` in ``region``, or in the function's own. Raises `ClewError`."""
    key = (service, region)
    found = _clients.get(key)
    if found is None:
        with _making:  # boto3's sessions are not made for several threads
            found = _clients.get(key)
            if found is None:
                found = _clients[key] = _make(service, region)
    return found


def _make(service: str, region: str) -> Any:
    try:
        from boto3.session import Session
        from botocore.config import Config
    except ImportError:
        raise ClewError(_missing(service)) from None
    config = Config(
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        max_pool_connections=32,
    )
    where = {"region_name": region} if region else {}
    make: Any = Session().client  # the stubs know services by literal names only
    return make(service, config=config, **where)


def check_boto3(what: str) -> None:
    """Raises `ClewError` where ``what`` needs boto3 and there is none; boto3 is not imported."""
    import sys
    from importlib.util import find_spec

    if "boto3" not in sys.modules and find_spec("boto3") is None:
        raise ClewError(_missing(what))


def forget() -> None:
    """Make new clients from here on: after a fork, or where the credentials are others now."""
    with _making:
        _clients.clear()


def _missing(what: str) -> str:
    return f"{what} needs boto3, which is not installed: pip install boto3 (Lambda has it)."
