"""Outbound: every call that leaves a function takes the correlation in force with it.

One module per carrier. `AWS_CARRIERS` lists the services that go through botocore, `HTTP_CARRIERS`
the HTTP clients; to add a carrier, write its module and name it there. ``CLEW_FORWARD`` switches
carriers off: ``CLEW_FORWARD=-kinesis,-requests``, or ``CLEW_FORWARD=off`` for all.
"""

from __future__ import annotations

from clew.forward.on_import import when_imported
from clew.forward.switches import is_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: botocore's name of a service -> (the carrier's name in CLEW_FORWARD, its module).
AWS_CARRIERS = {
    "kinesis": ("kinesis", "clew.forward.kinesis"),
    "lambda": ("lambda", "clew.forward.lambda_invoke"),
    "sns": ("sns", "clew.forward.sns"),
}
#: A client's module, after whose import its hook can be set -> (the carrier's name, its module).
HTTP_CARRIERS = {
    "httpx": ("httpx", "clew.forward.httpx"),
    "requests.sessions": ("requests", "clew.forward.requests"),
    "urllib3.connectionpool": ("urllib3", "clew.forward.urllib3"),
}

__all__ = ["AWS_CARRIERS", "HTTP_CARRIERS", "instrument", "uninstrument"]


def instrument(client_or_session: Any = None) -> None:
    """Forward the correlation in force through everything that this process sends.

    boto3 (by botocore's own event hooks), requests, httpx and urllib3 are hooked where they are
    imported already, else when they are. Clients that exist keep working and forward too. With
    ``client_or_session``, a boto3 or botocore client or session, only that one is hooked. May be
    called again. The handlers call it.

    Raises ``AttributeError`` where ``client_or_session`` is neither a client nor a session.
    """
    from importlib import import_module

    if client_or_session is not None:
        import_module("clew.forward.botocore").hook_one(client_or_session)
        return
    when_imported("botocore.session", "clew.forward.botocore")
    for module, (name, carrier) in HTTP_CARRIERS.items():
        if is_on(name):
            when_imported(module, carrier)


def uninstrument() -> None:
    """Take every hook out again, from clients and sessions that exist too."""
    from clew.forward.on_import import forget_all

    forget_all()
