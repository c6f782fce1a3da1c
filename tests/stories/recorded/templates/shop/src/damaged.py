"""A function that cannot be loaded."""

from __future__ import annotations

import a_module_that_nobody_installed  # type: ignore[import-not-found]  # noqa: F401
