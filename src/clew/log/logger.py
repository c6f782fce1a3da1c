"""Loggers whose lines are clew's JSON and whose DEBUG level follows the call chain."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from time import time as now

from clew.correlation import current, use
from clew.log.encode import as_text
from clew.log.held import MAX_TEXT, kept_arguments, kept_fields, kept_message
from clew.log.internal import failed
from clew.log.line import build, describe
from clew.log.out import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation

#: The members that `logging` itself gives a record; the others are the caller's ``extra``.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
#: Lambda's names for log levels that Python names otherwise (Lambda guide, "Log-level filtering").
_LEVELS = {"TRACE": logging.DEBUG, "WARN": logging.WARNING, "FATAL": logging.CRITICAL}

_DEBUG, _INFO = logging.DEBUG, logging.INFO
_POWERTOOLS = "aws_lambda_powertools.logging.logger"


class ClewLogger(logging.Logger):
    """A `logging.Logger` that is at DEBUG for the call chains that were chosen for it.

    DEBUG lines that are off are kept in the invocation's flight recorder.
    """

    _cache: dict[int, bool]  # `logging`'s own, which it clears when a level changes

    @property
    def level(self) -> int:
        """The level that was set; else none, if a parent below the root has one; else clew's.

        It is asked when `logging` does not know any more what is on: when a level has changed.
        """
        own: int = self.__dict__.get("level", logging.NOTSET)
        if own or (self.parent is not None and _has_level(self.parent)):
            return own
        return level_from_environment()

    @level.setter
    def level(self, level: int) -> None:
        self.__dict__["level"] = level

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  (logging's name)
        """Whether a line of ``level`` is written here and now."""
        if self._cache.get(level) and not self.disabled:
            return True
        if super().isEnabledFor(level):
            return True
        return (
            level >= logging.DEBUG
            and current().debug
            and not self.disabled
            and self.manager.disable < level
        )

    # Arguments by name, as `logging` has them: one dict of all would cost a line that is off a
    # quarter of its price.

    def debug(
        self,
        msg: object,
        *args: object,
        exc_info: Any = None,
        extra: Any = None,
        stack_info: bool = False,
        stacklevel: int = 1,
        **others: Any,
    ) -> None:
        """Write a DEBUG line if this call chain is at DEBUG, else keep it for a failure."""
        correlation = current()
        try:  # the common case first: what is off costs every call
            maybe = self._cache[_DEBUG] or correlation.debug
        except KeyError:
            maybe = True
        if maybe and self.isEnabledFor(_DEBUG):
            self._log(_DEBUG, msg, args, exc_info, extra, stack_info, stacklevel + 1, **others)
            return
        invocation = correlation.invocation
        if invocation is not None:
            invocation.flight_recorder.append(
                (
                    now(),
                    self.name,
                    msg if type(msg) is str and len(msg) <= MAX_TEXT else kept_message(msg),
                    args and kept_arguments(args),
                    extra and kept_fields(extra),
                    sys.exc_info() if exc_info is True else exc_info,
                    correlation,
                )
            )

    def info(
        self,
        msg: object,
        *args: object,
        exc_info: Any = None,
        extra: Any = None,
        stack_info: bool = False,
        stacklevel: int = 1,
        **others: Any,
    ) -> None:
        """Write an INFO line."""
        if (self._cache.get(_INFO) and not self.disabled) or self.isEnabledFor(_INFO):
            if others:  # which raises, as `logging` does
                self._log(_INFO, msg, args, **others)
            self._log(_INFO, msg, args, exc_info, extra, stack_info, stacklevel + 1)

    def _log(  # noqa: PLR0917  (logging's own arguments)
        self,
        level: int,
        msg: object,
        args: Any,
        exc_info: Any = None,
        extra: Any = None,
        stack_info: bool = False,
        stacklevel: int = 1,
    ) -> None:
        """`logging`'s own; where clew's handler is all that would see a record, none is made."""
        if exc_info or stack_info or not self._goes_to_clew_alone():
            super()._log(level, msg, args, exc_info, extra, stack_info, stacklevel + 1)
            return
        try:
            line = build(
                at=now(),
                level=logging.getLevelName(level),
                message=message(msg, args) if args or type(msg) is not str else msg,
                logger=self.name,
                correlation=current(),
                fields=own_fields(extra) if extra is not None else None,
            )
            write(line)
        except Exception:  # noqa: BLE001  (logging never breaks the request)
            failed("writing a log line")

    def _goes_to_clew_alone(self) -> bool:
        """Whether no filter, handler or record factory but `logging`'s and clew's would see it."""
        if self.filters or logging.getLogRecordFactory() is not logging.LogRecord:
            return False
        step: logging.Logger = self
        while (parent := step.parent) is not None:
            if step.handlers or not step.propagate:
                return False
            step = parent
        if len(step.handlers) != 1:
            return False
        only = step.handlers[0]
        return type(only) is ClewHandler and not only.filters and not only.level

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Write a line of ``level``; at DEBUG, as `debug` does."""
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        if level == logging.DEBUG:
            self.debug(msg, *args, **kwargs)
        else:
            super().log(level, msg, *args, **kwargs)

    def makeRecord(  # noqa: N802, PLR0917  (logging's name and arguments)
        self,
        name: str,
        level: int,
        fn: str,
        lno: int,
        msg: object,
        args: Any,
        exc_info: Any,
        func: str | None = None,
        extra: Any = None,
        sinfo: str | None = None,
    ) -> logging.LogRecord:
        """`logging`'s own, but a field that is named as a member of a record does not raise."""
        record = super().makeRecord(
            name, level, fn, lno, msg, args, exc_info, func, extra=None, sinfo=sinfo
        )
        record.__dict__.update(own_fields(extra))
        return record


