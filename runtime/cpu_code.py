"""Object code in this process: checked against this machine, loaded by LLVM's MCJIT.

MCJIT registers each object with gdb's JIT interface, so breakpoints and backtraces show the user's
lines. With STEPWELL_PERF=1 the functions of each kernel also get lines in perf's map file of this
process.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Sequence
from functools import cache
from threading import Lock
from typing import Any

from .artifact import Artifact, Manifest
from .cpu_archs import CPU_ARCHS, architecture_of, best_arch, system_of
from .errors import ArtifactError
from .object_files import global_functions, has_data, object_files

_OTHER_MAGICS = (b"\xcf\xfa\xed\xfe", b"\x64\x86", b"\x64\xaa")  # Mach-O, COFF
# Launch records of threads that share a launch are so many words apart: lines of the cache.
RECORD_STRIDE = 16
REPORT = "stepwell_report"  # what kernels call, as lowering/emit/symbols.py has it
_ELF = struct.Struct("<4xBB10xH22xQ10xHH2x")  # class, order, type, offset, size, count of sections


class LoadedCode:
    """Machine code, its function of a block at `address`; it goes when this object goes."""

    __slots__ = ("_engine", "address")

    def __init__(self, artifact: Artifact):
        manifest, payload = artifact.manifest, artifact.payload
        objects = _object_files(payload)
        if not objects:
            raise ArtifactError(
                f"artifact of kernel {manifest.name} is damaged: its payload is not object code"
            )
        shared_code()  # with what it calls
        self._engine = load_objects(objects)
        self.address: int = self._engine.get_function_address(manifest.entry)
        if not self.address:
            raise ArtifactError(
                f"artifact of kernel {manifest.name} is damaged: it has no entry {manifest.entry!r}"
            )
        if os.environ.get("STEPWELL_PERF") == "1":
            _tell_perf(self._engine, objects)


def _object_files(payload: bytes) -> list[bytes]:
    """The object files of a payload; none if something else is in it."""
    try:
        found = object_files(payload)
    except ValueError:
        return []
    return found if all(map(_is_object, found)) else []


def _is_object(payload: bytes) -> bool:
    """Whether this looks like a whole object file: LLVM would end the process over anything else.

    An ELF file must be relocatable, for 64 bits, and hold its table of sections.
    """
    if not payload.startswith(b"\x7fELF"):
        return payload.startswith(_OTHER_MAGICS)
    if len(payload) < _ELF.size:
        return False
    width, order, kind, table, entry_size, entries = _ELF.unpack_from(payload)
    return (width, order, kind) == (2, 1, 1) and table + entry_size * entries <= len(payload)


def why_unfit(manifest: Manifest, arch: str = "") -> str | None:
    """What keeps this machine from running the code, as the end of a sentence; None if nothing.

    With `arch`, a row of `CPU_ARCHS`, the machine is taken for one that has no more than that.
    """
    architecture, host = architecture_of(manifest.triple), architecture_of(_host_triple())
    if architecture and architecture != host:
        return f"is for {architecture} processors, this one is {host}"
    system, own = system_of(manifest.triple), system_of(_host_triple())
    if system and own and system != own:
        return f"is for {system}, this is {own}"
    level = CPU_ARCHS.get(manifest.cpu)
    needed = manifest.needs or (level.features if level else ())
    if not needed and not level and manifest.cpu not in ("", "generic", "x86-64", _host_cpu()):
        return f"is for {manifest.cpu}, this processor is {_host_cpu()}"
    has = host_features()
    missing = [name for name in needed if name not in has]
    if missing:
        return f"needs the CPU features {', '.join(missing)}, which this processor lacks"
    beyond = [name for name in needed if arch and name not in _features_of(arch)]
    return f"needs the CPU features {', '.join(beyond)}, which {arch} lacks" if beyond else None


def _features_of(arch: str) -> frozenset[str]:
    return frozenset(CPU_ARCHS[arch].features)


def host_arch() -> str:
    """The row of `CPU_ARCHS` that this machine has all of, the best one; "" if there is none."""
    return best_arch(_host_triple(), host_features())


@cache
def host_features() -> frozenset[str]:
    """The features of this processor, by LLVM's names."""
    return frozenset(name for name, has in _llvm().get_host_cpu_features().items() if has)


@cache
def _host_cpu() -> str:
    return _llvm().get_host_cpu_name()


