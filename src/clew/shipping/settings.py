"""Where logs go, from the environment. Pure but for reading a secret that is kept elsewhere.

``CLEW_SHIP_TO`` is an address: ``loki+https://logs.example.com``. What is secret stands in
``CLEW_SHIP_TOKEN`` or is named by ``CLEW_SHIP_SECRET``; it is in no message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from clew.shipping.errors import ShippingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TO, TOKEN, SECRET = "CLEW_SHIP_TO", "CLEW_SHIP_TOKEN", "CLEW_SHIP_SECRET"
HEADERS, DEAD_LETTERS = "CLEW_SHIP_HEADERS", "CLEW_SHIP_DEAD_LETTER"


@dataclass(frozen=True, slots=True)
class Address:
    """A sink's address, taken apart. Its ``repr`` has no secret in it."""

    kind: str  # the part before "+", or the scheme: "loki", "tcp", "s3"
    scheme: str  # "https", or the same as the kind
    host: str
    port: int | None
    path: str
    options: Mapping[str, str]
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def shown(self) -> str:
        """What to call it in a message: kind, host and path."""
        scheme = self.kind if self.kind == self.scheme else f"{self.kind}+{self.scheme}"
        port = f":{self.port}" if self.port else ""
        return f"{scheme}://{self.host}{port}{self.path}".rstrip("/")

    @property
    def base(self) -> str:
        """The URL of a sink that speaks HTTP, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{host}{port}{self.path}".rstrip("/")

    def needs_http(self) -> None:
        """Check that it is ``KIND+https://HOST``.

        Raises:
            ShippingError: It is not.
        """
        if self.scheme not in ("http", "https") or not self.host:
            raise ShippingError(
                f"{self.shown} is no address of a server; write"
                f" {self.kind}+https://logs.example.com."
            )


@dataclass(frozen=True, slots=True)
class Settings:
    """What the function was told by its environment."""

    address: Address
    #: The target of dead letters, as `clew.dead_letter` takes it; "" for none.
    dead_letter: str = ""


def read_settings(
    environment: Mapping[str, str], fetch: Callable[[str], str] | None = None
) -> Settings:
    """The settings in an environment.

    Args:
        environment: ``os.environ``.
        fetch: Gets the secret that an ARN of Secrets Manager names.

    Raises:
        ShippingError: They do not say where to, or cannot be meant.
    """
    written = environment.get(TO, "").strip()
    if not written:
        raise ShippingError(
            f"{TO} does not say where logs are to go; set it to loki+https://logs.example.com, say."
        )
    token = environment.get(TOKEN, "").strip()
    secret = environment.get(SECRET, "").strip()
    if secret and fetch is not None:
        token = fetch(secret).strip()
    return Settings(
        read_address(written, token, _pairs(environment.get(HEADERS, ""))),
        environment.get(DEAD_LETTERS, "").strip(),
    )


def read_address(
    written: str, token: str = "", headers: Mapping[str, str] | None = None
) -> Address:
    """An address, taken apart.

    Args:
        written: ``KIND+https://USER:PASSWORD@HOST/PATH?OPTION=VALUE``, or ``KIND://…``.
        token: A bearer token, or what the sink has in its place.
        headers: To be sent with every request.

    Raises:
        ShippingError: It is none.
    """
    try:
        parts = urlsplit(written)
        port = parts.port
        host = parts.hostname or ""
        options = dict(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=32))
    except ValueError as error:
        # urllib's own message may have the password in it.
        raise ShippingError(
            f"{TO} is no address ({type(error).__name__}); write it like"
            " loki+https://logs.example.com."
        ) from None
    kind, _, scheme = parts.scheme.partition("+")
    if not kind or not host:
        raise ShippingError(f"{TO} is no address; write it like loki+https://logs.example.com.")
    for text in (token, *(headers or {}).values()):
        if any(ord(each) < 32 or ord(each) > 126 for each in text):
            raise ShippingError(
                f"{TOKEN} or {HEADERS} has a character in it that no HTTP header holds."
            )
    return Address(
        kind, scheme or kind, host, port, parts.path, options,
        unquote(parts.username or ""), unquote(parts.password or ""), token, dict(headers or {}),
    )  # fmt: skip


def secret_of(client: Any, arn: str) -> str:
    """The text of a secret in Secrets Manager; of a JSON object, its member ``token``.

    Raises:
        ShippingError: There is none.
    """
    import json

    from botocore.exceptions import BotoCoreError, ClientError

    try:
        text: str = client.get_secret_value(SecretId=arn).get("SecretString", "")
    except (BotoCoreError, ClientError) as error:
        raise ShippingError(f"The secret that {SECRET} names cannot be read: {error}") from error
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, dict):
        text = found["token"] if isinstance(found.get("token"), str) else ""
    if not text.strip():
        raise ShippingError(
            f"The secret that {SECRET} names has no text, and no member token; put one in."
        )
    return text


def _pairs(written: str) -> dict[str, str]:
    """``name=value,name=value``."""
    pairs = [one.partition("=") for one in written.split(",") if one.strip()]
    return {name.strip(): value.strip() for name, _, value in pairs}