class ClewHandler(logging.Handler):
    """Writes each record as one line of JSON, in one ``write``, to what stdout is at that time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write ``record``. A failure to write reaches nobody's request."""
        try:
            if _POWERTOOLS in sys.modules and _is_powertools(record.name):
                return  # its own handler writes it
            write(self.format(record))
        except Exception:  # noqa: BLE001  (logging never breaks the request)
            self.handleError(record)

    def format(self, record: logging.LogRecord) -> str:
        """``record`` as a line of JSON under the correlation in force."""
        return build(
            at=record.created,
            level=record.levelname,
            message=message(record.msg, record.args),
            logger=record.name,
            correlation=current(),
            fields=_extras(record),
            exception=describe(*record.exc_info) if record.exc_info else None,
        )


def _is_powertools(name: str) -> bool:
    from clew.neighbours.powertools import has_own_handler

    return has_own_handler(name)


class RecordLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger for one record of a batch: its lines carry that record's correlation."""

    def __init__(self, correlation: Correlation, name: str = "clew.record") -> None:
        super().__init__(get_logger(name), {})
        self._correlation = correlation

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Write a line of ``level`` under the record's correlation."""
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        with use(self._correlation):
            self.logger.log(level, msg, *args, **kwargs)

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  (logging's name)
        """Whether a line of ``level`` is written for this record."""
        with use(self._correlation):
            return self.logger.isEnabledFor(level)


def message(text: object, arguments: Any) -> str:
    """A log call's message with its arguments put in; never raises, always text."""
    try:
        shown = text if isinstance(text, str) else str(text)
        if isinstance(arguments, tuple) and len(arguments) == 1:
            only = arguments[0]  # one mapping: its values by name, as `logging` has it
            arguments = only if isinstance(only, Mapping) and only else arguments
        return shown % arguments if arguments else shown
    except Exception:  # noqa: BLE001  (wrong arguments are shown, not raised)
        return f"{as_text(text)} (arguments: {as_text(arguments)})"


def own_fields(extra: Any) -> dict[str, Any]:
    """The caller's own fields of a log call. Never raises.

    One that is named as a member of `logging`'s record gets ``_`` after its name, as one that is
    named as a field of clew's does.
    """
    if type(extra) is dict and _STANDARD.isdisjoint(extra):
        return extra
    try:
        fields = dict(extra) if extra is not None else {}
    except (TypeError, ValueError):
        fields = {"extra": extra}
    return {f"{name}_" if name in _STANDARD else name: value for name, value in fields.items()}


def get_logger(name: str | None = None) -> logging.Logger:
    """A logger whose lines are clew's JSON on stdout.

    A `logging.Logger` in every respect. INFO and above are written; DEBUG follows the call
    chain's decision. ``CLEW_LOG_LEVEL`` (or Lambda's ``AWS_LAMBDA_LOG_LEVEL``) sets another
    level for the process; a level that you set, before or later, on the logger or a parent of it
    counts. Without a ``name`` it is the root logger, whose level and DEBUG lines are left as they
    are.
    """
    install()
    logger = logging.getLogger(name)
    if name and not isinstance(logger, ClewLogger) and _may_be_clews(type(logger)):
        logger.__class__ = _clews(type(logger))
        vars(logger)["_cache"].clear()  # its level may be another now
    if name and not _has_level(logger):  # one whose class does these things its own way
        logger.setLevel(level_from_environment())
    return logger


#: A class of loggers that another library made -> the one that is clew's as well.
_both: dict[type[logging.Logger], type[logging.Logger]] = {logging.Logger: ClewLogger}


#: What clew's loggers do their own way: another class that does so too is left as it is.
_OWN_WAYS = ("_log", "debug", "isEnabledFor", "log", "makeRecord")


def _may_be_clews(kind: type[logging.Logger]) -> bool:
    return all(getattr(kind, name) is getattr(logging.Logger, name) for name in _OWN_WAYS)


def _clews(kind: type[logging.Logger]) -> type[logging.Logger]:
    """``ClewLogger`` for loggers of this class: structlog, for one, may have set its own."""
    if kind not in _both:
        _both[kind] = type("ClewLogger", (ClewLogger, kind), {})
    return _both[kind]


def level_from_environment() -> int:
    """The level that ``CLEW_LOG_LEVEL`` or ``AWS_LAMBDA_LOG_LEVEL`` names, else INFO."""
    wanted = os.environ.get("CLEW_LOG_LEVEL") or os.environ.get("AWS_LAMBDA_LOG_LEVEL") or "INFO"
    level = level_named(wanted)
    return logging.INFO if level is None else level


def level_named(name: str) -> int | None:
    """The level of that name, as Python or Lambda has it, in any case; None where it is none."""
    upper = name.strip().upper()
    return _LEVELS.get(upper, logging.getLevelNamesMapping().get(upper))


def install() -> None:
    """Put clew's handler on the root logger, once, in the place of Lambda's own.

    Other handlers stay. Lines of other libraries' loggers come out as JSON too, from the levels
    on that ``CLEW_LOG_LEVELS`` sets for them.
    """
    root = logging.getLogger()
    if any(type(handler) is ClewHandler for handler in root.handlers):
        return
    for handler in root.handlers[:]:
        if type(handler).__module__.startswith("awslambdaric"):
            root.removeHandler(handler)
    root.addHandler(ClewHandler())
    if "CLEW_LOG_LEVELS" in os.environ or "AWS_LAMBDA_LOG_FORMAT" in os.environ:
        from clew.log import levels

        levels.set_single_ones()
        levels.warn_of_dropped(logging.INFO)


def _has_level(logger: logging.Logger) -> bool:
    """Whether somebody set a level on ``logger`` or on a parent below the root."""
    step: logging.Logger | None = logger
    while step is not None and step.parent is not None:
        if step.level != logging.NOTSET:
            return True
        step = step.parent
    return False


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    """The caller's own fields: what is in a record beside `logging`'s members.

    A stack that was asked for (``stack_info=True``) is ``stack``, unless they have one.
    """
    fields = {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
    if record.stack_info:
        lines = str(record.stack_info).splitlines()[1:]  # the first is a heading
        fields.setdefault("stack", [line.strip() for line in lines])
    return fields