@cache
def _host_triple() -> str:
    return _llvm().get_process_triple()


@cache
def _llvm() -> Any:
    import llvmlite.binding as llvm  # pyright: ignore[reportMissingTypeStubs]

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()  # else MCJIT ends the process, even for finished code
    return llvm


def llvm_version() -> str:
    """The version of LLVM in this process."""
    return ".".join(map(str, _llvm().llvm_version_info))


def shared_text(triple: str) -> str:
    """What all kernels share, as LLVM text for this processor's architecture."""
    # Only on x86-64 are there streaming stores, which no fence of LLVM's is about.
    wait = "  call void @llvm.x86.sse.sfence()\n" if architecture_of(triple) == "x86_64" else ""
    own = f"define private void @await.stores() nounwind {{\n{wait}  ret void\n}}\n"
    return _own_text("cpu_blocks.ll") + own


def _own_text(*names: str) -> str:
    """LLVM text that belongs to the runtime: files beside this one."""
    text = ""
    for name in names:
        with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
            text += file.read()
    return text


def load_own(*names: str) -> Any:
    """The engine of LLVM text that belongs to the runtime, files beside this one."""
    return _load_text(names[0], _own_text(*names))


def _load_text(name: str, text: str) -> Any:
    """Compiled once for each version of it and of LLVM; later processes find it in the cache."""
    from .cache import Cache

    store = Cache()
    key = f"{name}-{hashlib.sha256(f'{llvm_version()} {text}'.encode()).hexdigest()}"
    content = store.get(key)
    if content is None:
        content = generate(text)
        store.put(key, content)
    return load_objects([content])


_sharing = Lock()


def shared_code() -> Any:
    """The engine of what all kernels share (cpu_blocks.ll), which they can call from then on.

    Threads that come at once get the same: another one's code would be gone with its engine, while
    kernels that were linked in between call it.
    """
    with _sharing:
        return _shared_code()


@cache
def _shared_code() -> Any:
    engine = _load_text("cpu_blocks.ll", shared_text(_host_triple()))
    _llvm().add_symbol(REPORT, engine.get_function_address(REPORT))
    return engine


@cache
def runner() -> int:
    """The address of the function that runs a kernel's blocks: `(packed, launch record) -> i32`."""
    return shared_code().get_function_address("stepwell_run_blocks")


def has_symbols(names: Iterable[str]) -> bool:
    """Whether code that is loaded can refer to all of these."""
    return all(_llvm().address_of_symbol(name) is not None for name in names)


def generate(text: str, triple: str = "") -> bytes:
    """Object code, for this machine unless told otherwise, of LLVM's text that is our own."""
    llvm, triple = _llvm(), triple or _host_triple()
    machine = llvm.Target.from_triple(triple).create_target_machine(opt=2, reloc="pic")
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = triple, str(machine.target_data)
    module.verify()
    return machine.emit_object(module)


def load_objects(objects: Sequence[bytes]) -> Any:
    """The engine that has object files in memory; ArtifactError if they cannot be loaded.

    Code of the small model, as kernels are, has its constants and tables within 2 GiB. LLVM's own
    way to find memory puts them where there is room, and ends the process where that is too far,
    as beside the reserved addresses of GPU drivers. llvmlite's keeps an object together; on x86-64
    it ends the process too, where addresses of functions outside need a page that is not reserved,
    so objects have one (lowering/emit/native.py). The runtime's own code, of the large model, does
    without. Code is ready once the address of a function in it has been asked for: to finalise the
    engine would be to generate code for its module, too, which is empty (0.3 ms).
    """
    llvm = _llvm()
    machine = llvm.Target.from_triple(_host_triple()).create_target_machine(codemodel="jitdefault")
    together = all(map(has_data, objects)) or None  # None is llvmlite's choice: yes on arm64
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine, use_lmm=together)
    try:
        for content in objects:
            engine.add_object_file(llvm.ObjectFileRef.from_data(content))
    except RuntimeError as error:
        raise ArtifactError(f"object code does not load: {error}") from error
    return engine


def _tell_perf(engine: Any, objects: Sequence[bytes]) -> None:
    with open(f"/tmp/perf-{os.getpid()}.map", "a") as file:  # the place where perf looks
        for content in objects:
            for name, size in global_functions(content):
                file.write(f"{engine.get_function_address(name):x} {size:x} stepwell::{name}\n")
