"""Outbound: every call that leaves a function takes the correlation in force with it.

One module per carrier. `AWS_CARRIERS` lists the services that go through botocore, `HTTP_CARRIERS`
the HTTP clients; to add a carrier, write its module and name it there. ``CLEW_FORWARD`` switches
carriers off: ``CLEW_FORWARD=-kinesis,-requests``, or ``CLEW_FORWARD=off`` for all.
"""

from __future__ import annotations

from clew.forward.on_import import when_imported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: botocore's name of a service -> (the carrier's name in CLEW_FORWARD, its module).
AWS_CARRIERS = {
    "dynamodb": ("dynamodb", "clew.forward.dynamodb"),
    "eventbridge": ("eventbridge", "clew.forward.eventbridge"),
    "firehose": ("firehose", "clew.forward.firehose"),
    "kinesis": ("kinesis", "clew.forward.kinesis"),
    "lambda": ("lambda", "clew.forward.lambda_invoke"),
    "s3": ("s3", "clew.forward.s3"),
    "sfn": ("stepfunctions", "clew.forward.step_functions"),
    "sns": ("sns", "clew.forward.sns"),
    "sqs": ("sqs", "clew.forward.sqs"),
}
#: A client's module, after whose import its hook can be set -> (the carrier's name, its module).
HTTP_CARRIERS = {
    "aiohttp.client": ("aiohttp", "clew.forward.aiohttp"),
    "http.client": ("http.client", "clew.forward.http_client"),
    "httpx": ("httpx", "clew.forward.httpx"),
    "requests.sessions": ("requests", "clew.forward.requests"),
    "urllib3.connectionpool": ("urllib3", "clew.forward.urllib3"),
}
#: What the AWS carriers need: a module -> the module that hooks it.
_SDKS = {
    "aiobotocore.client": "clew.forward.botocore",
    "botocore.client": "clew.forward.botocore",
    "s3transfer.tasks": "clew.forward.s3transfer",
}
#: Libraries beside clew that it joins where they are used: a module -> the module that does.
_NEIGHBOURS = {
    "opentelemetry.trace": "clew.neighbours.opentelemetry",
    "opentelemetry.trace.propagation.tracecontext": "clew.neighbours.opentelemetry",
    "opentelemetry.sdk.trace.id_generator": "clew.neighbours.opentelemetry",
}

__all__ = ["AWS_CARRIERS", "HTTP_CARRIERS", "instrument", "uninstrument"]


def instrument(client_or_session: Any = None) -> None:
    """Forward the correlation in force through everything that this process sends.

    boto3 and aiobotocore (by botocore's own event hooks), requests, httpx, urllib3, aiohttp and
    ``http.client`` are hooked where they are imported already, else when they are. Clients that
    exist keep working and forward too. With ``client_or_session``, a boto3 or botocore client,
    resource or session, only that one is hooked (of a session, the clients made of it from then
    on). May be called again. The handlers call it.

    Raises ``AttributeError`` where ``client_or_session`` is none of these.
    """
    if client_or_session is not None:
        from importlib import import_module

        import_module("clew.forward.botocore").hook_one(client_or_session)
        return
    for module, hook_module in (*_SDKS.items(), *_NEIGHBOURS.items()):
        when_imported(module, hook_module)
    for module, (_, hook_module) in HTTP_CARRIERS.items():
        when_imported(module, hook_module)


def uninstrument() -> None:
    """Take every hook out again, from clients and sessions that exist too."""
    from clew.forward.on_import import forget_all

    forget_all()
