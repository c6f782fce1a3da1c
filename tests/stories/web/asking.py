"""A browser without a screen, in front of the application itself."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from typing import TYPE_CHECKING, Any

import httpx

from clew.stories.web.app import make_app

if TYPE_CHECKING:
    from clew.stories.web.site import Site

ADDRESS = "http://127.0.0.1:7337"


class Browser:
    """Asks the pages of a site; keeps cookies, and follows nothing by itself."""

    def __init__(self, site: Site, base: str = ADDRESS) -> None:
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=make_app(site)), base_url=base
        )

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, headers={"accept": "text/html", **_named(headers)})

    def post(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        return self.ask("POST", path, data=form, headers=_named(headers))

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        return asyncio.run(self._client.request(method, path, **given))

    def form_token(self, path: str) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.get(path).text)
        assert found, f"{path} has no form"
        return found[1]


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def text_of(html: str) -> str:
    """What a person reads on a page."""
    plain = re.sub(r"<(script|style|title)[^>]*>.*?</\1>", " ", html, flags=re.DOTALL)
    plain = re.sub(r"</?(?:span|b|i|em|small|a|code|li)\b[^>]*>", "", plain)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", plain)).split())
