"""What a handler raises reaches callers as on AWS, and its process lives on.

The emulator ends the process of a function that raised, and tells callers ``Runtime.HandlerError``
in place of the exception. Here its script answers that all went well, with the failure beside it,
and what it says is turned back into a failure behind the place where processes are ended.
"""

from __future__ import annotations

import contextvars
import json
from typing import TYPE_CHECKING, Any

from ministack.core import lambda_runtime
from ministack.services import apigateway_v1, lambda_svc

from clew.localcloud.seam.emulator_parts import around

if TYPE_CHECKING:
    from collections.abc import Callable

_BESIDE = "clew_failure"
_MARK = "clew_failed"
_EXITED = "Worker process died"

_THEIRS = """\
        try:
            result = handler_fn(event, context)
            _real_stdout.write(json.dumps({"status": "ok", "result": result}) + "\\n")
        except Exception as e:
            _real_stdout.write(json.dumps({"status": "error", "error": str(e), \
"trace": traceback.format_exc()}) + "\\n")
"""
# In the words of AWS's own runtime interface client, whose frames are not in stackTrace either.
_OURS = """\
        failure = trace = result = None
        try:
            result = handler_fn(event, context)
        except Exception as e:
            trace = traceback.format_exc()
            frames = traceback.format_list(traceback.extract_tb(e.__traceback__)[1:])
            failure = {"errorMessage": str(e), "errorType": type(e).__name__}
            failure.update(requestId=context.aws_request_id, stackTrace=frames)
        answer = {"status": "ok", "result": result}
        if failure is None:
            try:
                answer = json.dumps(answer)
            except Exception as e:
                trace = traceback.format_exc()
                message = "Unable to marshal response: " + str(e)
                failure = {"errorMessage": message, "errorType": "Runtime.MarshalError"}
                failure.update(requestId=context.aws_request_id, stackTrace=[])
        if failure is not None:
            answer = json.dumps({"status": "ok", "BESIDE": failure, "trace": trace})
        _real_stdout.write(answer + "\\n")
""".replace("BESIDE", _BESIDE)

_THEIR_START = """\
    except Exception as e:
        _real_stdout.write(json.dumps({"status": "error", "error": str(e)}) + "\\n")
"""
_OUR_START = """\
    except Exception as e:
        kind, message = type(e).__name__, str(e)
        if isinstance(e, ImportError):
            kind = "Runtime.ImportModuleError"
            message = f"Unable to import module '{module_name}': {e}"
        elif isinstance(e, SyntaxError):
            kind = "Runtime.UserCodeSyntaxError"
            message = f"Syntax error in module '{module_name}': {e}"
        elif isinstance(e, AttributeError) and "mod" in locals() and not hasattr(mod, handler_name):
            kind = "Runtime.HandlerNotFound"
            message = f"Handler '{handler_name}' missing on module '{module_name}'"
        frames = [] if kind.startswith("Runtime.") else traceback.format_list(
            traceback.extract_tb(e.__traceback__)[1:])
        failure = {"errorMessage": message, "errorType": kind, "stackTrace": frames}
        told = json.dumps({"failure": failure, "trace": traceback.format_exc()})
        _real_stdout.write(json.dumps({"status": "error", "error": told}) + "\\n")
"""
_INIT_FAILED = "Worker init failed: "

_failure: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar(
    "clew_failure", default=None
)


def install() -> None:
    """Change the emulator's script, and put the way back around what runs it.

    Raises:
        SystemExit: The script is not that of the version that clew is written for.
    """
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if _THEIRS not in script or _THEIR_START not in script:
        message = "The script of Python functions is another: so is this version of ministack."
        raise SystemExit(message)
    script = script.replace(_THEIRS, _OURS).replace(_THEIR_START, _OUR_START)
    lambda_runtime._PYTHON_WORKER_SCRIPT = script
    around(lambda_runtime.Worker, "invoke", _invoke)
    around(lambda_svc, "_execute_function_warm", _execute)
    around(lambda_svc, "lambda_execute_result_to_api_proxy_response", _http_answer)
    around(lambda_svc, "_function_url_proxy_response", _function_url_answer)
    around(apigateway_v1, "_lambda_proxy_response", _rest_answer)


def _invoke(original: Callable[..., dict[str, Any]], *args: Any, **kwargs: Any) -> dict[str, Any]:
    response = original(*args, **kwargs)
    failure = response.pop(_BESIDE, None)
    _failure.set(failure)
    if failure is None:
        return response
    return {**response, "status": "error", "error": failure["errorMessage"]}


def _execute(original: Callable[..., dict[str, Any]], *args: Any) -> dict[str, Any]:
    _failure.set(None)
    result = original(*args)
    if not result.get("error"):
        return result
    body = _failure.get() or result["body"]
    message = str(body.get("errorMessage")) if isinstance(body, dict) else ""
    if message == _EXITED:
        body = {**body, "errorType": "Runtime.ExitError"}
    elif message.startswith(_INIT_FAILED + "{"):
        told = json.loads(message.removeprefix(_INIT_FAILED))
        body, trace = told["failure"], told["trace"]
        head = f"[ERROR] {body['errorType']}: {body['errorMessage']}"
        result = {**result, "log": f"{head}\n{trace}".rstrip()}
    return {**result, "body": body}


def _http_answer(original: Callable[..., Any], result: dict[str, Any]) -> Any:
    """That of an HTTP API, which says nothing of what went wrong, marked for the other two."""
    answer = original(result)
    body = result.get("body")
    own = isinstance(body, dict) and "statusCode" in body
    if result.get("throttle") or not result.get("error") or own:
        return answer
    headers = {"Content-Type": "application/json"}
    text = '{"message":"Internal Server Error"}'
    return {"statusCode": 500, "headers": headers, "body": text, _MARK: True}, None


def _rest_answer(original: Callable[..., Any], result: dict[str, Any]) -> Any:
    answer, error = original(result)
    return (None, "Internal server error") if (answer or {}).get(_MARK) else (answer, error)


def _function_url_answer(
    original: Callable[..., Any], answer: dict[str, Any] | None, cors: dict[str, str]
) -> Any:
    return original(None if (answer or {}).get(_MARK) else answer, cors)
