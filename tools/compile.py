"""`stepwell compile`: kernels of a `.py` or `.mlir` file, ahead of time or as text at a level."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dialects.diagnostics import CompileError
from ..runtime.cpu_archs import CPU_ARCHS
from .loading import add_load, load_all, run_file

if TYPE_CHECKING:
    from ..kernel import Kernel
    from ..runtime.artifact import Bundle, Form

ARTIFACT = "artifact"
FACTS = ("small", "disjoint", "sizes")
AFTER_PTX = ("cubin", "sass")
# Levels and outputs that only one target has, which therefore name it.
ONLY_OF = {
    **dict.fromkeys((*AFTER_PTX, "nvvm", "ptx"), "cuda"),
    **dict.fromkeys(("shader", "spirv", "spv", "spvasm"), "vulkan"),
}
EPILOG = """\
The types of a kernel's parameters are its annotations, or are given:
  stepwell compile saxpy.py --signature 'saxpy(f32, Array[f32, 1], Array[f32, 1])' -o saxpy.swa
  stepwell compile saxpy.py --emit gpu
Names in a signature are those of stepwell and of the file itself (dataclasses, for example); what
a Const parameter is to be stands there as a value.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="Python with @kernel functions, or IR (.mlir)")
    add("-o", "--output", type=Path, metavar="OUT", help="a file; for several kernels a folder")
    add("--target", default="", help="cpu (the default), cuda or vulkan")
    archs = (
        f"for cpu: {', '.join(CPU_ARCHS)}, or several joined by + (default: this machine); for "
        "cuda: sm_75 … sm_121a (default: sm_80); for vulkan: a profile (stepwell docs vulkan)"
    )
    add("--arch", default="", metavar="ARCH", help=archs)
    levels = (
        "simt, gpu, cpu, llvm, ll (LLVM's text), asm, artifact; for cuda grid, nvvm, ll, ptx, "
        "cubin, sass; for vulkan grid, shader, spirv, spv (the binary), spvasm"
    )
    add("--emit", default=ARTIFACT, metavar="WHAT", help=levels)
    add("--report", action="store_true", help="for cuda: registers and spills, by ptxas")
    cubin = "for cuda: machine code for this architecture too, beside the PTX"
    add("--cubin", action="append", default=[], metavar="SM", help=cubin)
    add("--kernel", action="append", default=[], metavar="NAME", help="only this kernel")
    add("--signature", action="append", default=[], help="NAME(TYPE, …), see below")
    add("--over", type=int, choices=(1, 2, 3), help="only for launches by `over` of this rank")
    add_facts(parser)
    add_load(parser)
    add("--from", dest="start", metavar="LEVEL", help="level of a .mlir file (default: its ops')")


def add_facts(parser: argparse.ArgumentParser) -> None:
    """The argument that says what is known of launches; `form_of` reads it."""
    facts = (
        f"code of launches for which hold, joined by commas: {', '.join(FACTS)} (launches on GPUs "
        "take it where they do; sizes: arrays are as long as indices need, so checks go)"
    )
    parser.add_argument("--facts", default="", metavar="FACTS", help=facts)


def form_of(args: argparse.Namespace) -> Form:
    """The kind of launch that `--over` and `--facts` ask for."""
    from ..registry import near_matches
    from ..runtime.artifact import Form

    asked = [name.strip() for name in args.facts.split(",") if name.strip()]
    for name in asked:
        if name not in FACTS:
            raise CompileError(f"--facts has {name!r}", hint=near_matches(name, list(FACTS)))
    return Form(over=args.over)._replace(**dict.fromkeys(asked, True))


def run(args: argparse.Namespace) -> int:
    """Compile; CompileError for what is wrong with the file or with what is asked of it."""
    path: Path = args.file
    load_all(args.load)
    _settle_target(args)
    wanted = args.emit
    if wanted in AFTER_PTX or args.report:
        args.emit = "ptx"
    if path.suffix == ".mlir":
        from ..ir_files import compile_file

        refuse_for_ir(args)
        names: list[str] = args.kernel
        results = compile_file(path, args.target, args.emit, kernels=names, start=args.start)
    elif path.suffix == ".py":
        results = _compile_python(path, args)
    else:
        raise CompileError(f"{path}: expected a .py or .mlir file")
    if wanted in AFTER_PTX or args.report:
        from .nvidia import from_ptx

        results = from_ptx(results, wanted, args.target, args.report)
    return write(results, args.output, path, wanted)


