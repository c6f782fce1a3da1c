"""The local cloud: a SAM template deployed to an AWS emulator on this machine.

>>> with LocalCloud.start(template=Path("template.yaml")) as cloud:  # doctest: +SKIP
...     requests.get(cloud.outputs["ApiUrl"])
...     for line in cloud.log_lines("ApiFunction"):
...         print(line.message)

Nothing here reads or sends AWS credentials: every client is bound to a loopback address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.localcloud.errors import LocalCloudError

if TYPE_CHECKING:
    from clew.localcloud.cloud import LocalCloud
    from clew.localcloud.deploy import Stack, StackEvent
    from clew.localcloud.faults import Fault, Faults
    from clew.localcloud.logs import LogLine
    from clew.localcloud.mappings import MappedShard, StreamMapping

__all__ = [
    "Fault",
    "Faults",
    "LocalCloud",
    "LocalCloudError",
    "LogLine",
    "MappedShard",
    "Stack",
    "StackEvent",
    "StreamMapping",
]

_WHERE = {
    "Fault": "clew.localcloud.faults",
    "Faults": "clew.localcloud.faults",
    "LocalCloud": "clew.localcloud.cloud",
    "LogLine": "clew.localcloud.logs",
    "MappedShard": "clew.localcloud.mappings",
    "Stack": "clew.localcloud.deploy",
    "StackEvent": "clew.localcloud.deploy",
    "StreamMapping": "clew.localcloud.mappings",
}


def __getattr__(name: str) -> Any:
    # boto3 costs a fifth of a second; `clew local status` does not need it.
    if name in _WHERE:
        from importlib import import_module

        try:
            module = import_module(_WHERE[name])
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing in {"", "clew"}:
                raise
            raise LocalCloudError(
                f"clew.localcloud needs {missing}, which is not installed; "
                "install it with: pip install 'clew[local]'."
            ) from error
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
