"""LLVM text to machine code, by llvmlite's binding layer: `assemble(text)`.

Text may have a second part whose functions are not optimised; see llvm_parts.py. It becomes an
object file of its own, from a code generator that does not optimise either: that one takes a third
of the time of one that does and is told by each function not to.

LLVM can end the whole process over code that a target cannot do ("cannot select"), so what is
asked for is checked first: types against the target's features, external symbols against a table.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from threading import Lock
from typing import Any

from ...dialects.diagnostics import CompileError
from .archive import archive
from .llvm_loops import Kind, kinds_of_loops
from .llvm_parts import SEPARATOR
from .machine import converts_half, host_cpu, host_features, host_triple
from .symbols import EXTERNAL_SYMBOLS, RESERVED_SYMBOLS


@dataclass(frozen=True)
class Target:
    """What machine code is made for."""

    triple: str
    cpu: str
    features: str
    opt: int = 3


@dataclass(frozen=True)
class NativeCode:
    """Machine code of one text: a relocatable object file, and what it was made of and for.

    That of a text with two parts is an archive of two object files.
    """

    object: bytes
    target: Target
    ir: str

    def optimised(self) -> str:
        """The LLVM text after optimisation."""
        return "\n".join(str(module) for module, _ in _optimised(self.ir, self.target))

    def asm(self) -> str:
        """The machine code as assembler text."""
        parts = _optimised(self.ir, self.target)
        with _addresses_as_they_are():
            return "\n".join(machine.emit_assembly(module) for module, machine in parts)


def host_target(cpu: str | None = None, features: str | None = None, opt: int = 3) -> Target:
    """This machine; given features are switched on top of the processor's own."""
    own = host_features() if cpu is None else ""
    both = ",".join(part for part in (own, features) if part)
    return Target(host_triple(), host_cpu() if cpu is None else cpu, both, opt)


def assemble(
    ir_text: str,
    triple: str | None = None,
    cpu: str | None = None,
    features: str | None = None,
    opt: int = 3,
    *,
    external: Collection[str] = EXTERNAL_SYMBOLS,
) -> NativeCode:
    """Optimises and translates LLVM text; for this machine unless told otherwise.

    `features` is a list such as "+avx2,-f16c", `opt` 0 to 3, `external` the symbols that may be
    called. Raises CompileError for text that LLVM refuses, for other symbols, for types that the
    target cannot do, and for a target that this build of LLVM does not have.
    """
    if triple is None or triple == host_triple():
        target = host_target(cpu, features, opt)
    else:
        target = Target(triple, cpu or "", features or "", opt)
    parts = _optimised(ir_text, target, external)
    with _addresses_as_they_are():
        objects = [machine.emit_object(module) for module, machine in parts]
    if len(objects) > 1:
        names = ("optimised.o", "as_it_is.o")
        return NativeCode(archive(list(zip(names, objects, strict=True))), target, ir_text)
    return NativeCode(objects[0], target, ir_text)


def generate_assembly(ir_text: str, target: Target, external: Collection[str]) -> str:
    """Assembler text for a target whose assembler LLVM lacks (PTX); errors as `assemble`."""
    ((module, machine),) = _optimised(ir_text, target, external)
    return machine.emit_assembly(module)


# --- llvmlite -------------------------------------------------------------------------------------


# Addresses in shared memory have 32 bits in a GPU's registers. LLVM knows that only by this option.
SHORT_POINTERS = "-nvptx-short-ptr"


@cache
def _binding(native: bool) -> Any:
    """llvmlite's binding layer with the code generators that are needed."""
    import llvmlite.binding

    binding: Any = llvmlite.binding
    if native:
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
    else:
        binding.initialize_all_targets()
        binding.initialize_all_asmprinters()
        binding.set_option("", SHORT_POINTERS)
    return binding


@cache
def _machine(target: Target) -> Any:
    """LLVM's code generator for a target; position-independent code of the small model."""
    binding = _binding(target.triple == host_triple())
    try:
        found = binding.Target.from_triple(target.triple)
    except RuntimeError as error:
        raise CompileError(
            f"this build of LLVM has no target {target.triple!r}: {_first_line(error)}"
        ) from error
    return found.create_target_machine(
        cpu=target.cpu,
        features=target.features,
        opt=target.opt,
        reloc="pic",
        codemodel="small",
    )


_OPTIONS = Lock()


@contextmanager
def _addresses_as_they_are() -> Generator[None]:
    """In the `with` block LLVM's LoopStrengthReduce is off.

    It takes a third to three quarters of code generation where ends of loops are computed, as those
    of the ranges in which checks hold. What it gains, addresses that grow instead of a base and an
    index, x86-64 hardly needs: of 85 kernels most were as fast without it, five by 7 to 32 % faster
    and three by 3 to 8 % slower. The option is one of the process, which other users want back.
    """
    binding = _binding(True)
    with _OPTIONS:  # so that no thread makes code with what another one has set
        binding.set_option("", "-disable-lsr=true")
        try:
            yield
        finally:
            binding.set_option("", "-disable-lsr=false")


# A page of data that can be written, next to the code, for the addresses of functions outside it:
# the loader (runtime/cpu_code.py) keeps an object together only if it need not add such a page.
_ROOM = """
@stepwell.room = internal global i8 1
@llvm.compiler.used = appending global [1 x ptr] [ptr @stepwell.room], section "llvm.metadata"
"""


def _parse(ir_text: str) -> Any:
    binding = _binding(True)
    try:
        module = binding.parse_assembly(ir_text)
        module.verify()
    except RuntimeError as error:
        raise CompileError(f"LLVM refuses the generated text: {_first_line(error)}") from error
    return module


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return " | ".join(lines[:3]) if lines else type(error).__name__


