"""The policies that a simulation can be asked for, by name. Pure but for a file that is named.

clew's own, those of others, and what there is without a policy: a fixed number of shards,
on-demand mode, and the optimum, which knows the future and which nobody can have.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from clew.scaling.managed.settings import ManagedStream
from clew.scaling.model import ScalingError
from clew.scaling.policy import Fixed, ScaleDown, SimpleRule, TargetTracking
from clew.scaling.simulation.optimum import clairvoyant
from clew.scaling.simulation.outcome import Outcome
from clew.scaling.simulation.peers import (
    AppAutoScaling,
    Awslabs,
    AwsSample,
    Epsagon,
    OneLess,
    Substation,
    on_demand,
)
from clew.scaling.simulation.relearn import Relearning
from clew.scaling.simulation.simulate import Contender, simulate
from clew.scaling.words import count, duration

if TYPE_CHECKING:
    from clew.scaling.policy import Rule
    from clew.scaling.simulation.simulate import Conditions
    from clew.scaling.simulation.trace import Trace

_Kind = Callable[[list[str], "Trace", "Conditions"], "Policy"]

#: What is compared if nobody says what: one of each kind.
USUAL = (
    "clew", "track", "predict", "simple", "awslabs", "aws-sample", "substation",
    "static", "on-demand", "optimum",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policy:
    """One way to run a stream: what to call it, what it does in words, and how to try it."""

    key: str
    name: str
    words: str
    run: Callable[[Trace, Conditions], Outcome]
    #: False for the optimum: a bound, not something to choose.
    real: bool = True
    hindsight: bool = False  # it is made of what the trace shows only at its end


def policy(text: str, trace: Trace, conditions: Conditions) -> Policy:
    """The policy that a word on the command line means: ``track``, ``track:80%:30m``, ``fixed:6``.

    A path of a ``streams.yml``, with ``:STREAM`` if there are several in it, is that stream's
    settings there.

    Raises:
        ScalingError: There is none of that name, or what follows it makes no sense.
    """
    if re.search(r"\.ya?ml(:|$)", text):
        return _of_file(text)
    name, *given = text.split(":")
    if name not in _KINDS:
        raise ScalingError(
            f"There is no policy {text!r}; there are {', '.join(_KINDS)}, and a streams.yml."
        )
    try:
        return replace(_KINDS[name](given, trace, conditions), key=text)
    except (ValueError, IndexError) as error:
        raise ScalingError(
            f"The policy {text!r} cannot be read; write it as in {_EXAMPLES[name]}."
        ) from error


def managed(settings: ManagedStream, name: str, words: str = "") -> Policy:
    """The policy that a stream's settings in ``streams.yml`` are, with what it sees learnt."""
    contender = contender_of(settings, name)
    rule: Rule = contender.rule
    if settings.predictive and settings.desired is None:
        rule = rule | Relearning(settings.target)  # type: ignore[operator]
    return _contender(replace(contender, rule=rule), words)


def contender_of(settings: ManagedStream, name: str, rule: Rule | None = None) -> Contender:
    """A contender that runs a stream as its settings say."""
    low, high = settings.bounds
    return Contender(
        name,
        rule or settings.rule(),
        "plan" if settings.method != "update-shard-count" else "update",
        start_shards=settings.desired,
        target=settings.target,
        min_shards=low,
        max_shards=high,
        isolate_hot_keys=settings.isolate_hot_keys,
    )


def _contender(contender: Contender, words: str = "") -> Policy:
    def run(trace: Trace, conditions: Conditions) -> Outcome:
        return simulate(trace, [contender], conditions)[0]

    return Policy("", contender.name, words or contender.rule.explain(), run)