def _settle_target(args: argparse.Namespace) -> None:
    """An architecture, and what only one target has, mean that target."""
    nvidia = args.arch.startswith("sm_") or args.report or args.emit == "grid"
    args.target = args.target or ONLY_OF.get(args.emit) or ("cuda" if nvidia else "")
    if args.arch and not args.target:
        is_cpu = args.arch.split("+")[0].split(":")[0] in CPU_ARCHS
        args.target = "cpu" if is_cpu else "vulkan"
    args.target = args.target or "cpu"
    only, kind = ONLY_OF.get(args.emit), args.target.partition(":")[0]
    if only is not None and only != kind:
        raise CompileError(f"--emit {args.emit} is for --target {only}, not for {kind}")
    if args.arch:
        args.target = f"{args.target}:{args.arch}"


def refuse_for_ir(args: argparse.Namespace) -> None:
    """IR says itself what its parameters are and how it is launched."""
    options = ("signature", "over", "cubin", "facts")
    given = [f"--{name}" for name in options if getattr(args, name, None)]
    if given:
        raise CompileError(
            f"{given[0]} is for Python files, and {args.file} is IR",
            hint="parameters and launch are those of the gpu.func (`gpux.over = 1 : i64`)",
        )


def write(
    results: dict[str, str | bytes | Bundle], output: Path | None, source: Path, wanted: str
) -> int:
    """Each result to its file: texts to standard output unless `output` says where."""
    if output is not None and len(results) > 1 and not output.is_dir():
        raise CompileError(
            f"{source} has {len(results)} kernels ({', '.join(results)}), {output} is one file",
            hint="name an existing folder by -o, or one kernel by --kernel",
        )
    for name, result in results.items():
        suffix = _suffix(result, wanted)
        place = output / f"{name}{suffix}" if output and output.is_dir() else output
        if isinstance(result, str) and str(place or "-") == "-":
            print(result, end="" if result.endswith("\n") else "\n")
        elif isinstance(result, str) and place is not None:
            place.write_text(result, encoding="utf-8")
        elif isinstance(result, bytes):
            place = place or Path(f"{name}{suffix}")
            place.write_bytes(result)
            print(f"{place}: {len(result)} bytes", file=sys.stderr)
        elif not isinstance(result, str):
            place = place or Path(f"{name}.swa")
            result.save(place)
            print(f"{place}: {result.summary()}", file=sys.stderr)
    return 0


def _suffix(result: str | bytes | Bundle, wanted: str) -> str:
    if isinstance(result, str):
        return ".txt"
    return f".{wanted}" if isinstance(result, bytes) else ".swa"


def _compile_python(path: Path, args: argparse.Namespace) -> dict[str, str | bytes | Bundle]:
    from ..ahead_of_time import compile
    from ..compiler import print_level

    form = form_of(args)
    if args.emit == ARTIFACT and args.facts:
        raise CompileError(
            "--facts is for text and spv: a file holds code for all launches",
            hint="sw.compile(…, small=True, disjoint=True) adds code for such launches",
        )
    namespace = vars(run_file(path))
    kernels = chosen_kernels(path, namespace, args)
    results: dict[str, str | bytes | Bundle] = {}
    for name, (kernel, types) in kernels.items():
        if args.emit == ARTIFACT:
            over = args.over or "all"
            target, cubins = args.target, args.cubin
            results[name] = compile(kernel, types, target=target, over=over, cubins=cubins)
        elif args.emit == "spv":
            results[name] = kernel.compile(types, target=args.target, form=form).payload
        else:
            results[name] = print_level(kernel, types, args.emit, target=args.target, form=form)
    return results


def chosen_kernels(
    path: Path, namespace: dict[str, Any], args: argparse.Namespace
) -> dict[str, tuple[Kernel, Sequence[Any]]]:
    """The kernels that `--kernel` and `--signature` ask for, with the types of their parameters."""
    from ..kernel import Kernel
    from .signature import annotated_types, parse_signature, unknown_name

    signatures = dict(parse_signature(text, namespace) for text in args.signature)
    known = {
        value.__name__: value
        for value in namespace.values()
        if isinstance(value, Kernel) and value.function.__globals__ is namespace
    }
    if not known:
        raise CompileError(f"{path} has no kernel", hint="put @sw.kernel on a function")
    for name in [*args.kernel, *signatures]:
        if name not in known:
            raise unknown_name(f"{path} has no kernel", name, known)
    wanted = list(dict.fromkeys([*args.kernel, *signatures])) or list(known)
    return {
        name: (known[name], signatures.get(name) or annotated_types(known[name])) for name in wanted
    }
