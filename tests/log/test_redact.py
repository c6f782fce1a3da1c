"""What must not be logged is masked, wherever it stands."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest

from clew.log import redact as module
from clew.log.redact import MASK, is_secret, names, redact


@pytest.mark.parametrize(
    "name",
    ["password", "Password", "PASS-WORD", "client_secret", "X-Api-Key", "Authorization", "cookies"],
)
def test_names_are_compared_without_regard_to_case_and_hyphens(name: str) -> None:
    assert is_secret(name)
    assert redact({"a": [{name: "x"}]}) == {"a": [{name: MASK}]}


@pytest.mark.parametrize(
    "name",
    [
        "db_password",
        "userApiKey",
        "AWS_SECRET",
        "Debug-Log-Signature",
        "X-Auth-Token",
        "csrf_token",
        "taskToken",
        "secretAccessKey",
        "artifactCredentials",
        "authorizationToken",
        "identitySource",
    ],
)
def test_names_that_end_as_those_of_secrets_do(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "passwords-changed",
        "tokenizer",
        "nextToken",
        "ClientRequestToken",
        "secrets",
        "id",
        "",
        7,
        None,
    ],
)
def test_other_names_are_not_masked(name: object) -> None:
    assert not is_secret(name)


def test_names_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_REDACT", "Iban, tax_number ,,")
    monkeypatch.setattr(module, "_NAMES", names())
    assert redact({"iban": 1, "tax-number": 2, "city": 3, "password": 4}) == {
        "iban": MASK,
        "tax-number": MASK,
        "city": 3,
        "password": MASK,
    }


@pytest.mark.parametrize(
    ("pattern", "masked", "shown"),
    [
        ("*token", ["token", "next_token", "Reset-Token"], ["tokens"]),
        ("card*", ["card", "cardHolder"], ["discard"]),
        ("*iban*", ["iban", "toIbanNow"], ["ib-na"]),
        ("a*b*c", ["abc", "a1b2c", "abbcc"], ["acb", "ab", "ac"]),
        ("aa*aa", ["aaaa", "aabaa"], ["aa", "aaa"]),
        ("*, **", ["password"], ["anything", ""]),
        ("a.c", ["a.c"], ["abc"]),
    ],
)
def test_patterns_of_ones_own(
    pattern: str, masked: list[str], shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEW_REDACT", pattern)
    monkeypatch.setattr(module, "_NAMES", names())
    assert [name for name in [*masked, *shown] if is_secret(name)] == masked


def test_the_value_itself_is_left_alone() -> None:
    value = {"password": "x", "list": ({"token": 1},)}
    assert redact(value) == {"password": MASK, "list": [{"token": MASK}]}
    assert value == {"password": "x", "list": ({"token": 1},)}


def test_what_is_too_deep_is_masked_whole() -> None:
    value: Any = {"password": "x"}
    for _ in range(40):
        value = [value]
    text = json.dumps(redact(value))
    assert MASK in text
    assert "password" not in text


def test_what_contains_itself_ends() -> None:
    crowd: list[list[Any]] = [[] for _ in range(20)]
    for one in crowd:
        one.extend(crowd)
    assert MASK in json.dumps(redact(crowd))


def test_a_container_that_raises_is_named() -> None:
    class NoItems(dict[str, int]):
        def items(self) -> Any:
            raise RuntimeError("no items")

    assert redact({"a": NoItems(a=1)}) == "<dict: cannot be read>"


def test_texts_are_opened_only_where_asked() -> None:
    assert redact({"body": '{"password":"x"}'}) == {"body": '{"password":"x"}'}


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ('{"user": "u", "password": "x"}', '{"user": "u", "password": "***"}'),
        ('[{"a": "{\\"token\\": 1}"}]', '[{"a": "{\\"token\\": \\"***\\"}"}]'),
        ('{"user":   "u"}', '{"user":   "u"}'),
        ("user=u&password=x&b=1", "user=u&password=***&b=1"),
        ("session=1; token=abc; a=b", "session=1; token=***; a=b"),
        ('{"a": 1, "password": "x, y", "b"', '{"a": 1, "password": "***", "b"'),
        ('{"password": "never ends', '{"password": "***"'),
        ('{"cvv": 123', '{"cvv": "***"'),
        ('\n {"password": "x"}', '{"password": "***"}'),
        ('\ufeff{"password": "x"}', '{"password": "***"}'),
        ("\ufeff[1]", "\ufeff[1]"),
        ('{"credentials": {"user": "u"}, "b"', '{"credentials": "***"'),
        ("user[password]=x&user%5Btoken%5D=y", "user[password]=***&user%5Btoken%5D=***"),
        ("Bearer abc.def", "Bearer ***"),
        ("basic dTpw", "basic ***"),
        ("bearer of good news", "bearer of good news"),
        ("just a text", "just a text"),
        ("", ""),
    ],
)
def test_secrets_inside_texts(text: str, safe: str) -> None:
    assert redact({"body": text}, texts=True) == {"body": safe}


def test_secrets_inside_base64() -> None:
    data = b64encode(b'{"token": "x", "a": 1}').decode()
    safe = redact({"data": data}, texts=True)["data"]
    assert json.loads(b64decode(safe)) == {"token": MASK, "a": 1}
    form = b64encode(b"user=u&password=\xff&b=1").decode()
    assert b64decode(redact(form, texts=True)) == b"user=u&password=***&b=1"
    for harmless in ("SGVsbG8=", b64encode(b'{"a":1}').decode(), b64encode(b"\xff\xfe").decode()):
        assert redact(harmless, texts=True) == harmless


@pytest.mark.parametrize(
    "text",
    ["a" * 1_000_000 + "!", '"' * 1_000_000, "{" + '"a' * 300_000, '{"a"' + " " * 1_000_000 + "x"],
    ids=["word", "quotes", "names", "spaces"],
)
@pytest.mark.timeout(10)
def test_long_texts_take_no_longer_than_they_should(text: str) -> None:
    assert redact(text, texts=True) == f"{text[:16_384]}…"


def test_only_so_much_of_all_texts_is_searched() -> None:
    (long,) = redact(["a=b&" * 1_500_000], texts=True)
    assert len(long) == 16_385
    many = redact(["token=b&" * 1_000] * 100, texts=True)
    assert many[0].startswith("token=***&")
    assert many[99] == "…"


def test_long_json_is_cut_with_its_secrets_masked() -> None:
    pad = "p" * 70_000
    for secret in ('"password": "x y"', '"credentials": {"a": "x y"}'):
        safe = redact(f'{{{secret}, "pad": "{pad}"}}', texts=True)
        assert "x y" not in safe
        assert len(safe) < 17_000
    safe = redact(b64encode(f'{{"password": "x y", "pad": "{pad}"}}'.encode()).decode(), texts=True)
    assert b"x y" not in b64decode(safe.rstrip("…"))
    assert len(safe) < 17_000
