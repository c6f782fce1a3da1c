"""The function of a case: it does what the case says, wherever it runs."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

    from .contract import Seen

#: What runs as a Lambda function: it asks this process what to do.
LAMBDA_CODE = """
import json, os, urllib.request

def handler(event, context):
    with urllib.request.urlopen(os.environ["ASK"], json.dumps(event).encode()) as answer:
        said = json.load(answer)
    if "raise" in said:
        raise RuntimeError(said["raise"])
    return said["return"]
"""


class CaseFunction:
    """Remembers its events, and fails or answers as the case says."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._left = dict(seen.case.fails)
        self._answers = list(seen.case.answers)
        self._lock = threading.Lock()
        self.failed = threading.Event()

    def __call__(self, event: dict[str, Any], _context: object = None) -> Any:
        with self._lock:
            self._seen.events.append(json.loads(json.dumps(event)))
            for name in self._seen.names_of(event):
                if left := self._left.get(name, 0):
                    self._left[name] = left - 1
                    self.failed.set()
                    raise RuntimeError(f"{name} fails")
            if self._seen.case.answer is not None:
                return self._seen.case.answer(event)
            return self._filled(
                self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            )

    def _filled(self, answer: Any) -> Any:
        """The answer with sequence numbers in the place of names."""
        match answer:
            case dict():
                return {key: self._filled(value) for key, value in answer.items()}
            case list():
                return [self._filled(each) for each in answer]
            case str() if answer.startswith("$"):
                return self._seen.sequence(answer[1:])
        return answer


class FunctionServer:
    """Answers for the functions of several cases, each at its own path."""

    def __init__(self) -> None:
        functions: dict[str, CaseFunction] = {}
        self.functions = functions

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                try:
                    said = {"return": functions[self.path[1:]](event)}
                except RuntimeError as error:
                    said = {"raise": str(error)}
                body = json.dumps(said).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/{name}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
