"""What a function of the shop does: whatever the plan says that it was sent.

A plan is a list of steps, each a list of a verb and what it takes; whoever is sent something is
sent a plan of its own, so that one template serves for every fault.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

import clew

log = clew.get_logger("shop")
_ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=2)


class OrderError(Exception):
    """What goes wrong in a shop."""


def act(plan: Any) -> None:
    """Take the steps of a plan, one after the other."""
    for verb, *what in plan if isinstance(plan, list) else ():
        _VERBS[verb](*what)


def client(service: str, *, patient: bool = True) -> Any:
    """A client that tries again as boto3 does, or one that does not."""
    make: Any = boto3.client
    return make(service) if patient else make(service, config=_ONCE)


def name(of: str) -> str:
    """What the template calls a thing: its ARN, URL or name."""
    return os.environ[of]


def _log(message: str, **fields: Any) -> None:
    log.info(message, extra=fields)


def _debug(message: str) -> None:
    log.debug(message)


def _try(step: list[Any]) -> None:
    """A step that may fail: then it is logged, and the next one is taken."""
    verb, *what = step
    try:
        _VERBS[verb](*what)
    except Exception:
        log.exception("given up")


def _sns(topic: str, plan: Any, kind: str = "order") -> None:
    client("sns").publish(
        TopicArn=name(topic),
        Message=json.dumps({"plan": plan}),
        MessageAttributes={"kind": {"DataType": "String", "StringValue": kind}},
    )


def _sqs(queue: str, *plans: Any) -> None:
    entries = [
        {"Id": f"line-{number}", "MessageBody": json.dumps({"plan": plan})}
        for number, plan in enumerate(plans)
    ]
    if len(entries) == 1:
        client("sqs").send_message(QueueUrl=name(queue), MessageBody=entries[0]["MessageBody"])
    else:
        client("sqs").send_message_batch(QueueUrl=name(queue), Entries=entries)


def _kinesis(stream: str, plan: Any, key: str = "1") -> None:
    client("kinesis", patient=False).put_record(
        StreamName=name(stream), PartitionKey=key, Data=json.dumps({"plan": plan}).encode()
    )


def _again(times: int, step: list[Any]) -> None:
    """A step that is tried so many times."""
    for attempt in range(1, times + 1):
        try:
            verb, *what = step
            _VERBS[verb](*what)
        except Exception:
            if attempt == times:
                raise
            log.warning("trying again", extra={"attempt": attempt})
        else:
            return


def _invoke(function: str, plan: Any, kind: str = "RequestResponse") -> None:
    answer = client("lambda", patient=False).invoke(
        FunctionName=name(function),
        InvocationType=kind,
        Payload=json.dumps({"plan": plan}).encode(),
    )
    if answer.get("FunctionError"):
        raise OrderError(f"{function} failed")


def _post(url: str, plan: Any, timeout_s: float = 10) -> None:
    request = urllib.request.Request(
        os.environ.get(url, url),
        json.dumps({"plan": plan}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:
        answer.read()


def _event(plan: Any) -> None:
    entry = {"Source": "shop", "DetailType": "ordered", "Detail": json.dumps({"plan": plan})}
    client("events").put_events(Entries=[entry])


def _start(plans: Any) -> None:
    client("stepfunctions").start_execution(stateMachineArn=name("SAGA"), input=json.dumps(plans))


def _item(order: str) -> None:
    client("dynamodb").put_item(TableName=name("ORDERS"), Item={"order": {"S": order}})


def _upload(key: str) -> None:
    client("s3").put_object(Bucket=name("RECEIPTS"), Key=key, Body=b"a receipt")


def _fail(text: str, times: int = 1_000_000, key: str = "") -> None:
    """Raise the first ``times`` times that this request comes here."""
    of_it = f"{os.environ.get('AWS_LAMBDA_FUNCTION_NAME')}-{clew.current().id}{key}"
    counted = Path(tempfile.gettempdir()) / f"clew-shop-{of_it}"
    counted.touch()
    with counted.open("ab") as file:
        file.write(b".")
    if counted.stat().st_size <= times:
        raise OrderError(text)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop() -> None:
    """Stand still, with all threads."""
    os.kill(os.getpid(), signal.SIGSTOP)


def _exhaust() -> None:
    """Take memory until there is none."""
    resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
    taken = []
    while True:
        taken.append(bytearray(16 << 20))


def _respond(status: int) -> None:
    raise StatusError(status)


class StatusError(Exception):
    """What `shop.http` answers with its status, without having failed."""


_VERBS: dict[str, Any] = {
    "log": _log,
    "debug": _debug,
    "print": print,
    "try": _try,
    "again": _again,
    "sns": _sns,
    "sqs": _sqs,
    "kinesis": _kinesis,
    "invoke": _invoke,
    "post": _post,
    "event": _event,
    "start": _start,
    "item": _item,
    "upload": _upload,
    "fail": _fail,
    "kill": _kill,
    "stop": _stop,
    "exhaust": _exhaust,
    "respond": _respond,
    "sleep": time.sleep,
}
