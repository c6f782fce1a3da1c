"""Decorators for Lambda handlers: capture what came in, forward it, log it, sum it up.

One module per kind of handler, loaded when it is first used.
"""
