"""Scales a stream up, names a hot key, and scales it down again. ``make demo-scaling`` runs it.

Whatever it tells the reader it has first checked; it exits with 1 and a sentence if something did
not come out as told.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the narrator of all examples

try:
    from narrator import Ending, Narrator, NotAsToldError
    from pump import METERS, Pump
    from watch import Watch

    import clew.scaling.managed
    from clew.errors import ClewError
    from clew.localcloud import LocalCloud
except ModuleNotFoundError as missing:
    sys.exit(f"demo: {missing.name} is not installed; `make demo-scaling` sets up all it needs.")

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
FUNCTIONS = Path(clew.scaling.managed.__file__).with_name("template.yaml")
NAME = "demo-scaling"
STREAM = "readings"
READING = 40_000  # bytes
LOAD = 75  # readings a second: 3 MB/s, and a shard takes 1 MB/s
HOT = METERS[7]
HOT_LOAD = 33  # readings a second of one meter: 1.3 MB/s
QUIET_LOAD = 3
WAIT_S = 180.0

FLOW = """\
meters ──▶ readings (Kinesis) ──▶ a function that notes what it read
               │
               │ IncomingBytes, WriteProvisionedThroughputExceeded
               ▼
           CloudWatch alarm ──SNS──▶ clew-scaling-up ──SplitShard──▶ readings
           schedule ───────────────▶ clew-scaling-down ─MergeShards─▶ readings
