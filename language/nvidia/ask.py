"""How a call outside a kernel finds its meaning."""

from __future__ import annotations

from typing import Any

from ..intrinsics import current_thread

ALL_LANES = 0xFFFFFFFF


def ask(name: str, *arguments: Any, **keywords: Any) -> Any:
    """Call the method `nvidia_…` of the current thread."""
    return getattr(current_thread(f"nvidia.{name}"), f"nvidia_{name}")(*arguments, **keywords)
