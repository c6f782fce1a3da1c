"""The local cloud as one object: an emulator, what was deployed to it, and its logs."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.exceptions import HTTPClientError

from clew.localcloud import state
from clew.localcloud.deploy import deploy as deploy_template
from clew.localcloud.deploy import describe_stack, stack_name_for
from clew.localcloud.emulator import METRICS_PERIOD_S, Emulator, end_process
from clew.localcloud.environment import LOOPBACK
from clew.localcloud.errors import CloudEndedError, LocalCloudError
from clew.localcloud.faults import Faults
from clew.localcloud.logs import LogLine, NewLines, read_log_lines
from clew.localcloud.mappings import StreamMapping, prepare_mappings, read_mappings
from clew.localcloud.session import OWN, LoopbackSession
from clew.localcloud.template import read_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from types import TracebackType

    from clew.localcloud.deploy import Stack, StackEvent

_POLL_S = 0.2


class LocalCloud:
    """A local cloud. :meth:`start` makes one, :meth:`connect` finds one that runs.

    As a context manager it stops on the way out if it was started here, and is left alone if it
    was only connected to.
    """

    def __init__(
        self, record: state.CloudRecord, *, emulator: Emulator | None, stop_on_exit: bool
    ) -> None:
        self._record = record
        self._emulator = emulator
        self._stop_on_exit = stop_on_exit
        self._session = LoopbackSession(self.endpoint_url, self.region)
        self._stacks: dict[str, Stack] = {}
        #: Failures on purpose, for the calls that functions and clients make.
        self.faults = Faults(record.port)
        # Making a client costs tens of milliseconds, and logs are read in loops.
        self._clients = {name: self.own_client(name) for name in ("lambda", "logs")}

    @classmethod
    def start(
        cls,
        template: Path | str | None = None,
        *,
        stack_name: str | None = None,
        parameters: Mapping[str, str] | None = None,
        name: str | None = None,
        region: str = "us-east-1",
        port: int | None = None,
        detach: bool = False,
        enforce_limits: bool = False,
        metrics_period_s: float = METRICS_PERIOD_S,
        on_event: Callable[[StackEvent], None] | None = None,
    ) -> Self:
        """Start an emulator and deploy ``template`` to it, if there is one.

        It ends with this process, however this process ends, unless ``detach`` is true.

        Args:
            template: A SAM or CloudFormation template.
            stack_name: The name of the template's folder if not given.
            parameters: Values of the template's parameters.
            name: What ``clew local`` calls it; the stack's name if not given, and a number is
                added if that is taken.
            region: The region that it plays.
            port: Its port on loopback; a free one if not given.
            detach: Leave it running when this process ends.
            enforce_limits: Refuse what a Kinesis shard would not take or give on AWS: 1 MB/s and
                1,000 records/s in, 2 MB/s and 5 calls/s out.
            metrics_period_s: Seconds between two publications of Kinesis metrics. Alarms are
                looked at then.
            on_event: Told of each step of the deployment.

        Raises:
            LocalCloudError: It did not start, or the template was not deployed. Nothing is left
                running then.
        """
        path = None if template is None else Path(template)
        if path is not None:
            read_template(path)  # before anything is started for it
        emulator = Emulator.start(
            region=region,
            port=port,
            detach=detach,
            enforce_limits=enforce_limits,
            metrics_period_s=metrics_period_s,
        )
        record = None
        try:
            record = state.register(
                state.CloudRecord(
                    name=name or stack_name or (stack_name_for(path) if path else "local"),
                    port=emulator.port,
                    region=region,
                    pid=emulator.identity.pid,
                    created=emulator.identity.created,
                    run_dir=str(emulator.run_dir),
                    template=str(path.resolve()) if path else None,
                )
            )
            cloud = cls(record, emulator=emulator, stop_on_exit=not detach)
            if path is not None:
                cloud.deploy(path, stack_name, parameters=parameters, on_event=on_event)
        except BaseException:
            if record is not None:
                state.forget(record.name)
            # A log is worth keeping only if the message names it, and it does if that ended.
            emulator.stop(keep_log=not emulator.alive)
            raise
        return cloud

    @classmethod
    def connect(cls, name: str | None = None) -> Self:
        """The running cloud of that name, or the only one that runs.

        Raises:
            LocalCloudError: There is none, or several and no name.
        """
        cloud = cls(state.find_cloud(name), emulator=None, stop_on_exit=False)
        with cloud._told_if_it_ended():
            for stack_name in cloud._record.stacks:
                stack = describe_stack(cloud._session, stack_name)
                if stack is not None:
                    cloud._stacks[stack_name] = stack
        return cloud

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._stop_on_exit:
            self.stop()

    @property
    def name(self) -> str:
        """What ``clew local`` calls it."""
        return self._record.name

    @property
    def endpoint_url(self) -> str:
        """Where every AWS service answers: ``http://127.0.0.1:PORT``."""
        return f"http://{LOOPBACK}:{self._record.port}"

    @property
    def region(self) -> str:
        """The region that it plays."""
        return self._record.region

    @property
    def log_path(self) -> Path:
        """The emulator's own log, not that of the functions."""
        return self._record.log_path

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        if self._emulator is not None:
            return self._emulator.alive
        return self._record.identity.process() is not None

    @property
    def stacks(self) -> Mapping[str, Stack]:
        """What was deployed, by stack name, in the order of deployment."""
        return dict(self._stacks)

    @property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of every stack; URLs of APIs lead to loopback. The last one deployed wins."""
        return {
            key: value for stack in self._stacks.values() for key, value in stack.outputs.items()
        }

    @property
    def functions(self) -> Mapping[str, str]:
        """Logical id -> physical name of every function."""
        return {
            key: value for stack in self._stacks.values() for key, value in stack.functions.items()
        }

    def session(self) -> LoopbackSession:
        """A boto3 session of its own, at the loopback endpoint with credentials worth nothing."""
        return LoopbackSession(self.endpoint_url, self.region)

    def client(self, service_name: str, **kwargs: Any) -> Any:
        """A boto3 client, likewise."""
        return self._session.client(service_name, **kwargs)

    def own_client(self, service_name: str) -> Any:
        """A boto3 client for looking at what happened, which injected faults do not strike."""
        return self._session.client(service_name, config=OWN)

    def deploy(
        self,
        template: Path | str,
        stack_name: str | None = None,
        *,
        parameters: Mapping[str, str] | None = None,
        on_event: Callable[[StackEvent], None] | None = None,
    ) -> Stack:
        """Deploy a template beside what is there, or update the stack of that name.

        Raises:
            LocalCloudError: The template is no good, or a resource failed.
        """
        with self._told_if_it_ended():
            if read_template(Path(template)).reads_streams:
                with contextlib.suppress(LocalCloudError):  # what follows says it better
                    prepare_mappings(self._record.port)
            stack = deploy_template(
                self._session,
                Path(template),
                stack_name=stack_name,
                parameters=parameters,
                on_event=on_event,
            )
        self._stacks[stack.name] = stack
        self._record = dataclasses.replace(self._record, stacks=tuple(self._stacks))
        state.update(self._record)
        return stack

    def mappings(self) -> list[StreamMapping]:
        """The event source mappings on Kinesis and DynamoDB streams, and how each is doing."""
        return read_mappings(self._record.port)

    def log_lines(
        self, function: str | None = None, since: datetime | None = None
    ) -> list[LogLine]:
        """The log lines of a function, or of all, from ``since`` (included), oldest first.

        Args:
            function: Its logical id in the template, or its physical name.
            since: An aware time.

        Raises:
            LocalCloudError: There is no such function.
        """
        with self._told_if_it_ended():
            groups = self._log_groups(function)
            return read_log_lines(self._clients["logs"], groups, since)

    def wait(self) -> None:
        """Return when somebody ends this cloud, with ``clew local down`` for instance.

        Raises:
            LocalCloudError: The emulator ended by itself.
        """
        while self.alive:
            time.sleep(_POLL_S)
        if state.is_registered(self.name):
            raise LocalCloudError(
                f"The emulator of the local cloud {self.name} ended by itself; "
                f"its log is {self.log_path}."
            )

    def follow_log_lines(
        self, function: str | None = None, since: datetime | None = None
    ) -> Iterator[LogLine]:
        """As :meth:`log_lines`, and then each line as it comes, until the cloud ends."""
        reader = NewLines(since)
        while self.alive:
            try:
                lines = self.log_lines(function, reader.since)
            except CloudEndedError:
                return
            yield from reader.among(lines)
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """End it and everything under it, and remove its files. May be called again.

        If the emulator had ended by itself, its log is left for reading.
        """
        state.forget(self.name)
        if self._emulator is not None:
            self._emulator.stop(keep_log=not self._emulator.alive)
        else:
            end_process(self._record.identity)

    def _log_groups(self, function: str | None) -> list[str]:
        groups = {}
        pages = self._clients["lambda"].get_paginator("list_functions").paginate()
        for configuration in (item for page in pages for item in page["Functions"]):
            name = configuration["FunctionName"]
            own = configuration.get("LoggingConfig", {}).get("LogGroup")
            groups[name] = own or f"/aws/lambda/{name}"
        if function is None:
            return sorted(set(groups.values()))
        physical = self.functions.get(function, function)
        if physical not in groups:
            known = ", ".join(sorted(self.functions) or sorted(groups)) or "none"
            raise LocalCloudError(f"There is no function {function} here (there is: {known}).")
        return [groups[physical]]

    @contextlib.contextmanager
    def _told_if_it_ended(self) -> Iterator[None]:
        """Turns a refused connection into a sentence, if the emulator is why."""
        try:
            yield
        except (BotoConnectionError, HTTPClientError) as error:
            if not state.is_registered(self.name):  # and its log has gone with it
                raise CloudEndedError(
                    f"The local cloud {self.name} has been ended; "
                    "see which ones run with: clew local status."
                ) from error
            raise LocalCloudError(
                f"The emulator of the local cloud {self.name} does not answer any more; "
                f"its log is {self.log_path}."
            ) from error
