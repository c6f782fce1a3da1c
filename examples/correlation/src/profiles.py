"""The client of api-c."""

from __future__ import annotations

import os
from typing import Any

import requests


def find_profiles(people: list[str]) -> list[dict[str, Any]]:
    """The profiles of these people, in this order: ``{"person": …, "name": …}`` each."""
    response = requests.get(
        f"{os.environ['PROFILES_URL']}/profiles", params={"people": ",".join(people)}, timeout=10
    )
    response.raise_for_status()
    profiles: list[dict[str, Any]] = response.json()
    return profiles
