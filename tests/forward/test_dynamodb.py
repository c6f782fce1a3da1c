"""DynamoDB: what is in the item, in tables that were named and in those that were not."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from clew.forward.dynamodb import BatchWriteItem, PutItem, TransactWriteItems
from clew.forward.limits import DYNAMODB_ITEM

from .aws import unique
from .conftest import fields_of, only

if TYPE_CHECKING:
    import clew
    from clew.invocation import Invocation
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def db(cloud: LocalCloud) -> Any:
    return cloud.client("dynamodb")


@pytest.fixture(scope="module")
def name(db: Any) -> str:
    made = unique("orders")
    db.create_table(
        TableName=made,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return made


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_FORWARD_TABLES", "other, forward-orders-*")


@pytest.fixture
def table(cloud: LocalCloud, name: str) -> Any:
    """The same as a resource, in Python's types."""
    session: Any = cloud.session()
    return session.resource("dynamodb", endpoint_url=cloud.endpoint_url).Table(name)


def _context(db: Any, name: str, key: str) -> Any:
    item = db.get_item(TableName=name, Key={"id": {"S": key}})["Item"]
    context = item.get("__context")
    return context and {field: value["S"] for field, value in context["M"].items()}


def test_a_put_item_has_a_map_of_them(
    db: Any, name: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    item = {"id": {"S": "put"}, "n": {"N": "1"}}
    db.put_item(TableName=name, Item=item)
    sent = only(invocation.sent)
    assert item == {"id": {"S": "put"}, "n": {"N": "1"}}
    assert _context(db, name, "put") == fields_of(sent)
    assert (sent.service, sent.operation, sent.target) == ("dynamodb", "PutItem", name)
    assert sent.outcome == "ok"


def test_a_table_that_was_not_named_takes_no_part(
    db: Any,
    name: str,
    invocation: Invocation,
    in_force: clew.Correlation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for tables in ("", "other,*-events"):
        monkeypatch.setenv("CLEW_FORWARD_TABLES", tables)
        item = {"id": {"S": "unnamed"}}
        db.put_item(TableName=name, Item=item)
        db.update_item(TableName=name, Key=item)
        db.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": item}}]})
        db.transact_write_items(TransactItems=[{"Put": {"TableName": name, "Item": item}}])
    assert invocation.sent == []
    assert db.get_item(TableName=name, Key=item)["Item"] == item


@pytest.mark.parametrize(
    ("expression", "names", "values", "left"),
    [
        ("SET n = :n", {}, {":n": {"N": "2"}}, {"n": {"N": "2"}, "old": {"S": "x"}}),
        ("REMOVE #old set n=:n", {"#old": "old"}, {":n": {"N": "2"}}, {"n": {"N": "2"}}),
        ("ADD n :n", {}, {":n": {"N": "2"}}, {"n": {"N": "2"}, "old": {"S": "x"}}),
        (
            "SET #set = :set, n = if_not_exists(n, :set) REMOVE #old",
            {"#set": "set", "#old": "old"},
            {":set": {"N": "3"}},
            {"set": {"N": "3"}, "n": {"N": "3"}},
        ),
        ("REMOVE #old", {"#old": "old"}, {}, {}),
        ("", {}, {}, {"old": {"S": "x"}}),
    ],
)
def test_an_update_does_what_it_did_and_sets_them(
    expression: str,
    names: dict[str, str],
    values: dict[str, Any],
    left: dict[str, Any],
    db: Any,
    name: str,
    invocation: Invocation,
    in_force: clew.Correlation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLEW_FORWARD_TABLES", "none")
    key = {"id": {"S": "update"}}
    db.put_item(TableName=name, Item={**key, "old": {"S": "x"}})
    monkeypatch.setenv("CLEW_FORWARD_TABLES", name)
    asked: Any = {"UpdateExpression": expression} if expression else {}
    if names:
        asked["ExpressionAttributeNames"] = names
    if values:
        asked["ExpressionAttributeValues"] = values
    before = repr(asked)
    db.update_item(TableName=name, Key=key, ReturnValues="ALL_NEW", **asked)
    assert repr(asked) == before
    item = db.get_item(TableName=name, Key=key)["Item"]
    context = item.pop("__context")["M"]
    assert {field: value["S"] for field, value in context.items()} == fields_of(
        only(invocation.sent)
    )
    assert item == {**key, **left}


def test_an_update_in_the_older_form_stays_in_it(
    db: Any, name: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    key = {"id": {"S": "older"}}
    updates = {"n": {"Value": {"N": "1"}, "Action": "PUT"}}
    db.update_item(TableName=name, Key=key, AttributeUpdates=updates)
    assert updates.keys() == {"n"}
    item = db.get_item(TableName=name, Key=key)["Item"]
    assert item["n"] == {"N": "1"}
    assert _context(db, name, "older") == fields_of(only(invocation.sent))


def test_a_condition_that_fails_is_the_users_exception(
    db: Any, name: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    with pytest.raises(db.exceptions.ConditionalCheckFailedException):
        db.update_item(
            TableName=name,
            Key={"id": {"S": "nobody"}},
            UpdateExpression="SET n = :n",
            ConditionExpression="attribute_exists(id)",
            ExpressionAttributeValues={":n": {"N": "1"}},
        )
    assert only(invocation.sent).outcome == "error"
    assert only(invocation.sent).error.startswith("ConditionalCheckFailedException")


def test_a_resource_in_pythons_types(
    db: Any, table: Any, name: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    item = {"id": "resource", "price": Decimal("1.5")}
    table.put_item(Item=item)
    assert item == {"id": "resource", "price": Decimal("1.5")}
    assert _context(db, name, "resource") == fields_of(invocation.sent[0])
    table.update_item(
        Key={"id": "resource"},
        UpdateExpression="SET price = :p",
        ExpressionAttributeValues={":p": Decimal("2.5")},
    )
    assert _context(db, name, "resource") == fields_of(invocation.sent[1])
    read = table.get_item(Key={"id": "resource"})["Item"]
    assert read["price"] == Decimal("2.5")
    with table.batch_writer() as batch:
        batch.put_item(Item={"id": "batched"})
        batch.delete_item(Key={"id": "resource"})
    assert _context(db, name, "batched") == fields_of(invocation.sent[2])
    assert len(invocation.sent) == 3, "what is deleted carries nothing"


def test_an_item_that_has_them_already_keeps_them(
    db: Any, table: Any, name: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    table.put_item(Item={"id": "kept"})
    item = table.get_item(Key={"id": "kept"})["Item"]
    table.put_item(Item=item)
    first, again = invocation.sent
    assert again.span_id == first.span_id
    assert _context(db, name, "kept") == fields_of(first)


def test_a_batch_and_a_transaction_each_with_its_own_span(
    db: Any, name: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    requests = [
        {"PutRequest": {"Item": {"id": {"S": "b1"}}}},
        {"PutRequest": {"Item": {"id": {"S": "b2"}}}},
        {"DeleteRequest": {"Key": {"id": {"S": "b3"}}}},
    ]
    writes = [
        {"Put": {"TableName": name, "Item": {"id": {"S": "t1"}}}},
        {
            "Update": {
                "TableName": name,
                "Key": {"id": {"S": "t2"}},
                "UpdateExpression": "SET n = :n",
                "ExpressionAttributeValues": {":n": {"N": "1"}},
            }
        },
        {"Delete": {"TableName": name, "Key": {"id": {"S": "t3"}}}},
    ]
    before = repr((requests, writes))
    db.batch_write_item(RequestItems={name: requests})
    db.transact_write_items(TransactItems=writes)
    assert repr((requests, writes)) == before
    for sent, key in zip(invocation.sent, ("b1", "b2", "t1", "t2"), strict=True):
        assert _context(db, name, key) == fields_of(sent)
        assert sent.outcome == "ok"


def test_what_a_batch_gives_back_was_not_taken(in_force: clew.Correlation) -> None:
    requests = [{"PutRequest": {"Item": {"id": {"S": str(n)}}}} for n in range(2)]
    params = {"RequestItems": {"forward-orders-x": requests}}
    taken, back = BatchWriteItem.stamp(params, in_force)
    stamped: Any = params["RequestItems"]["forward-orders-x"]
    again: Any = {"DeleteRequest": {"Key": {}}}
    BatchWriteItem.answered([taken, back], {"UnprocessedItems": {"t": [stamped[1], again]}})
    assert (taken.outcome, back.outcome) == ("ok", "error")
    (sent_again,) = BatchWriteItem.stamp(
        {"RequestItems": {"forward-orders-x": [stamped[1]]}}, in_force
    )
    assert sent_again.span_id == back.span_id


def test_a_transaction_sent_again_under_its_token_is_the_same(in_force: clew.Correlation) -> None:
    write = {"Put": {"TableName": "forward-orders-x", "Item": {"id": {"S": "1"}}}}
    params = {"TransactItems": [write, write], "ClientRequestToken": "token"}
    first, again = dict(params), dict(params)
    spans = [sent.span_id for sent in TransactWriteItems.stamp(first, in_force)]
    TransactWriteItems.stamp(again, in_force)
    assert first == again
    assert len(set(spans)) == 2


def test_an_item_near_the_limit_is_not_pushed_over_it(
    in_force: clew.Correlation, caplog: pytest.LogCaptureFixture
) -> None:
    item = {"id": {"S": "1"}, "pad": {"S": "é" * (DYNAMODB_ITEM // 2 - 50)}}
    params = {"TableName": "forward-orders-x", "Item": item}
    assert not only(PutItem.stamp(params, in_force)).carried
    assert params["Item"] == item
    assert len(caplog.records) == 1


def test_the_node_library_gets_its_own_name_and_a_number(
    db: Any, name: str, in_force: clew.Correlation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEW_CONTEXT_FIELD", "__context__")
    db.put_item(TableName=name, Item={"id": {"S": "node"}})
    item = db.get_item(TableName=name, Key={"id": {"S": "node"}})["Item"]
    assert item["__context__"]["M"]["call-chain-length"] == {"N": "2"}
    assert "__context" not in item


def test_a_table_may_be_named_by_its_arn(in_force: clew.Correlation) -> None:
    params = {
        "TableName": "arn:aws:dynamodb:eu-west-1:123456789012:table/forward-orders-x",
        "Item": {"id": {"S": "1"}},
    }
    assert only(PutItem.stamp(params, in_force)).carried
