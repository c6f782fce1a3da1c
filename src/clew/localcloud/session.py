"""A real boto3 session that reaches one emulator and nothing else."""

from __future__ import annotations

import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from clew.localcloud.control import OWN_CALL

# The emulator takes any credentials. These can authorise nothing anywhere.
_ACCESS_KEY = "local"
_SECRET_KEY = "local"  # noqa: S105 - not a secret

# Name -> (configuration file's name, environment variables, default, converter), as botocore has
# it. Without variables and with empty files, the user's profile is neither read nor missed.
_ISOLATED: dict[str, Any] = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}

_CONFIG = Config(
    proxies={},  # loopback is never behind a proxy
    use_fips_endpoint=False,
    use_dualstack_endpoint=False,
    connect_timeout=5,
    read_timeout=120,
    max_pool_connections=50,
    retries={"mode": "standard", "max_attempts": 2},
)
#: For what clew itself asks: injected faults are for the functions and clients under test.
OWN = Config(user_agent_extra=OWN_CALL)


class LoopbackSession(boto3.Session):
    """A ``boto3.Session`` whose clients and resources go to ``endpoint_url``."""

    def __init__(self, endpoint_url: str, region: str, account: str = _ACCESS_KEY) -> None:
        isolated = botocore.session.Session(session_vars=_ISOLATED)
        super().__init__(
            # A key of twelve digits is, to the emulator, one of the account of that number.
            aws_access_key_id=account,
            aws_secret_access_key=_SECRET_KEY,
            region_name=region,
            botocore_session=isolated,
        )
        self.endpoint_url = endpoint_url

    def client(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        """As ``boto3.Session.client``, at the loopback endpoint unless told otherwise."""
        if kwargs.get("endpoint_url") is None:
            kwargs["endpoint_url"] = self.endpoint_url
        own = kwargs.get("config")
        kwargs["config"] = _CONFIG.merge(own) if own is not None else _CONFIG
        parent: Any = super()  # the stubs know services by literal names only
        return parent.client(service_name, *args, **kwargs)
