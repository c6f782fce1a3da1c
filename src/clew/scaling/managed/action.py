"""One action on one stream, from what asked for it to what is remembered of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from clew.log.logger import get_logger
from clew.scaling.limits import Limits
from clew.scaling.managed import alarms, audit
from clew.scaling.managed.apply import Progress, StuckError, carry_out
from clew.scaling.managed.audit import Audit, done_so_far, shard_map
from clew.scaling.managed.lock import Busy, Held, Lock, LostError
from clew.scaling.managed.look import look
from clew.scaling.managed.notice import tell
from clew.scaling.managed.observe import list_shards, when_active
from clew.scaling.managed.resume import Begun
from clew.scaling.managed.tools import TimeUpError
from clew.scaling.prices import Prices
from clew.scaling.situation import Situation
from clew.scaling.words import count

if TYPE_CHECKING:
    from clew.scaling.managed.alarm_event import AlarmEvent
    from clew.scaling.managed.settings import ManagedStream
    from clew.scaling.managed.tools import Tools

_log = get_logger("clew.scaling")
#: Invocations that may work on one plan, one after the other. Lambda stops chains of its own
#: functions at about 16 ("Use Lambda recursive loop detection").
MOST_TURNS = 12
#: How soon the same alarm that comes to nothing again is not kept again: it may be every minute.
_SAID_AGAIN_S = 900
#: A plan that is older belongs to another day.
_OLD_S = 6 * 3600


@dataclass(frozen=True, slots=True)
class Cause:
    """What asks for an action."""

    who: str
    alarm: AlarmEvent | None = None
    #: The lock is handed over with this owner; "" takes a new one.
    owner: str = ""
    turn: int = 0
    #: Whether another invocation is to do what takes long.
    elsewhere: bool = False

    @property
    def key(self) -> str:
        """What is answered once only; "" for what may be repeated."""
        return self.alarm.key if self.alarm is not None and self.alarm.at_s is not None else ""


def act(tools: Tools, settings: ManagedStream, cause: Cause) -> Audit:
    """Look at a stream, change its shards if they should be others, and set its alarms.

    Raises:
        ScalingError: There is no such stream.
        ClientError: An AWS service refused for good.
    """
    if settings.mode == "on-demand":
        why = "Its settings have it in on-demand mode: AWS scales it, and clew leaves it alone."
        alarms.remove_alarms(tools, settings.name)
        return _nothing(tools, settings, cause, why)
    lock = Lock(tools.store, tools.clock)
    owner = cause.owner or tools.request_id or uuid4().hex
    begun = tools.store.plan(settings.name)
    # Whatever wakes it finishes what was begun, even an alarm that has been answered.
    event = cause.key if begun is None else ""
    held = lock.take(settings.name, owner, event=event, cooled=begun is None)
    if isinstance(held, Busy):
        return _busy(tools, settings, cause, held)
    action = _Action(tools, settings, cause, lock, held)
    try:
        return action.run()
    except LostError:
        why = "Another invocation has taken the stream over, and goes on."
        return _nothing(tools, settings, cause, why)
    except TimeUpError:
        why = "Somebody else is changing the stream, for longer than this invocation had."
        return action.finish(action.audit(audit.WAITING, why), loud=False)
    except Exception as error:
        action.failed(error)  # and the alarm is not remembered: Lambda tries it again
        raise


class _Action:
    """An action while the lock is held."""

    def __init__(
        self, tools: Tools, settings: ManagedStream, cause: Cause, lock: Lock, held: Held
    ) -> None:
        self._tools, self._settings, self._cause = tools, settings, cause
        self._lock, self._held = lock, held
        self._began_s = tools.clock()
        self._notes: list[str] = []

    def run(self) -> Audit:
        """What there is to do, and the end of it. The lock is free then, or handed over."""
        tools, name = self._tools, self._settings.name
        known = tools.store.plan(name)
        if known is not None:
            begun = Begun.from_json(known)
            if not (given_up := self._given_up(begun)):
                return self._go_on(begun, first=False)
            self._notes.append(given_up)
            tools.store.forget_plan(name, begun.id)
        if self._held.cool_until_s > tools.clock():  # the plan was done between two looks
            return self._leave("The last action is too recent.")
        cause = self._cause
        found = look(
            tools,
            self._settings,
            cause.alarm,
            self._held,
            patient=not cause.elsewhere,
            keep=lambda: self._lock.renew(self._held),
        )
        if found.on_demand:
            why = "The stream is in on-demand mode: AWS scales it, and clew leaves it alone."
            return self._leave(why)
        decision = found.decision
        if decision.plan is None:
            note = alarms.set_alarms(tools, self._settings, found.state, found.listed, reset=False)
            self._notes += [note] if note else []
            return self._leave(
                decision.why,
                hot_keys=decision.hot_keys,
                shards_before=len(found.listed.opened),
                shards_after=len(found.listed.opened),
                closed_shards=found.listed.closed,
            )
        begun = Begun(
            id=uuid4().hex[:12],
            plan=decision.plan,
            who=self._cause.who,
            why=decision.why,
            words=decision.plan.explain(),
            began_s=self._began_s,
            open_before=found.shards.cuts,
            event=self._cause.key,
            hot_keys=decision.hot_keys,
        )
        self._lock.renew(self._held)  # looking may have taken long
        tools.store.put_plan(name, begun.to_json())
        return self._go_on(begun, first=True)

    def _go_on(self, begun: Begun, *, first: bool) -> Audit:
        """Carry out what is left of a plan, here or in another invocation."""
        tools, name, plan = self._tools, self._settings.name, begun.plan
        if self._cause.elsewhere and tools.function:
            return self._hand_over(begun, Progress())
        if not first:
            _log.info("going on with a plan", extra={"stream": name, "plan": begun.id})
        progress = Progress()
        try:
            carry_out(
                tools,
                self._lock,
                self._held,
                plan,
                situation=situation_of(self._settings),
                progress=progress,
            )
            state = when_active(tools, name, lambda: self._lock.renew(self._held))
            listed = list_shards(tools, name)
            note = alarms.set_alarms(tools, self._settings, state, listed, reset=True)
        except TimeUpError:
            return self._hand_over(begun, progress)
        except StuckError as stuck:
            # The plan stays: the next run looks whether it can go on. It is told once.
            tools.store.put_plan(name, replace(begun, turns=begun.turns + 1).to_json())
            record = self._of_plan(audit.WAITING, begun, progress, str(stuck))
            return self.finish(record, loud=begun.turns == 0)
        self._notes += [one for one in (note, progress.note) if one]
        shards = listed.shard_map()
        done = replace(
            self._of_plan(audit.DONE, begun, progress),
            shards_after=len(shards),
            closed_shards=listed.closed,
            map_after=shard_map(shards.cuts),
            took_s=tools.clock() - begun.began_s,
        )
        # In this order: whoever finds the plan after a crash does the rest of this again.
        self.finish(
            done,
            loud=True,
            event=begun.event,
            cool_s=self._settings.cool_down_s,
            went_up=len(shards) >= begun.plan.before,
            went_down=len(shards) < begun.plan.before,
        )
        tools.store.forget_plan(name, begun.id)
        return done

    def _given_up(self, begun: Begun) -> str:
        """Why a plan that was begun is not finished, or ""."""
        low, high = self._settings.bounds
        if self._tools.clock() - begun.began_s > _OLD_S:
            return "A plan of long ago was not finished, and is given up."
        if not low <= begun.plan.after <= high:
            return (
                f"A plan for {count(begun.plan.after, 'shard')} was not finished, and is given up:"
                f" the settings are for {low} to {high} now."
            )
        return ""

    def _hand_over(self, begun: Begun, progress: Progress) -> Audit:
        """Let another invocation go on, with the lock; or, after many, the next scheduled run."""
        import json

        tools = self._tools
        turn = self._cause.turn + 1
        begun = replace(begun, turns=begun.turns + 1)
        tools.store.put_plan(self._settings.name, begun.to_json())
        if not tools.function or turn > MOST_TURNS:
            said = "The rest is done by the next scheduled run."
            return self.finish(self._of_plan(audit.WAITING, begun, progress, said), loud=False)
        self._lock.renew(self._held)
        payload = {
            "resume": {"stream": self._settings.name, "owner": self._held.owner, "turn": turn}
        }
        tools.lambda_.invoke(
            FunctionName=tools.function, InvocationType="Event", Payload=json.dumps(payload)
        )
        said = "Another invocation goes on with it."
        record = self._of_plan(audit.HANDED_OVER, begun, progress, said)
        _log.info(record.headline(), extra={"scaling": record.to_json()})
        return record

    def _leave(self, why: str, **more: Any) -> Audit:
        """Nothing is changed. Told to the table if somebody asked, or if there is a hot key."""
        record = replace(self.audit(audit.NOTHING, why), **more)
        alarm = self._cause.alarm
        if alarm is None:
            return self.finish(record, loud=False, kept=False)
        if not alarm.of_reading and record.shards_before < self._settings.bounds[1]:
            # It may get worse, and an alarm that stays on would not tell of it.
            _set_back(self._tools, self._settings, alarm, "clew has left the stream as it is.")
        new = not self._said_lately(record)
        return self.finish(
            record, loud=new and bool(record.hot_keys), kept=new, event=self._cause.key
        )

    def _said_lately(self, record: Audit) -> bool:
        """Whether the same alarm has come to nothing just before."""
        last = self._tools.store.audit(self._settings.name, limit=1)
        return bool(last) and (
            last[0]["outcome"] == audit.NOTHING
            and last[0]["who"] == record.who
            and last[0]["hot_keys"] == list(record.hot_keys)
            and record.at_s - last[0]["at_s"] < _SAID_AGAIN_S
        )

    def finish(
        self,
        record: Audit,
        *,
        loud: bool,
        kept: bool = True,
        **freed: Any,
    ) -> Audit:
        """Log it, keep it, tell of it, and let the lock go."""
        _log.info(record.headline(), extra={"scaling": record.to_json()})
        if kept or record.notes:
            self._tools.store.put_audit(self._settings.name, record.to_json())
        self._lock.free(self._held, **freed)
        if loud:
            tell(self._tools, self._settings, record)
        return record

    def failed(self, error: Exception) -> None:
        """Keep what went wrong, as far as that goes right. It is told once, not at every run."""
        record = self.audit(audit.FAILED, f"{type(error).__name__}: {error}")
        try:
            last = self._tools.store.audit(self._settings.name, limit=1)
            self.finish(record, loud=not last or last[0]["outcome"] != audit.FAILED)
        except Exception:  # noqa: BLE001 - the error that is raised says more
            _log.exception("a failure could not be kept", extra={"scaling": record.to_json()})

    def audit(self, outcome: str, why: str) -> Audit:
        """A record of this action."""
        return Audit(
            id=uuid4().hex[:12],
            at_s=self._tools.clock(),
            stream=self._settings.name,
            who=self._cause.who,
            outcome=outcome,
            why=why,
            took_s=self._tools.clock() - self._began_s,
            notes=tuple(self._notes),
        )

    def _of_plan(self, outcome: str, begun: Begun, progress: Progress, more: str = "") -> Audit:
        plan = begun.plan
        return replace(
            self.audit(outcome, f"{begun.why} {more}".strip()),
            id=begun.id,  # one record, whoever carries it out, and however often
            at_s=begun.began_s,
            who=begun.who,
            plan=begun.words,
            method=plan.method,
            shards_before=plan.before,
            shards_after=plan.after,
            usd_month_before=plan.usd_month_before,
            usd_month=plan.usd_month,
            usd_once=plan.usd_once,
            hot_keys=begun.hot_keys,
            map_before=shard_map(begun.open_before),
            map_after=shard_map(plan.cuts),
            **done_so_far(progress),
        )


def situation_of(settings: ManagedStream) -> Situation:
    """What a plan is judged by, as far as the settings say."""
    return Situation(
        limits=Limits(),
        prices=Prices(closed_shard_rate=settings.closed_shard_rate),
        retention_h=settings.retention_h,
    )


def _busy(tools: Tools, settings: ManagedStream, cause: Cause, busy: Busy) -> Audit:
    """The lock was not to be had. An alarm that came too soon may turn again, a little later."""
    if busy.reason == "repeated":
        return _nothing(tools, settings, cause, "This alarm has been answered already.")
    if busy.reason == "held":
        return _nothing(tools, settings, cause, "Another action on the stream is under way.")
    if cause.alarm is not None:
        _set_back(tools, settings, cause.alarm, "clew has just changed the stream.")
    left_s = max(busy.until_s - tools.clock(), 0.0)
    return _nothing(
        tools, settings, cause, f"The last action is too recent: {left_s:.0f} s are left to wait."
    )


def _set_back(tools: Tools, settings: ManagedStream, alarm: AlarmEvent, why: str) -> None:
    """Let one of clew's own alarms turn again at its next evaluation, if there is still cause."""
    if alarm.name.startswith(alarms.prefix(settings.name)):
        alarms.reset_alarms(tools, [alarm.name], f"{why} The alarm may turn again.")


def _nothing(tools: Tools, settings: ManagedStream, cause: Cause, why: str) -> Audit:
    """Nothing is done, and nobody but the log is told."""
    record = Audit(
        id=uuid4().hex[:12],
        at_s=tools.clock(),
        stream=settings.name,
        who=cause.who,
        outcome=audit.NOTHING,
        why=why,
    )
    _log.info(record.headline(), extra={"scaling": record.to_json()})
    return record
