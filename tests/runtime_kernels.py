"""Hand-written kernels for the tests of the runtime: LLVM text in the function of the ABI."""

from __future__ import annotations

import struct
from typing import Any

import llvmlite.binding

from stepwell.runtime.artifact import Artifact, Manifest, Parameter, Site
from stepwell.runtime.cpu import CpuDevice
from stepwell.runtime.cpu_kernel import CpuKernel

DEVICE = CpuDevice()
llvm: Any = llvmlite.binding

_FRAME = """
define i32 @k(ptr %args, ptr %launch, i64 %x, i64 %y, i64 %z) {{
entry:
  %width = load i64, ptr %launch
  %height_at = getelementptr i64, ptr %launch, i64 1
  %height = load i64, ptr %height_at
  %report_at = getelementptr i64, ptr %launch, i64 10
  %report = load ptr, ptr %report_at
  %planes = mul i64 %z, %height
  %row = add i64 %planes, %y
  %rows = mul i64 %row, %width
  %b = add i64 %rows, %x
  br label %blocks
blocks:
{body}
block_end:
  ret i32 0
fail:
  ret i32 1
}}
"""

COUNT = """
  %counts = load ptr, ptr %args
  %slot = getelementptr i64, ptr %counts, i64 %b
  %old = load i64, ptr %slot
  %new = add i64 %old, 1
  store i64 %new, ptr %slot
  br label %block_end
"""

SPIN = """
  %counts = load ptr, ptr %args
  %rounds_at = getelementptr i64, ptr %args, i64 1
  %rounds = load i64, ptr %rounds_at
  br label %spin
spin:
  %i = phi i64 [ 0, %blocks ], [ %i_next, %spin ]
  %i_next = add i64 %i, 1
  fence seq_cst
  %again = icmp slt i64 %i_next, %rounds
  br i1 %again, label %spin, label %spun
spun:
  %slot = getelementptr i64, ptr %counts, i64 %b
  %old = load i64, ptr %slot
  %new = add i64 %old, 1
  store i64 %new, ptr %slot
  br label %block_end
"""

EMPTY = "  br label %block_end\n"


def record(site: int, values: str, after: str, *, printing: bool = False) -> str:
    """LLVM text that reports block %b, thread (1, 2, 3) and i64 values, then goes to `after`.

    Prints have a counter of their own, and what is behind the first quarter of the records.
    """
    names = values.split()
    size = 7 + 2 * len(names)
    lines = [
        f"  %counter = getelementptr i32, ptr %report, i64 {2 if printing else 0}",
        f"  %at32 = atomicrmw add ptr %counter, i32 {size} monotonic",
        "  %capacity_at = getelementptr i32, ptr %report, i64 1",
        "  %capacity = load i32, ptr %capacity_at",
        "  %kept = lshr i32 %capacity, 2" if printing else "  %kept = and i32 %capacity, 0",
        "  %room = sub i32 %capacity, %kept",
        f"  %past = add i32 %at32, {size}",
        "  %fits = icmp ule i32 %past, %room",
        f"  br i1 %fits, label %write, label %{after}",
        "write:",
        "  %behind = add i32 %at32, %kept",
        "  %at64 = zext i32 %behind to i64",
        "  %at = add i64 %at64, 4",
        "  %b32 = trunc i64 %b to i32",
    ]
    words = [str(site + 1), "%b32", "0", "0", "1", "2", "3"]
    for number, name in enumerate(names):
        lines += [
            f"  %low{number} = trunc i64 {name} to i32",
            f"  %shift{number} = lshr i64 {name}, 32",
            f"  %high{number} = trunc i64 %shift{number} to i32",
        ]
        words += [f"%low{number}", f"%high{number}"]
    for number, word in enumerate(words):
        lines += [
            f"  %index{number} = add i64 %at, {number}",
            f"  %word{number} = getelementptr i32, ptr %report, i64 %index{number}",
            f"  store i32 {word}, ptr %word{number}",
        ]
    return "\n".join([*lines, f"  br label %{after}", ""])


def fail_at(block: int) -> str:
    """A body that fails a check of site 0 in one block, with the block and 10 as values."""
    return (
        f"  %bad = icmp eq i64 %b, {block}\n  br i1 %bad, label %report_it, label %block_end\n"
        "report_it:\n" + record(0, "%b 10", "fail")
    )


def print_all() -> str:
    """A body that prints the block and 7 in every block (site 0)."""
    return record(0, "%b 7", "block_end", printing=True)


def compiled(body: str) -> bytes:
    """Object code of a kernel with this body."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(_FRAME.format(body=body))
    module.triple = llvm.get_process_triple()
    machine = llvm.Target.from_triple(module.triple).create_target_machine(codemodel="jitdefault")
    return machine.emit_object(module)


_OBJECTS: dict[str, bytes] = {}


def artifact(body: str = COUNT, sites: tuple[Site, ...] = (), **fields: Any) -> Artifact:
    """An artifact of a kernel `k(counts)` with this body."""
    if body not in _OBJECTS:
        _OBJECTS[body] = compiled(body)
    options: dict[str, Any] = {
        "triple": llvm.get_process_triple(),
        "parameters": (Parameter("counts", "buffer", "i64", 1, (None,), None, True),),
        "has_report": bool(sites),
        "sites": sites,
        **fields,
    }
    return Artifact(Manifest("k", "cpu", "k", **options), _OBJECTS[body])


def kernel(body: str = COUNT, sites: tuple[Site, ...] = (), **fields: Any) -> CpuKernel:
    """The same, loaded."""
    loaded = DEVICE.load(artifact(body, sites, **fields))
    assert isinstance(loaded, CpuKernel)
    return loaded


class Packed(bytes):
    """Argument slots that keep the array alive to which they point."""

    array: Any


def packed(array: Any, *words: int) -> Packed:
    """The argument slots of an array's address and more words."""
    result = Packed(struct.pack(f"<{1 + len(words)}q", array.ctypes.data, *words))
    result.array = array
    return result
