"""Functions in C to compare with, compiled by the machine's own compiler."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FLAGS = ("-O3", "-march=native", "-ffast-math", "-fopenmp", "-shared", "-fPIC")


def library(source: str) -> tuple[Any, str]:
    """The functions of a file beside this one, and what compiled them; OSError where there is no
    compiler."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise OSError("no C compiler (gcc or clang)")
    path = Path(__file__).with_name(source)
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "functions.so"
        subprocess.run([compiler, *FLAGS, str(path), "-o", str(built), "-lm"], check=True)
        functions = ctypes.CDLL(str(built))
    told = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
    return functions, f"{told.stdout.splitlines()[0]} {' '.join(FLAGS)}"


def call(functions: Any, name: str, *arguments: Any) -> Callable[[], None]:
    """A call of a function: arrays are passed by their address, ints as n_t, floats as float."""
    function = getattr(functions, name)
    function.restype = None
    kept = [value for value in arguments if isinstance(value, np.ndarray)]
    words: list[Any] = []
    for value in arguments:
        if isinstance(value, np.ndarray):
            words.append(ctypes.c_void_p(value.ctypes.data))
        elif isinstance(value, np.floating):
            words.append(ctypes.c_float(float(value)))
        else:
            words.append(ctypes.c_int64(value))

    def run() -> None:
        assert kept is not None, "the arrays live as long as the call"
        function(*words)

    return run
