"""Compiles the CUDA C kernels of `oracles/cuda/` to PTX where nvcc is installed."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from oracles.ptx.module import Module

from stepwell.lowering.emit.ptx import find_tool

_FOLDER = Path(__file__).parent / "cuda"
_LEVELS = {"O3": (), "O0": ("-Xcicc", "-O0")}


@functools.cache
def ptx_of(file: str, level: str = "O3") -> str:
    """The PTX of `cuda/<file>.cu` for sm_90; skips the test where there is no nvcc or g++."""
    nvcc = find_tool("nvcc")
    if nvcc is None:
        pytest.skip("needs nvcc, the CUDA C compiler")
    if shutil.which("g++") is None:
        pytest.skip("needs g++, which nvcc calls for the preprocessor")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.ptx"
        command = [nvcc, "-ptx", "-arch=sm_90", *_LEVELS[level]]
        command += ["-o", str(target), str(_FOLDER / f"{file}.cu")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
        assert done.returncode == 0, done.stderr
        return target.read_text()


def load(file: str, level: str = "O3") -> Module:
    """A fresh module of that file."""
    return Module(ptx_of(file, level))
