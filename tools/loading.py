"""`--load FILE`: passes, dialects, levels and lowerings of yours, without a package for them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from ..dialects.diagnostics import CompileError


def add_load(parser: argparse.ArgumentParser) -> None:
    """The argument; `load_all` does what it says."""
    what = "a Python file, or a module's name, that registers passes, dialects, levels of yours"
    parser.add_argument("--load", action="append", default=[], metavar="FILE", help=what)


def load_all(names: Sequence[str]) -> None:
    """Run each file once in this process; CompileError for one that is not there or raises."""
    for name in names:
        if name.endswith(".py"):
            _load_file(Path(name).resolve())
        else:
            _load_module(name)


@cache
def _load_file(path: Path) -> ModuleType:
    return run_file(path)


def run_file(path: Path) -> ModuleType:
    """Run a Python file as a module that is not the main one."""
    if not path.exists():
        raise CompileError(f"cannot read {path}: no such file")
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None, "Python has a loader for .py files"
    module = module_from_spec(spec)
    # Beside the file lie the modules that it imports; dataclasses look their module up.
    sys.path.insert(0, str(path.parent.resolve()))
    sys.modules.setdefault(path.stem, module)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CompileError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    return module


def _load_module(name: str) -> ModuleType:
    try:
        return import_module(name)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        hint = "a file ends in .py; a module lies where Python looks for modules"
        raise CompileError(f"cannot load {name}: {reason}", hint=hint) from error
