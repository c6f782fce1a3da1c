"""What comes next for a record that failed. Pure: the clock and chance are given."""

from __future__ import annotations

from clew.streams.policy import MAX_VISIBILITY_S, MAX_WAIT_S, DeadLetter, Retry, Skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clew.streams.policy import Policy

#: Try it again, after `Decision.wait_s` in the function.
AGAIN = "again"
#: Return it, hidden in its queue for `Decision.wait_s`.
LATER = "later"
#: Return it to its source.
RETURN = "return"
SKIP = "skip"
DEAD_LETTER = "dead-letter"


class Decision:
    """``what`` is one of the words above; ``letter`` is the policy of a dead letter."""

    __slots__ = ("letter", "wait_s", "what", "why")

    def __init__(
        self, what: str, *, wait_s: float = 0.0, letter: DeadLetter | None = None, why: str = ""
    ) -> None:
        self.what = what
        self.wait_s = wait_s
        self.letter = letter
        #: Why it is returned although there are attempts left, or "".
        self.why = why


def decide(
    policy: Policy,
    error: BaseException,
    *,
    attempts: int,
    elapsed_s: float,
    left_s: float,
    chance: float,
    permanent: bool = False,
    receives: int = 1,
    age_s: float = 0.0,
) -> Decision:
    """What ``policy`` says of a record whose attempt number ``attempts`` ended with ``error``.

    Args:
        policy: The handler's.
        error: What was raised.
        attempts: How often the function was called for it in this invocation, from 1.
        elapsed_s: Seconds since the first of these began.
        left_s: Seconds until no other may begin, because the function's time is up.
        chance: A random number from 0 to 1, by which waits are shortened.
        permanent: That another attempt would end the same.
        receives: How often its queue has delivered it, this time included.
        age_s: Seconds since its queue first delivered it.
    """
    step: Policy | None = policy
    while isinstance(step, Retry):
        if not permanent and not isinstance(error, step.unless):
            found = (
                _later(step, receives, age_s, chance)
                if step.in_queue
                else _again(step, attempts, elapsed_s, left_s, chance)
            )
            if found is not None:
                return found
        step = step.then
    if isinstance(step, Skip):
        return Decision(SKIP)
    if isinstance(step, DeadLetter):
        return Decision(DEAD_LETTER, letter=step)
    return Decision(RETURN)


def _again(
    step: Retry, attempts: int, elapsed_s: float, left_s: float, chance: float
) -> Decision | None:
    """Another attempt in the function; None where they are used up."""
    if step.times is not None and attempts > step.times:
        return None
    wait_s = _wait(step.backoff_s, attempts, MAX_WAIT_S, chance)
    if step.within_s is not None and elapsed_s + wait_s > step.within_s:
        return None
    if wait_s >= left_s:
        return Decision(RETURN, why="the function's time is nearly up")
    return Decision(AGAIN, wait_s=wait_s)


def _later(step: Retry, receives: int, age_s: float, chance: float) -> Decision | None:
    """Another receive of its queue; None where they are used up."""
    if step.times is not None and receives > step.times:
        return None
    wait_s = _wait(step.backoff_s, receives, MAX_VISIBILITY_S, chance)
    if step.within_s is not None and age_s + wait_s > step.within_s:
        return None
    return Decision(LATER, wait_s=wait_s)


def _wait(backoff_s: float, number: int, most_s: float, chance: float) -> float:
    """The wait before attempt ``number`` after the first: doubled each time, with jitter."""
    doubled: float = backoff_s * 2 ** min(max(number, 1) - 1, 40)
    return min(doubled, most_s) * (1 - chance / 2)