def _of_file(text: str) -> Policy:
    """``streams.yml``, ``streams.yml:orders`` or ``streams.yml:orders@prod``."""
    from clew.scaling.managed.config import read_config
    from clew.scaling.managed.config_resolve import resolve

    found = re.fullmatch(r"(.+\.ya?ml)(?::([^@]*))?(?:@(.+))?", text)
    path, stream, env = found.groups() if found else (text, None, None)
    config = read_config(path)
    wanted = resolve(config, config.environment(env), [stream] if stream else ()).streams
    names = ", ".join(one.name for one in wanted)
    if stream:
        wanted = tuple(one for one in wanted if one.name == stream)
        if not wanted:
            raise ScalingError(f"{path} has no stream {stream}; it has {names or 'none by name'}.")
    elif len(wanted) != 1:
        raise ScalingError(
            f"{path} has {count(len(wanted), 'stream')} by name; say which settings are to be"
            f" tried, as in {path}:{wanted[0].name if wanted else 'NAME'}."
        )
    settings = wanted[0].settings
    if settings.mode == "on-demand":
        return replace(_on_demand([], None, None), key=text)
    return replace(managed(settings, f"{settings.name} as in {path}"), key=text)


def _clew(_: list[str], trace: Trace, conditions: Conditions) -> Policy:
    settings = ManagedStream(
        trace.name if re.fullmatch(r"[\w.-]{1,128}", trace.name, re.ASCII) else "stream",
        conditions.min_shards,
        conditions.max_shards,
        retention_h=conditions.situation.retention_h,
        closed_shard_rate=conditions.situation.prices.closed_shard_rate,
    )
    return managed(settings, "clew, as it comes")


def _track(given: list[str], _: Trace, __: Conditions) -> Policy:
    target = _part(given[0]) if given else 0.75
    down_s = _seconds(given[1]) if len(given) > 1 else 3600
    _nothing_after(given, 2)
    up = TargetTracking(target, 300, min(1.0, target * 1.2), refused_counts=1 / 3)
    rule = up | ScaleDown(1.0, down_s, 0, target, least=0.15)
    name = f"track {target:.0%}, down after {duration(down_s)}"
    return _contender(Contender(name, rule, target=target), _follows(target, down_s))


def _predict(given: list[str], _: Trace, __: Conditions) -> Policy:
    target = _part(given[0]) if given else 0.75
    _nothing_after(given, 1)
    up = TargetTracking(target, 300, min(1.0, target * 1.2), refused_counts=1 / 3)
    rule = up | Relearning(target) | ScaleDown(1.0, 3600, 0, target, least=0.15)
    words = _follows(target, 3600)
    words += " It is there before the load where the last days had load at this time, too."
    contender = Contender(f"predict at {target:.0%}, and track", rule, target=target)
    return _contender(contender, words)


def _follows(target: float, down_s: float) -> str:
    return (
        f"As many shards as hold the fullest of the last five minutes at {target:.0%}, as soon as"
        f" an alarm tells; fewer when all of {duration(down_s)} needed fewer."
    )


def _level(given: list[str], _: Trace, __: Conditions) -> Policy:
    quantile = _part(given[0]) if given else 0.95
    over_s = _seconds(given[1]) if len(given) > 1 else 86_400.0
    _nothing_after(given, 2)
    up = TargetTracking(1.0, over_s, quantile=quantile, alarmed=False, every_s=900)
    down = ScaleDown(1.0, over_s, over_s / 4, 1.0, quantile=quantile, least=0.1, every_s=900)
    words = (
        f"The stream has what {quantile:.0%} of the minutes of the last {duration(over_s)} needed;"
        " what is above that is put up with."
    )
    name = f"level {quantile:.0%} of {duration(over_s)}"
    return _contender(Contender(name, up | down, target=1.0), words)


def _simple(given: list[str], _: Trace, __: Conditions) -> Policy:
    _nothing_after(given, 0)
    rule = SimpleRule() | OneLess()
    return _contender(Contender("one more, one less", rule, "split"))


def _fixed(given: list[str], _: Trace, __: Conditions) -> Policy:
    _nothing_after(given, 1)
    number = int(given[0])
    if not 1 <= number <= 10_000:
        raise ValueError
    return _static(number, f"{count(number, 'shard')}, always")


def _at_peak(given: list[str], trace: Trace, conditions: Conditions) -> Policy:
    _nothing_after(given, 0)
    peak = ceil(float(trace.shards(conditions.situation.limits).max(initial=1.0)) - 1e-9)
    found = _static(max(peak, 1), f"{count(max(peak, 1), 'shard')}, always (the peak)")
    return replace(
        found,
        hindsight=True,
        words=f"{found.words} It is what the highest minute needs, which nobody knows before.",
    )


