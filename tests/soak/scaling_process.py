"""Runs the scaling functions as Lambda would: each invocation in a process that may be killed.

A job is a line of JSON on standard input, an answer one on standard output. Everything is imported
and made once, and not used here; each invocation is a fork of it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clew.scaling.managed import handlers, lock
from scaling.managed.killer import killed_at
from scaling.managed.stage import Context

if TYPE_CHECKING:
    from clew.scaling.managed.tools import Tools

_RESHARDING = frozenset({"SplitShard", "MergeShards", "UpdateShardCount"})


def main() -> None:
    """Until standard input ends."""
    handlers._clients()
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            _invoke(job)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        answer = {"killed": killed, "code": 0 if killed else os.WEXITSTATUS(status)}
        print(json.dumps(answer), flush=True)


def _invoke(job: dict[str, Any]) -> None:
    """One invocation. It ends this process, whatever happens."""
    code = 1
    try:
        out = os.open(job["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(out, 1)
        os.dup2(out, 2)
        original = handlers.tools_of

        def tools_of(context: Any) -> Tools:
            return replace(original(context), clock=lambda: time.time() + job["skew_s"])

        handlers.tools_of = tools_of
        if job["lease"] is not None:
            defaults = lock.Lock.__init__.__kwdefaults__ or {}
            defaults["lease_s"], defaults["grace_s"] = job["lease"]
        clients = handlers._clients()
        _journal(job, clients[0])
        run = getattr(handlers, job["function"])
        context = Context(job["request_id"])
        if job["kill"] is None:
            run(job["event"], context)
        else:
            with killed_at(clients, job["kill"], after=job["after"], kill=_die):
                run(job["event"], context)
        code = 0
    finally:
        sys.stdout.flush()
        os._exit(code)


def _journal(job: dict[str, Any], kinesis: Any) -> None:
    """Write down each call that changes the shards, with the fencing number that it goes by."""
    journal = os.open(job["journal"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    fence = {"number": 0}
    renew = lock.Lock.renew

    def renewed(self: lock.Lock, held: lock.Held) -> None:
        renew(self, held)
        fence["number"] = held.fence

    lock.Lock.renew = renewed  # type: ignore[method-assign]

    def note(model: Any, **_: Any) -> None:
        if model.name in _RESHARDING:
            said = {"at_s": time.time(), "call": model.name, "fence": fence["number"]}
            os.write(journal, json.dumps(said).encode() + b"\n")

    kinesis.meta.events.register("before-call", note)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
