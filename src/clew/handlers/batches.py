"""What the handlers of all batches have in common: their options, and the way to the engine."""

from __future__ import annotations

from functools import wraps

from clew.errors import ClewError
from clew.handlers.functions import check_function, is_async
from clew.handlers.run import check_rate, prepare, run
from clew.log.internal import failed, warn_once
from clew.streams.plan import Plan
from clew.streams.policy import DeadLetter, Policy, Retry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from clew.capture import Delivery
    from clew.streams.idempotency import Idempotency
    from clew.streams.sources import Source

    Handler = Callable[[Any, Any], Any]

#: More threads than this are of no use to anybody.
MAX_LANES = 1024


class Options:
    """What a handler of batches was told, checked. Raises `ClewError` for what cannot be."""

    __slots__ = (
        "batch",
        "debug_sample_rate",
        "decode",
        "idempotency",
        "lanes",
        "on_failure",
        "report",
        "source",
    )

    def __init__(
        self,
        source: Source,
        on_failure: object,
        *,
        batch: bool = False,
        lanes: int | None = None,
        report: bool = True,
        decode: Any = None,
        idempotency: Any = None,
        debug_sample_rate: float = 0.0,
    ) -> None:
        self.source = source
        self.debug_sample_rate = check_rate(debug_sample_rate)
        self.on_failure = _policy(on_failure, source)
        self.batch = batch
        self.report = report
        if lanes is not None:
            _check_lanes(lanes, batch=batch)
        self.lanes = lanes
        if decode is not None and not callable(decode):
            message = f"decode has to be a function of a record's bytes, not {decode!r}."
            raise ClewError(message)
        self.decode: Callable[[bytes], Any] | None = decode
        if idempotency is not None:
            from clew.streams.clients import check_boto3
            from clew.streams.idempotency import Idempotency

            if not isinstance(idempotency, Idempotency):
                message = f"idempotency has to be clew.idempotency(table), not {idempotency!r}."
                raise ClewError(message)
            check_boto3("idempotency")
        self.idempotency: Idempotency | None = idempotency

    def plan(self, function: Any) -> Plan:
        """How ``function`` is run. Raises `ClewError` where it cannot be."""
        check_function(function, awaits=True)
        return Plan(
            function,
            self.source,
            self.on_failure,
            whole=self.batch,
            lanes=self.lanes,
            report=self.report,
            decode=self.decode,
            idempotency=self.idempotency,
            is_async=is_async(function),
        )


def decorate(
    function: Callable[..., Any], options: Options, *, from_letters: bool = False
) -> Handler:
    """``function`` as a Lambda handler of batches of records.

    ``from_letters`` says that they come in dead letters. The handler carries ``clew_policy`` (what
    was given as ``on_failure``) and ``clew_options``.
    """
    prepare()
    plan = options.plan(function)

    @wraps(function)
    def invoke(event: Any, context: Any) -> Any:
        def body(delivery: Delivery) -> Any:
            check_times(options.on_failure, context, invoke)
            if from_letters:
                from clew.streams.second_chance import run_again

                return run_again(plan, delivery, context)
            from clew.streams.engine import run_batch

            return run_batch(plan, delivery, context)

        return run(
            event,
            context,
            body,
            debug_sample_rate=options.debug_sample_rate,
            records_of=options.source.name,
            received_by_body=True,
            loops_by_body=True,
            loops_in_turn=plan.is_plain and not from_letters,
        )

    # It is not the coroutine function that it wraps.
    invoke.clew_policy = options.on_failure  # type: ignore[attr-defined]
    invoke.clew_options = options  # type: ignore[attr-defined]
    return invoke


def check_times(policy: Policy, context: Any, handler: object) -> None:
    """One warning at the first invocation, if the policy needs more time than the function has."""
    if handler in _checked:
        return
    _checked.add(handler)
    try:
        from clew.streams.deadline import remaining_s
        from clew.streams.duration import written

        left_s = remaining_s(context)
        for step in policy.chain():
            if (
                isinstance(step, Retry)
                and not step.in_queue
                and step.within_s is not None
                and left_s is not None
                and step.within_s > left_s
            ):
                warn_once(
                    f"within:{id(handler)}",
                    f"retry(within={written(step.within_s)!r}) is longer than the function may "
                    f"run ({left_s:.3g} s): its last attempts never come, and records are "
                    "returned instead; make within shorter or the function's timeout longer",
                )
    except Exception:  # noqa: BLE001  (a check never breaks the batch)
        failed("checking the times of a policy")


#: The handlers whose times were compared with their function's.
_checked: set[object] = set()


def _policy(on_failure: object, source: Source) -> Policy:
    if not isinstance(on_failure, Policy):
        message = (
            "on_failure has to be clew.halt(), clew.skip(), clew.retry(...) or "
            f"clew.dead_letter(...), not {on_failure!r}."
        )
        raise ClewError(message)
    steps = on_failure.chain()
    in_queue = any(isinstance(step, Retry) and step.in_queue for step in steps)
    if in_queue and source.name != "aws:sqs":
        message = f"in_queue=True is for SQS messages; {source.name} has no queue to wait in."
        raise ClewError(message)
    if in_queue or isinstance(steps[-1], DeadLetter):
        from clew.streams.clients import check_boto3

        check_boto3(f"on_failure={on_failure!r}")
    return on_failure


def _check_lanes(lanes: object, *, batch: bool) -> None:
    if isinstance(lanes, bool) or not isinstance(lanes, int) or not 1 <= lanes <= MAX_LANES:
        message = f"lanes has to be a whole number from 1 to {MAX_LANES}, not {lanes!r}."
        raise ClewError(message)
    if batch:
        message = "batch=True hands over all records at once: leave out lanes, or batch."
        raise ClewError(message)
