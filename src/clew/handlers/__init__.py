"""Decorators for Lambda handlers: capture what came in, forward it, log it, sum it up."""

from clew.handlers.any import handler
from clew.handlers.api import api_handler
from clew.handlers.records import kinesis_handler, sns_handler

__all__ = ["api_handler", "handler", "kinesis_handler", "sns_handler"]
