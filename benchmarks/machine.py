"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("stepwell", "numpy", "numba", "llvmlite", "xdsl")


def machine() -> dict[str, object]:
    """Processor, cores, memory, system."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "load_average": os.getloadavg(),
    }


def versions() -> dict[str, str]:
    """Python, the packages, and the commit."""
    found = {"python": platform.python_version(), "commit": _commit()}
    return {**found, **{package: version_of(package) for package in PACKAGES}}


def version_of(package: str) -> str:
    """The version of a package, or that there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def short_name() -> str:
    """Who made the processor and what he calls it, for names of files: "amd-epyc"."""
    plain = re.sub(r"\([^)]*\)|processor|cpu|[^a-z ]", "", _processor().lower())
    return "-".join(plain.split()[:2])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    features = [line for line in lines if line.startswith("flags")][:1]
    wide = "AVX-512" if features and "avx512f" in features[0] else "no AVX-512"
    return f"{names[0] if names else platform.processor()} ({wide})"


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"
