"""What the log says of records that failed. Nothing here raises."""

from __future__ import annotations

from clew.log.internal import failed, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clew.capture import Record
    from clew.invocation import Invocation


def given_up(
    record: Record, invocation: Invocation, error: BaseException, message: str, **fields: object
) -> None:
    """An ERROR under the record's own ids, with what DEBUG would have said of it before."""
    try:
        from clew.log.recorder import write_held

        write_held(invocation, only=record.correlation)
        extra = {**record.position, "attempts": record.attempts, **fields}
        record.logger.error(message, exc_info=error, extra=extra)
    except Exception:  # noqa: BLE001  (logging never breaks the batch)
        failed(f"logging: {message}")


def trying_again(record: Record, error: BaseException, wait_s: float) -> None:
    """A WARNING before another attempt."""
    try:
        from clew.handlers.run import say

        record.logger.warning(
            "record failed, trying again",
            extra={
                **record.position,
                "attempts": record.attempts,
                "waitMs": round(wait_s * 1000),
                "error": say(error)[:1000],
            },
        )
    except Exception:  # noqa: BLE001  (logging never breaks the batch)
        failed("logging an attempt")


def left_over(count: int, of: int, why: str) -> None:
    """One WARNING for the records of a batch that were not run."""
    warn("records returned that were not run", returned=count, of=of, why=why)
