"""DynamoDB: a context as an attribute of the item, in the tables that were named for it.

``CLEW_FORWARD_TABLES=orders,*-events`` names them: it costs storage, and whoever reads the item
sees it. A stream of the table hands it on.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase

from clew import payload, wire
from clew.forward import dynamodb_items as items
from clew.forward.limits import DYNAMODB_ITEM
from clew.forward.sending import answered, goes_untouched, new_sent, refused, take_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Sent

    Params = dict[str, Any]


def _is_named(table: str) -> bool:
    """Whether the items of ``table`` (a name or an ARN) take a context along."""
    name = table.rpartition("table/")[2].partition("/")[0]
    patterns = os.environ.get("CLEW_FORWARD_TABLES", "").replace(" ", "").split(",")
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _put(put: Params, sent: Sent) -> Params:
    """``put``, which has an ``Item``, with the context in it; itself where it goes as it is."""
    item, name = put["Item"], payload.context_field()
    present = items.context_in(item)
    if present is not None:
        take_over(sent, items.pairs(present))
        return put
    context = items.context(sent, name)
    if _too_large(item, name, context) and wire.BAGGAGE in context["M"]:
        del context["M"][wire.BAGGAGE]
    if _too_large(item, name, context):
        goes_untouched(sent, "it would pass the service's limit of its size")
        return put
    return {**put, "Item": {**item, name: context}}


def _too_large(item: Params, name: str, context: Params) -> bool:
    return items.size(item) + items.size({name: context}) > DYNAMODB_ITEM


def _update(update: Params, sent: Sent) -> Params:
    """``update`` with one more attribute set; itself where it sets a context of its own."""
    name = payload.context_field()
    changed = items.with_update(update, name, items.context(sent, name))
    if changed is None:
        sent.carried = False
        return update
    return changed


class PutItem:
    """``PutItem``."""

    @staticmethod
    def stamp(params: Params, correlation: Correlation) -> list[Sent]:
        """The item, if its table takes part."""
        if not _is_named(params["TableName"]):
            return []
        sent = new_sent("dynamodb", "PutItem", params["TableName"], correlation)
        params.update(_put(params, sent))
        return [sent]

    @staticmethod
    def answered(sent: list[Sent], _parsed: Params) -> None:
        """The table took it."""
        for one in sent:
            answered(one, {})


class UpdateItem:
    """``UpdateItem``: sets the context beside what the user's expression does."""

    @staticmethod
    def stamp(params: Params, correlation: Correlation) -> list[Sent]:
        """The update, if its table takes part."""
        if not _is_named(params["TableName"]):
            return []
        sent = new_sent("dynamodb", "UpdateItem", params["TableName"], correlation)
        params.update(_update(params, sent))
        return [sent]

    answered = PutItem.answered


class BatchWriteItem:
    """``BatchWriteItem``: each put has a span of its own. What is deleted carries nothing."""

    @staticmethod
    def stamp(params: Params, correlation: Correlation) -> list[Sent]:
        """The items that are put into tables that take part."""
        all_sent = []
        requests: dict[str, list[Params]] = {}
        for table, given in params["RequestItems"].items():
            requests[table] = given
            if not _is_named(table):
                continue
            requests[table] = []
            for request in given:
                put = request.get("PutRequest")
                if put is not None:
                    sent = new_sent("dynamodb", "BatchWriteItem", table, correlation)
                    all_sent.append(sent)
                    put = _put(put, sent)
                    request = {**request, "PutRequest": put}  # noqa: PLW2901  (the user's stays)
                requests[table].append(request)
        params["RequestItems"] = requests
        return all_sent

    @staticmethod
    def answered(sent: list[Sent], parsed: Params) -> None:
        """The tables took them, but for those that came back."""
        back = {
            items.span_in(request["PutRequest"]["Item"])
            for requests in (parsed.get("UnprocessedItems") or {}).values()
            for request in requests
            if "PutRequest" in request
        }
        for one in sent:
            if one.span_id in back:
                refused(one, "UnprocessedItems: the table was too busy")
            else:
                answered(one, {})


class TransactWriteItems:
    """``TransactWriteItems``: each put and update has a span of its own."""

    @staticmethod
    def stamp(params: Params, correlation: Correlation) -> list[Sent]:
        """The items that are put or updated in tables that take part."""
        # Sent again under its token, a transaction is the same only if all of it is (DynamoDB
        # API reference, "TransactWriteItems"); so the spans come from the token.
        token = params.get("ClientRequestToken") or ""
        all_sent, writes = [], []
        for number, write in enumerate(params["TransactItems"]):
            for kind, stamp in (("Put", _put), ("Update", _update)):
                if kind in write and _is_named(write[kind]["TableName"]):
                    table = write[kind]["TableName"]
                    once = f"{token}/{number}" if token else ""
                    sent = new_sent("dynamodb", "TransactWriteItems", table, correlation, once=once)
                    all_sent.append(sent)
                    write = {**write, kind: stamp(write[kind], sent)}  # noqa: PLW2901
            writes.append(write)
        params["TransactItems"] = writes
        return all_sent

    answered = PutItem.answered


OPERATIONS = {
    "BatchWriteItem": BatchWriteItem,
    "PutItem": PutItem,
    "TransactWriteItems": TransactWriteItems,
    "UpdateItem": UpdateItem,
}
