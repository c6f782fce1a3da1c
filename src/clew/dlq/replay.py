"""Runs one letter against local code, in this process, with DEBUG on and without side effects
of clew's own: a failure raises here, and nobody writes another dead letter of it."""

from __future__ import annotations

import json
import os
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clew import payload as clew_payload
from clew import wire
from clew.capture.record import members, text
from clew.dlq.errors import DlqError
from clew.dlq.parts import event_of
from clew.trust import sign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clew.dlq.letter import Letter

#: "Lambda quotas": the longest that a function may run.
_TIMEOUT_S = 900.0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it."""

    value: Any
    error: BaseException | None
    ms: float


def load(name: str) -> Callable[[Any, Any], Any]:
    """The handler ``module:function``, which logs at DEBUG from its import on.

    A handler of clew's that takes records is made anew: the same function, with no attempts, no
    lanes, no idempotency and no dead letters. Raises `DlqError`.
    """
    os.environ["CLEW_LOG_LEVEL"] = "DEBUG"
    from clew.streams.worker.errors import WorkerError
    from clew.streams.worker.loading import load_function

    try:
        return _bare(load_function(name))
    except WorkerError as error:
        raise DlqError(str(error)) from error


def run(
    handler: Callable[[Any, Any], Any],
    letter: Letter,
    records: Sequence[Mapping[str, Any]] = (),
) -> Replayed:
    """Call ``handler`` with the event of ``letter``. Raises `DlqError` where there is none."""
    from clew.streams.worker.targets import WorkerContext

    event = with_debug(json.loads(event_of(letter, records)))
    name = letter.function or "replay"
    context = WorkerContext(
        name,
        f"arn:aws:lambda:local:000000000000:function:{name}",
        time.monotonic() + _TIMEOUT_S,
    )
    os.environ.setdefault("AWS_LAMBDA_FUNCTION_NAME", name)
    started = time.perf_counter()
    value, failure = None, None
    try:
        value = handler(event, context)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  (it is what is looked for)
        failure = error
    if failure is None and isinstance(value, dict) and value.get("batchItemFailures"):
        failure = DlqError("The handler returned the record in batchItemFailures.")
    return Replayed(value, failure, (time.perf_counter() - started) * 1000)


def _bare(function: Any) -> Callable[[Any, Any], Any]:
    options = getattr(function, "clew_options", None)
    wrapped = getattr(function, "__wrapped__", None)
    if options is None or wrapped is None:
        found: Callable[[Any, Any], Any] = function
        return found
    from clew.handlers.batches import Options, decorate
    from clew.streams.policy import halt

    alone = Options(
        options.source, halt(), batch=options.batch, report=False, decode=options.decode
    )
    return decorate(wrapped, alone)


def with_debug(event: Any) -> Any:
    """The event with the decision to log its call chain at DEBUG, where it has room for one."""
    if not isinstance(event, dict):
        return event
    records = event.get("Records")
    if not isinstance(records, list):
        taken = event.get(wire.CONTEXT)
        return {**event, wire.CONTEXT: _decided(taken)} if isinstance(taken, dict) else event
    return {**event, "Records": [_record(record) for record in records]}


def _record(raw: Any) -> Any:
    if isinstance(members(raw).get("kinesis"), dict):
        own = raw["kinesis"]
        taken = clew_payload.take(b64decode(text(own.get("data"))))
        if taken.value is None or not isinstance(taken.context, dict):
            return raw
        data = clew_payload.put(taken.data, _decided(taken.context)) or b""
        return {**raw, "kinesis": {**own, "data": b64encode(data).decode()}} if data else raw
    if "messageAttributes" in members(raw):
        given = {"dataType": "String", "stringValue": "true"}
        return {
            **raw,
            "messageAttributes": {**members(raw["messageAttributes"]), wire.DEBUG: given},
        }
    if isinstance(members(raw).get("Sns"), dict):
        sns = raw["Sns"]
        given = {"Type": "String", "Value": "true"}
        attributes = {**members(sns.get("MessageAttributes")), wire.DEBUG: given}
        return {**raw, "Sns": {**sns, "MessageAttributes": attributes}}
    return raw


def _decided(context: dict[str, Any]) -> dict[str, Any]:
    signature = sign(text(context.get(wire.ID)))
    more = {wire.SIGNATURE: signature} if signature else {}
    return {**context, wire.DEBUG: "true", **more}


def wait_for_debugger(port: int) -> None:
    """Listen on loopback until a debugger has come. Raises `DlqError` without debugpy."""
    try:
        import debugpy  # type: ignore[import-not-found,unused-ignore]
    except ModuleNotFoundError:
        raise DlqError(
            "--debugpy needs debugpy, which is not installed; install it with: pip install debugpy."
        ) from None
    try:
        debugpy.listen(("127.0.0.1", port))
    except (OSError, RuntimeError) as error:
        raise DlqError(f"debugpy cannot listen on 127.0.0.1:{port}: {error}.") from error
    debugpy.wait_for_client()
