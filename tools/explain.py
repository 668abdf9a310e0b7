"""`stepwell explain`: what the compiler makes of the kernels of a file, in words."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from ..dialects.diagnostics import CompileError
from .compile import add_facts, chosen_kernels, form_of, refuse_for_ir
from .loading import add_load, load_all, run_file

EPILOG = """\
The types of a kernel's parameters are its annotations, or are given:
  stepwell explain saxpy.py --uniformity --signature 'saxpy(f32, Array[f32, 1], Array[f32, 1])'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="Python with @kernel functions, or IR (.mlir)")
    add("--target", default="cpu", help="cpu (the default), cuda or vulkan, or kind:architecture")
    add("--uniformity", action="store_true", help="how branches and accesses differ by lane")
    add("--kernel", action="append", default=[], metavar="NAME", help="only this kernel")
    add("--signature", action="append", default=[], help="NAME(TYPE, …), see below")
    add("--over", type=int, choices=(1, 2, 3), help="for launches by `over` of this rank")
    add_facts(parser)
    add_load(parser)
    add("--from", dest="start", metavar="LEVEL", help="level of a .mlir file (default: its ops')")


def run(args: argparse.Namespace) -> int:
    """Print an explanation of each kernel; CompileError for what is wrong with the file."""
    path: Path = args.file
    load_all(args.load)
    if path.suffix == ".mlir":
        texts = _of_ir(path, args)
    elif path.suffix == ".py":
        texts = _of_python(path, args)
    else:
        raise CompileError(f"{path}: expected a .py or .mlir file")
    for text in texts:
        print(text)
    return 0


def _of_python(path: Path, args: argparse.Namespace) -> Iterator[str]:
    from ..explain import explain

    for kernel, types in chosen_kernels(path, vars(run_file(path)), args).values():
        yield explain(kernel, types, args.target, form_of(args), uniformity=args.uniformity)


def _of_ir(path: Path, args: argparse.Namespace) -> Iterator[str]:
    from ..explain import explain_module
    from ..ir_files import kernels_of_file

    refuse_for_ir(args)
    level, kernels = kernels_of_file(path, args.target, args.kernel, args.start)
    for name, module in kernels.items():
        yield explain_module(module, name, args.target, level, uniformity=args.uniformity)