# What code needs in which all loops are vectors of threads. LLVM's own pipeline takes five times as
# long over it, and finds nothing more: invariants leave loops in the code generator.
_FOR_VECTORS = (
    *("sroa", "simplify_cfg", "instruction_combine", "loop_rotate"),
    *("new_gvn", "instruction_combine", "simplify_cfg"),
)


def _run_passes(module: Any, target: Target, kinds: frozenset[Kind]) -> None:
    """The passes that code with loops of these kinds needs."""
    if target.opt == 0:
        return
    binding, machine = _binding(target.triple == host_triple()), _machine(target)
    # Loops over the threads of a CPU are vectors already, or LoopVectorize makes them so. What the
    # passes of level 2 add finds nothing in them, which takes it a tenth of the time of all.
    level = target.opt if Kind.OTHER in kinds else min(target.opt, 1)
    options = binding.create_pipeline_tuning_options(speed_level=level)
    options.loop_vectorization = target.opt >= 2
    # What is next to each other in vectors of threads is in their lanes already.
    options.slp_vectorization = level >= 2 and Kind.VECTORS not in kinds
    options.loop_unrolling = options.loop_interleaving = target.opt >= 2
    builder = binding.create_pass_builder(machine, options)
    if kinds == frozenset((Kind.VECTORS,)):
        passes = binding.create_new_module_pass_manager()
        for name in _FOR_VECTORS:
            getattr(passes, f"add_{name}_pass")()
    else:
        passes = builder.getModulePassManager()
    try:
        passes.run(module, builder)
    finally:
        # llvmlite's class frees nothing (a base of it that frees comes first): 0.1 MB each time.
        binding.ffi.lib.LLVMPY_DisposeNewModulePassManger(passes)
        passes.detach()


def _optimised(
    ir_text: str, target: Target, external: Collection[str] = EXTERNAL_SYMBOLS
) -> list[tuple[Any, Any]]:
    """The modules of a text, each with its code generator; the first of them is optimised."""
    _refuse_types(ir_text, target)
    is_gpu = target.triple.startswith("nvptx")
    room = "" if is_gpu else _ROOM
    parts = [_parse(text + room) for text in ir_text.split(SEPARATOR)]
    own = {name for part in parts for name in _defined(part)} if len(parts) > 1 else set[str]()
    layout = str(_machine(target).target_data)
    for part in parts:
        _refuse_symbols(part, external, own)
        part.triple, part.data_layout = target.triple, layout
    kinds = frozenset({Kind.OTHER}) if is_gpu else kinds_of_loops(ir_text.partition(SEPARATOR)[0])
    _run_passes(parts[0], target, kinds)
    as_it_is = replace(target, opt=0)
    return [(part, _machine(as_it_is if index else target)) for index, part in enumerate(parts)]


def _defined(module: Any) -> Iterator[str]:
    return (function.name for function in module.functions if not function.is_declaration)


# --- what would end the process -------------------------------------------------------------------

# A type is a word that is neither part of a name (%half.3, @i999) nor of a label (half.2:).
_BEFORE, _AFTER = r"(?<![%@!\w.$-])", r"(?![\w.:$-])"
_REFUSED = re.compile(f"{_BEFORE}(?:(x86_fp80|fp128|ppc_fp128|x86_amx|vscale)|i(\\d+)){_AFTER}")
_BFLOAT = re.compile(f"{_BEFORE}bfloat{_AFTER}")
_HALF = re.compile(f"{_BEFORE}half{_AFTER}")
_LONGEST_INTEGER = 128
_WORDS = ("fp80", "fp128", "x86_amx", "vscale", "bfloat", "half")
_WIDE = re.compile(r"i\d\d\d")


def _refuse_types(ir_text: str, target: Target) -> None:
    """Types that the code generator would call missing libraries for, or give up on."""
    if not any(word in ir_text for word in _WORDS) and not _WIDE.search(ir_text):
        return  # most text: a look at each of its words takes a millisecond
    text = re.sub(r'"[^"\n]*"', '""', ir_text)
    for match in _REFUSED.finditer(text):
        if match[1] or int(match[2]) > _LONGEST_INTEGER:
            raise CompileError(f"{target.triple} code cannot use the type {match[0]}")
    if _BFLOAT.search(text) and not target.triple.startswith("nvptx"):
        raise CompileError(
            f"{target.triple} code cannot use the type bfloat",
            hint="keep bf16 values as i16 and convert with integer arithmetic",
        )
    if _HALF.search(text) and not _has_half(target):
        raise CompileError(
            f"{target.triple} code for cpu {target.cpu!r} cannot use the type half: the target has "
            "no instructions that convert it",
            hint="lower with half-instructions off, which uses integer arithmetic",
        )


def _has_half(target: Target) -> bool:
    if not target.triple.startswith(("x86_64", "aarch64", "arm64")):
        return True
    return converts_half(target.triple, target.features)


def _refuse_symbols(module: Any, external: Collection[str], own: Collection[str]) -> None:
    """Symbols from outside that are not in the table, and our own that hide the library's."""
    for value in (*module.functions, *module.global_variables):
        name: str = value.name
        if name in own and name not in RESERVED_SYMBOLS:
            continue
        if name in RESERVED_SYMBOLS and not value.is_declaration:
            raise CompileError(
                f"a function cannot be called {name!r}: the C library's would be hidden by it"
            )
        if value.is_declaration and not name.startswith("llvm.") and name not in external:
            raise CompileError(
                f"the code needs the external symbol {name!r}, which is not available",
                hint="only the C math library and a few functions on memory can be called",
            )
