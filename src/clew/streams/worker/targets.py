"""What a batch is given to: a function in this process, or a Lambda function by Invoke."""

from __future__ import annotations

import json
import threading
import time
import traceback
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from clew.streams.worker.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import boto3

_LAMBDA_TIMEOUT_S = 900  # the longest a function may run: "Lambda quotas"
_THROTTLED = "TooManyRequestsException"
_NO_SUCH_FUNCTION = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an invocation came to, before it is read as a batch's outcome."""

    #: What the function returned, as JSON values; None where there is an error.
    value: Any = None
    #: Why the function failed, or "".
    error: str = ""
    #: What Lambda calls that failure: "Unhandled" or "Handled".
    function_error: str = "Unhandled"
    #: Whether the function had the event at all.
    invoked: bool = True
    request_id: str = ""
    executed_version: str = "$LATEST"


class Target(Protocol):
    """Something that takes an event. Called from several threads at once."""

    @property
    def function_arn(self) -> str:
        """What an on-failure destination is told of."""

    def check(self) -> None:
        """Raises `WorkerError` if it cannot be invoked at all."""

    def invoke(self, event: Mapping[str, Any]) -> Answer:
        """Give it an event, and wait for what comes of it. Never raises."""


class FunctionTarget:
    """A Python function ``(event, context)`` in this process.

    A function that is written for Lambda may count on being alone in its process, so it runs for
    one batch at a time unless ``concurrency`` allows more. Its time limit is told by the context
    and not enforced: a thread cannot be ended from outside.
    """

    def __init__(
        self,
        function: Callable[[Any, Any], Any],
        *,
        name: str = "",
        timeout_s: float = _LAMBDA_TIMEOUT_S,
        concurrency: int = 1,
    ) -> None:
        if concurrency < 1:
            raise WorkerError(f"The concurrency has to be at least 1, not {concurrency}.")
        self._function = function
        self._name = name or getattr(function, "__name__", "function")
        self._timeout_s = timeout_s
        self._free = threading.Semaphore(concurrency)

    @property
    def function_arn(self) -> str:
        """An ARN in the form of a function's, with no account in it."""
        return f"arn:aws:lambda:local:000000000000:function:{self._name}"

    def check(self) -> None:
        """Raises `WorkerError` if it cannot be called."""
        if not callable(self._function):
            raise WorkerError(f"{self._name} is not a function; name one as module:function.")

    def invoke(self, event: Mapping[str, Any]) -> Answer:
        """Call it. What it raises, and what is not JSON in its answer, is a function error."""
        with self._free:
            context = WorkerContext(
                self._name, self.function_arn, time.monotonic() + self._timeout_s
            )
            try:
                value = self._function(event, context)
            except (Exception, SystemExit) as error:  # noqa: BLE001  (as the runtime does)
                return Answer(error=_say(error), request_id=context.aws_request_id)
        if value is not None:
            try:
                value = json.loads(json.dumps(value))
            except (TypeError, ValueError, RecursionError) as error:
                reason = f"Runtime.MarshalError: the answer is not JSON: {error}"
                return Answer(error=reason, request_id=context.aws_request_id)
        return Answer(value, request_id=context.aws_request_id)


@dataclass(slots=True)
class WorkerContext:
    """What a handler knows about its invocation, as Lambda's context object."""

    function_name: str
    invoked_function_arn: str
    deadline: float
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "128"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    log_group_name: str = ""
    log_stream_name: str = ""
    identity: None = None
    client_context: None = None

    def __post_init__(self) -> None:
        self.log_group_name = self.log_group_name or f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation's time is up; never below 0."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


class LambdaTarget:
    """A Lambda function, invoked and waited for.

    Args:
        session: Its client is made from this.
        function: The function's name or ARN.
        qualifier: A version or an alias.
        concurrency: How many invocations may be under way at once.
    """

    def __init__(
        self, session: boto3.Session, function: str, *, qualifier: str = "", concurrency: int = 50
    ) -> None:
        self._function = function
        self._where = {"FunctionName": function} | ({"Qualifier": qualifier} if qualifier else {})
        self._arn = f"{function}:{qualifier}" if qualifier else function
        self._client: Any = session.client(
            "lambda",
            config=Config(
                # The mapping retries by its own rules; the SDK's would run the function unseen.
                retries={"total_max_attempts": 1, "mode": "standard"},
                read_timeout=_LAMBDA_TIMEOUT_S + 10,
                tcp_keepalive=True,
                max_pool_connections=concurrency,
            ),
        )

    @property
    def function_arn(self) -> str:
        """The function's ARN, once `check` has run."""
        return self._arn

    def check(self) -> None:
        """Raises `WorkerError` if there is no such function."""
        try:
            found = self._client.get_function_configuration(**self._where)
        except ClientError as error:
            if error.response["Error"]["Code"] != _NO_SUCH_FUNCTION:
                raise WorkerError(
                    f"Lambda does not tell about the function {self._function}: {error}"
                ) from error
            raise WorkerError(
                f"There is no Lambda function {self._function}; create it, or name another one."
            ) from None
        except BotoCoreError as error:
            raise WorkerError(f"Lambda cannot be reached: {error}.") from error
        self._arn = found["FunctionArn"]

    def invoke(self, event: Mapping[str, Any]) -> Answer:
        """Invoke it. Throttles and failures of the service say that it had no event."""
        payload = json.dumps(event, separators=(",", ":")).encode()
        try:
            response = self._client.invoke(**self._where, Payload=payload)
            body = response["Payload"].read()
        except (ClientError, BotoCoreError) as error:
            return Answer(error=str(error), invoked=False)
        request_id = response["ResponseMetadata"].get("RequestId", "")
        version = response.get("ExecutedVersion", "$LATEST")
        try:
            value = json.loads(body) if body else None
        except ValueError:
            return Answer(
                error="Lambda answered what is not JSON",
                request_id=request_id,
                executed_version=version,
            )
        if kind := response.get("FunctionError"):
            return Answer(
                error=_said(value),
                function_error=kind,
                request_id=request_id,
                executed_version=version,
            )
        return Answer(value, request_id=request_id, executed_version=version)


def _say(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    try:
        return f"{type(error).__name__}: {error}{where}"
    except Exception:  # noqa: BLE001  (an exception whose text fails is still a failure)
        return type(error).__name__


def _said(value: Any) -> str:
    match value:
        case {"errorType": str(kind), "errorMessage": message}:
            return f"{kind}: {message}"
        case {"errorMessage": message}:
            return str(message)
    return "the function failed"
