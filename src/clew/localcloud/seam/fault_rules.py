"""Which calls fail, and how: the rules that were added, and what they decide for one call."""

from __future__ import annotations

import itertools
import math
import random
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from clew.localcloud.seam.aws_errors import error_codes
from clew.localcloud.seam.aws_operations import Service, close_names, known_services

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clew.localcloud.seam.aws_operations import Request


class BadRuleError(ValueError):
    """A rule that makes no sense; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to happen to one call, before it reaches the service."""

    service: Service
    operation: str
    delay_s: float = 0.0
    hang: bool = False
    #: The error's code, or "" for none.
    error: str = ""
    #: For PutRecords: which records to refuse, while the others are let through.
    refused: tuple[int, ...] | None = None


@dataclass(slots=True)
class Rule:
    """One rule that was added."""

    id: str
    service: str
    #: None means every operation.
    operations: tuple[str, ...]
    error: str
    latency_s: float
    timeout: bool
    #: The share of the calls that it strikes, from 0 to 1.
    rate: float
    #: Seconds since the epoch, or None for no end.
    until: float | None
    seed: int
    calls: int = 0
    struck: int = 0
    dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - it is to be repeatable

    def strikes(self) -> bool:
        """Whether it strikes the next call (or record) of those that it is for."""
        self.calls += 1
        hit = self.dice.random() < self.rate
        self.struck += hit
        return hit

    def facts(self) -> dict[str, Any]:
        """The rule as JSON values."""
        facts = asdict(self)
        del facts["dice"]
        return facts


class Faults:
    """The rules in force. Used by one thread."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._rules: list[Rule] = []
        self._services: dict[str, Service] = {}
        self._numbers = itertools.count(1)

    def rules(self) -> list[Rule]:
        """The rules that are not over, in the order in which they were added."""
        now = self._clock()
        self._rules = [rule for rule in self._rules if rule.until is None or now < rule.until]
        return self._rules

    def clear(self, rule_id: str | None = None) -> int:
        """Remove one rule, or all; how many there were to remove."""
        before = self.rules()
        self._rules = [rule for rule in before if rule_id not in {None, rule.id}]
        return len(before) - len(self._rules)

    def add(self, given: Mapping[str, Any]) -> Rule:
        """Add a rule from JSON values.

        Raises:
            BadRuleError: There is no such service, operation or error, or a number is no good.
        """
        name = str(given.get("service", ""))
        service = self._service(name)
        operations = tuple(map(str, given.get("operations") or ()))
        for operation in operations:
            if operation not in service.operations:
                hint = close_names(operation, service.operations)
                raise BadRuleError(f"{name} has no operation {operation}{hint}")
        error = str(given.get("error") or "")
        codes = error_codes(service)
        if error and error not in codes:
            raise BadRuleError(f"{name} has no error {error}{close_names(error, codes)}")
        latency_s = _number(given, "latency_s", 0.0, 0.0, math.inf)
        timeout = bool(given.get("timeout"))
        if not (error or latency_s or timeout):
            raise BadRuleError("A fault is an error, a latency or a timeout; give one of them.")
        if error and timeout:
            raise BadRuleError("A call that times out has no error; give one of the two.")
        for_s = _number(given, "for_s", math.inf, 0.0, math.inf)
        number = next(self._numbers)
        rule = Rule(
            id=f"f{number}",
            service=name,
            operations=operations,
            error=error,
            latency_s=latency_s,
            timeout=timeout,
            rate=_number(given, "rate", 1.0, 0.0, 1.0),
            until=None if math.isinf(for_s) else self._clock() + for_s,
            seed=int(_number(given, "seed", number, -math.inf, math.inf)),
        )
        self._rules.append(rule)
        return rule

    def judge(self, request: Request) -> Verdict | None:
        """What is to happen to a call, or None if nothing is."""
        verdict: Verdict | None = None
        for rule in self.rules():
            service = self._service(rule.service)
            operation = service.operation(request)
            if operation is None or (rule.operations and operation not in rule.operations):
                continue
            if rule.error and _takes_records(service, operation):
                refused = [at for at in range(_records(request)) if rule.strikes()]
                struck = bool(refused)
            else:
                refused, struck = None, rule.strikes()
            if not struck:
                continue
            before = verdict or Verdict(service, operation)
            verdict = Verdict(
                service,
                operation,
                before.delay_s + rule.latency_s,
                before.hang or rule.timeout,
                before.error or rule.error,
                before.refused if before.error else _tuple(refused),
            )
        return verdict

    def _service(self, name: str) -> Service:
        if name not in self._services:
            try:
                self._services[name] = Service(name)
            except KeyError:
                hint = close_names(name, known_services())
                raise BadRuleError(f"There is no service {name}{hint}") from None
        return self._services[name]


def _takes_records(service: Service, operation: str) -> bool:
    # A shard that is at its limit refuses records one by one; the call itself succeeds.
    return service.name == "kinesis" and operation == "PutRecords"


def _records(request: Request) -> int:
    import json

    try:
        return len(json.loads(request.body)["Records"])
    except (ValueError, KeyError, TypeError):
        return 0


def _tuple(refused: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if refused is None else tuple(refused)


def _number(
    given: Mapping[str, Any], name: str, default: float, least: float, most: float
) -> float:
    value = given.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        limit = f"from {least:g} to {most:g}" if most != math.inf else f"of at least {least:g}"
        raise BadRuleError(f"{name} has to be a number {limit}, not {value!r}.")
    return value