def _static(number: int, name: str) -> Policy:
    contender = Contender(
        name, Fixed(number), start_shards=number, min_shards=number, max_shards=number
    )
    return _contender(contender)


def _peer(contender: Contender, words: str) -> _Kind:
    def made(given: list[str], _: Trace, __: Conditions) -> Policy:
        _nothing_after(given, 0)
        return _contender(contender, words)

    return made


def _on_demand(given: list[str], _: Trace | None, __: Conditions | None) -> Policy:
    _nothing_after(given, 0)
    words = (
        "AWS changes the shards: room for twice the highest peak of the last 30 days, at 4 MB/s or"
        " more; paid by the gigabyte."
    )
    return Policy("on-demand", "on-demand mode", words, on_demand)


def _optimum(given: list[str], _: Trace, __: Conditions) -> Policy:
    _nothing_after(given, 0)
    words = (
        "What it would have taken to know the future: nothing that refuses nothing can be cheaper."
        " No choice, but what the others are measured by."
    )
    return Policy("optimum", "the optimum", words, _clairvoyant, real=False)


def _clairvoyant(trace: Trace, conditions: Conditions) -> Outcome:
    load = trace.shards(conditions.situation.limits)
    shards = clairvoyant(trace, conditions).open_shards
    hot = load * 0 if trace.hot_key is None else np.maximum(trace.hot_key * load - 1.0, 0.0)
    refused = np.maximum(np.maximum(load - shards, 0.0), hot)
    changed = np.diff(shards)
    return Outcome(
        name="the optimum",
        trace=trace,
        open_shards=shards,
        accepted=load - refused,
        refused_new=refused,
        lost=0.0,
        waited_minutes=0,
        closed=int(np.where(changed > 0, changed, -2 * changed).sum()),
        retention_h=conditions.situation.retention_h,
        demand=load,
    )


def _part(text: str) -> float:
    value = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    if not 0 < value <= 1:
        raise ValueError
    return value


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if not found:
        raise ValueError
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[found[2]]


def _nothing_after(given: list[str], number: int) -> None:
    if len(given) > number:
        raise ValueError


_PEERS: dict[str, _Kind] = {
    "awslabs": _peer(
        Contender("awslabs utility", Awslabs(), "update or sweep"),
        "The awslabs scaling utility with the settings of its README: one shard more after five"
        " minutes above 75 %, one fewer after fifteen under 25 %.",
    ),
    "awslabs-fast": _peer(
        Contender("awslabs utility, +150/-25 %", Awslabs(1.5), "update or sweep"),
        "The awslabs scaling utility, adding 150 % at a time and taking away 25 %.",
    ),
    "aws-sample": _peer(
        Contender("AWS sample, x2 and /2", AwsSample(), "update"),
        "The sample of AWS, which doubles the stream after 25 minutes at 75 % and halves it after"
        " five hours under 25 %.",
    ),
    "epsagon": _peer(
        Contender("Epsagon", Epsagon(), "update"),
        "Epsagon's autoscaler: 25 to 100 % more after five minutes at 75 %, and down to twice what"
        " a quiet day has needed.",
    ),
    "app-auto-scaling": _peer(
        Contender("Application Auto Scaling", AppAutoScaling(), "update"),
        "The sample of AWS for Application Auto Scaling: one shard more after a minute at 80 %, one"
        " fewer after 15 minutes below.",
    ),
    "substation": _peer(
        Contender("Substation", Substation(), "update"),
        "Substation's steps: 25 to 100 % more after five minutes at 70 %, as much less after an"
        " hour under 35 %.",
    ),
}
_KINDS: dict[str, _Kind] = {
    "clew": _clew, "track": _track, "predict": _predict, "level": _level, "simple": _simple,
    "fixed": _fixed, "static": _at_peak, "on-demand": _on_demand, "optimum": _optimum, **_PEERS,
}  # fmt: skip
_EXAMPLES = {name: name for name in _KINDS} | {
    "track": "track, track:80% or track:80%:30m",
    "predict": "predict or predict:80%",
    "level": "level, level:90% or level:90%:6h",
    "fixed": "fixed:6",
}