"""


def main() -> int:
    """Run it all; the exit status."""
    ending = Ending()
    try:
        show(Narrator(ending))
        ending.check()
    except NotAsToldError as untrue:
        return fail(f"this did not come out as told: {untrue}")
    except ClewError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        print("\ndemo: ended early; nothing is left running.", file=sys.stderr)
        return 128 + ending.asked
    return 0


def fail(sentence: str) -> int:
    """Say on stderr why the demo fails; the exit status."""
    print(f"demo: {sentence}", file=sys.stderr)
    return 1


def show(narrator: Narrator) -> None:
    """All of it."""
    narrator.head("A stream that scales itself")
    narrator.say(
        "Four hundred meters send their readings to a Kinesis stream. It has one shard, which "
        "takes 1 MB/s. Two functions look after it; it takes about six minutes to see them work."
    )
    narrator.verbatim(FLOW, "")
    with started(narrator) as cloud:
        apply(narrator, cloud)
        watch = Watch(cloud, STREAM, narrator)
        pump = Pump(STREAM, cloud.client("kinesis"))
        scales_up(narrator, watch, pump)
        names_a_hot_key(narrator, watch, pump)
        scales_down(narrator, watch, pump)
        all_was_read(narrator, cloud, watch, pump)
    narrator.head("That was all")
    narrator.claim("The emulator and all that it started have ended.", not cloud.alive)


def started(narrator: Narrator) -> LocalCloud:
    """A local cloud with the two functions in it."""
    narrator.say("Starting an AWS emulator on this machine, whose shards refuse what is too much.")
    with narrator.console.status("starting the emulator"):
        cloud = LocalCloud.start(
            FUNCTIONS,
            name=NAME,
            stack_name="clew-scaling",
            parameters={"Schedule": "rate(1 minute)"},
            enforce_limits=True,
            metrics_period_s=2,
        )
    narrator.claim(
        "The functions clew-scaling-up and clew-scaling-down are deployed, from the template that "
        "AWS gets.",
        {"clew-scaling-up", "clew-scaling-down"} <= set(cloud.functions.values()),
    )
    return cloud


def apply(narrator: Narrator, cloud: LocalCloud) -> None:
    """The stream and its alarms, from streams.yml; and the function that reads the stream."""
    file = HERE / "streams.yml"
    narrator.say("\nWhat is wanted of the stream is in examples/scaling/streams.yml:")
    wanted = file.read_text("utf-8")
    narrator.verbatim(wanted[wanted.index("streams:") : wanted.index("environments:")].strip(), "")
    narrator.verbatim("clew streams apply --env demo --local")
    command = ["streams", "apply", "--file", str(file), "--env", "demo", "--local", NAME, "--yes"]
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "clew", *command],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise NotAsToldError(f"clew streams apply said: {done.stderr.strip()}")
    narrator.verbatim(done.stdout.strip(), "")
    cloud.deploy(HERE / "template.yaml", "reader")
    alarms = cloud.client("cloudwatch").describe_alarms(AlarmNamePrefix="clew/")["MetricAlarms"]
    narrator.claim(f"The stream has 1 shard and {len(alarms)} alarms.", len(alarms) >= 3)


def scales_up(narrator: Narrator, watch: Watch, pump: Pump) -> None:
    """Part 1: more load than the stream can take."""
    narrator.head("1. More than it can take")
    narrator.say(f"From now on the meters send {LOAD * READING / 1e6:.0f} MB/s.")
    threshold = watch.threshold("bytes")
    pump.start(records_per_s=LOAD, size=READING)
    watch.until(
        "the alarm and the function",
        lambda: len(watch.shards) >= 4 and watch.settled(),
        WAIT_S,
        pump,
    )
    done = watch.actions("done")
    narrator.claim(
        f"Nobody polled: the alarm rang, and told the function. It was asked by {done[0]['who']}.",
        "alarm" in done[0]["who"],
    )
    narrator.claim(f"Its reason: {done[0]['why']}", bool(done[0]["why"]))
    narrator.claim(
        f"{sum(one['splits'] for one in done)} splits and {sum(one['merges'] for one in done)} "
        f"merges later the stream has {len(watch.shards)} shards, each with alarms of its own.",
        all(one["splits"] + one["update_calls"] for one in done),
    )
    moved = watch.threshold("bytes")
    narrator.claim(
        f"The threshold of the alarm has moved from {threshold / 60e6:.2f} to {moved / 60e6:.2f} "
        "MB/s, and the alarm is back to OK, so that it can ring again.",
        moved > threshold * 3,
    )
    refused = pump.refused
    watch.pause(8, pump)
    narrator.claim(
        f"The stream takes it all: {refused:,} refusals so far, all sent again in order, and "
        f"{pump.refused - refused} in the last 8 seconds.",
        pump.refused - refused <= refused / 10,
    )
    pump.stop()


def names_a_hot_key(narrator: Narrator, watch: Watch, pump: Pump) -> None:
    """Part 2: what no shard can help."""
    narrator.head("2. One meter goes wild")
    narrator.say(
        f"{HOT} sends {HOT_LOAD * READING / 1e6:.1f} MB/s, all others nothing. All records of one "
        "partition key go to one shard: more shards would not help, and only cost."
    )
    before = watch.cuts
    pump.start(records_per_s=HOT_LOAD, size=READING, meters=[HOT])
    watch.until("the hot key to be found", lambda: bool(watch.hot_keys()), WAIT_S, pump)
    pump.stop()
    narrator.claim(f"The function says so: {watch.hot_keys()[0]}", bool(watch.hot_keys()))
    narrator.claim("It has changed nothing.", watch.cuts == before)


def scales_down(narrator: Narrator, watch: Watch, pump: Pump) -> None:
    """Part 3: the quiet hour."""
    narrator.head("3. The quiet hour")
    narrator.say(
        f"The meters send {QUIET_LOAD * READING / 1000:.0f} kB/s. After two quiet minutes (in "
        "production it would be a day) the scheduled function merges what is not needed."
    )
    pump.start(records_per_s=QUIET_LOAD, size=READING)
    watch.until("two quiet minutes", lambda: len(watch.shards) == 1 and watch.settled(), 420, pump)
    pump.stop()
    last = watch.actions("done")[-1]
    narrator.claim(
        f"{last['splits']} splits, {last['merges']} merges, asked by {last['who']}. Its reason: "
        f"{last['why']}",
        last["merges"] > 0 and "schedule" in last["who"],
    )
    narrator.claim(
        f"The bill is {last['usd_month']:.2f} dollars a month instead of "
        f"{last['usd_month_before']:.2f}.",
        last["usd_month"] < last["usd_month_before"],
    )


def all_was_read(narrator: Narrator, cloud: LocalCloud, watch: Watch, pump: Pump) -> None:
    """Part 4: what became of the readings."""
    narrator.head("4. Meanwhile, the readers")
    read = until(
        lambda: watch.read(cloud.stacks["reader"].outputs["ReadTable"]),
        lambda found: sum(map(len, found.values())) >= pump.records,
    )
    narrator.claim(
        f"{pump.records:,} readings of {len(pump.sent)} meters were sent while the shards changed.",
        pump.records > 0,
    )
    narrator.claim(
        "Each was read once, and those of each meter in their order.",
        read == {meter: list(range(1, last + 1)) for meter, last in pump.sent.items()},
    )
    narrator.say("\nWhat was done, as `clew streams history readings` tells it:")
    for one in watch.actions("done"):
        text = (
            f"{one['stream']}: {one['shards_before']} -> {one['shards_after']} shards, {one['who']}"
        )
        narrator.verbatim(f"{text}\n{one['plan']}", "")


def until(
    look: Callable[[], dict[str, Any]], complete: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """What is found, once it is complete; as it is, if it does not become so."""
    deadline = time.monotonic() + 60
    found = look()
    while not complete(found) and time.monotonic() < deadline:
        time.sleep(0.2)
        found = look()
    return found


if __name__ == "__main__":
    sys.exit(main())
