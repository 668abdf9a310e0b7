"""`stepwell explain`: what the compiler makes of the kernels of a `.py` file, in words."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..dialects.diagnostics import CompileError
from .compile import add_facts, chosen_kernels, form_of, import_file

EPILOG = """\
The types of a kernel's parameters are its annotations, or are given:
  stepwell explain saxpy.py --uniformity --signature 'saxpy(f32, Array[f32, 1], Array[f32, 1])'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="Python with @kernel functions")
    add("--target", default="cpu", help="cpu (the default), cuda or vulkan, or kind:architecture")
    add("--uniformity", action="store_true", help="how branches and accesses differ by lane")
    add("--kernel", action="append", default=[], metavar="NAME", help="only this kernel")
    add("--signature", action="append", default=[], help="NAME(TYPE, …), see below")
    add("--over", type=int, choices=(1, 2, 3), help="for launches by `over` of this rank")
    add_facts(parser)


def run(args: argparse.Namespace) -> int:
    """Print an explanation of each kernel; CompileError for what is wrong with the file."""
    from ..explain import explain

    path: Path = args.file
    if path.suffix != ".py":
        raise CompileError(
            f"{path}: expected a .py file",
            hint="of IR, `stepwell compile --emit LEVEL` shows what becomes of it",
        )
    for kernel, types in chosen_kernels(path, import_file(path), args).values():
        print(explain(kernel, types, args.target, form_of(args), uniformity=args.uniformity))
    return 0
