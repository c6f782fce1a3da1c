"""Every HTTP client that clew hooks, behind one function: send one request, give the answer."""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import requests
import urllib3

if TYPE_CHECKING:
    from collections.abc import Callable

    Client = Callable[..., tuple[int, Any]]


def by_requests(url: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    response = requests.get(url, headers=headers, timeout=5)
    return response.status_code, response.json()


def by_httpx(url: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    with httpx.Client(trust_env=False, follow_redirects=True) as client:
        response = client.get(url, headers=headers)
        return response.status_code, response.json()


async def async_by_httpx(url: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as client:
        response = await client.get(url, headers=headers)
        return response.status_code, response.json()


async def async_by_aiohttp(url: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.json()


def by_httpx_async(url: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    return asyncio.run(async_by_httpx(url, headers))


def by_aiohttp(url: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    return asyncio.run(async_by_aiohttp(url, headers))


def by_urllib3(url: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    with urllib3.PoolManager() as pools:
        response = pools.request("GET", url, headers=headers, retries=urllib3.Retry(connect=0))
        return response.status, response.json()


def by_urllib(url: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def by_http_client(url: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers or {})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


#: The client's name in CLEW_FORWARD, and what sends by it.
CLIENTS: dict[str, tuple[str, Client]] = {
    "requests": ("requests", by_requests),
    "httpx": ("httpx", by_httpx),
    "httpx-async": ("httpx", by_httpx_async),
    "urllib3": ("urllib3", by_urllib3),
    "aiohttp": ("aiohttp", by_aiohttp),
    "urllib": ("http.client", by_urllib),
    "http.client": ("http.client", by_http_client),
}
#: Those that follow redirects.
FOLLOWING = ("requests", "httpx", "httpx-async", "urllib3", "aiohttp", "urllib")
