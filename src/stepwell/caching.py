"""Where an artifact comes from: the disk cache if it has one that is still true, else the compiler.

A kernel's machine code depends on its own code, the types of its parameters, the options, the
compiler and the machine: these make the *front key*. It depends also on functions that it calls and
on constants of its surroundings, and which these are is known only after compiling once. So there
are two steps, as in a compiler cache of C: under the front key lies the list of what the kernel
depended on; the values that these have now make the *full key*, under which lies the artifact.
Neither step imports xDSL.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from . import registry
from .dialects.lazy_definitions import lazy_definitions
from .language.fingerprint import fingerprint_function, fingerprints
from .runtime.artifact import Artifact, Form
from .runtime.cache import Cache
from .runtime.devices import KINDS
from .runtime.errors import ArtifactError

if TYPE_CHECKING:
    from .compiler import Compilation
    from .kernel import Kernel

# What decides code, beside the files of the package's own folder: the compiler, and the runtime,
# whose tables it reads (see `tests/test_layering.py`).
_DECIDING = ("dialects", "language", "lowering", "passes", "runtime")
_SETTINGS = (
    "STEPWELL_CACHE",
    "STEPWELL_CACHE_DIR",
    "STEPWELL_CACHE_SIZE",
    "XDG_CACHE_HOME",
    "HOME",
)
_caches: dict[tuple[str | None, ...], Cache] = {}


def cached_artifact(kernel: Kernel, types: Sequence[Any], target: str, form: Form) -> Artifact:
    """The artifact of a kernel for parameter types; compiled and stored if need be."""
    store = disk_cache()
    front = _front_key(kernel, types, target, form)
    listed = store.get(front)
    if listed is not None:
        found = _stored(kernel, front, listed)
        if found is not None:
            return found
    made = _compiled(kernel, types, target, form)
    steps = [dependency.steps for dependency in made.dependencies]
    values = fingerprints(kernel.function, steps)
    if values is not None:
        store.put(front, json.dumps(steps).encode())
        store.put(_full_key(front, values), made.artifact.to_bytes())
    return made.artifact


def _compiled(kernel: Kernel, types: Sequence[Any], target: str, form: Form) -> Compilation:
    """Compile, without the collector: it finds nothing in IR that is still being made.

    Loading LLVM in a thread beside the front end was tried; with the interpreter's lock it gained
    nothing.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        from .compiler import compile_kernel

        with lazy_definitions():
            return compile_kernel(kernel, types, target, form)
    finally:
        if collecting:
            _keep_as_old()
            gc.enable()


@cache
def _keep_as_old() -> None:
    """All that there is becomes old for the collector, which else looks at the compiler twice.

    Only once: IR that is done with refers to itself, and from old objects the collector, which is
    not told of them, hardly ever takes any (0.4 MB for each kernel).
    """
    if gc.get_freeze_count() == 0:  # else it would thaw what the program has frozen
        gc.freeze()
        gc.unfreeze()


def disk_cache() -> Cache:
    """The cache on disk that the environment asks for now."""
    settings = tuple(os.environ.get(name) for name in _SETTINGS)
    found = _caches.get(settings)
    if found is None:
        found = _caches[settings] = Cache()
    return found


def _stored(kernel: Kernel, front: str, listed: bytes) -> Artifact | None:
    """What the cache holds for the values that the kernel's surroundings have now."""
    values = fingerprints(kernel.function, json.loads(listed))
    if values is None:
        return None
    content = disk_cache().get(_full_key(front, values))
    if content is None:
        return None
    try:
        return Artifact.from_bytes(content, f"the cache entry of kernel {kernel.__name__}")
    except ArtifactError:
        return None  # of another version of the format: compiled again, and replaced


def _front_key(kernel: Kernel, types: Sequence[Any], target: str, form: Form) -> str:
    digest = hashlib.sha256(_compiler_fingerprint())
    digest.update(fingerprint_function(kernel.function))
    facts = (kernel.__name__, [str(type_) for type_ in types], target, form)
    digest.update(packages_of(target).encode())
    digest.update(repr((facts, kernel.options)).encode())
    return digest.hexdigest()


def packages_of(target: str) -> str:
    """The files of other packages that decide the code, with sizes and times; mostly none.

    These are the packages of what a program registered, and where the target is not ours, all that
    add something to the compiler.
    """
    modules = set(registry.deciding_modules)
    if target.partition(":")[0] not in KINDS:
        for group in registry.TABLES:
            for points in registry.plugins(group).values():
                modules |= {point.module for point in points}
    return ";".join(text for module in sorted(modules) for text in _files_of(module))


def _files_of(module: str) -> Iterator[str]:
    """A module's file, or all Python files of its package."""
    top = module.partition(".")[0]
    loaded = sys.modules.get(module)  # a script has no spec
    spec = find_spec(top) if loaded is None or "." in module else None
    places = (spec.submodule_search_locations if spec else None) or ()
    paths = {os.path.join(*at) for place in places for at in _python_files(place)}
    own: str | None = getattr(loaded, "__file__", None) or (spec and spec.origin)
    for path in sorted(paths | ({own} if own else set())):
        status = os.stat(path)
        yield f"{path}:{status.st_size}:{status.st_mtime_ns}"


def _python_files(place: str) -> Iterator[tuple[str, str]]:
    for folder, _, names in os.walk(place):
        yield from ((folder, name) for name in names if name.endswith(".py"))


def _full_key(front: str, values: str) -> str:
    return hashlib.sha256(f"{front}:{values}".encode()).hexdigest()


@cache
def _compiler_fingerprint() -> bytes:
    """The files that decide code, with sizes and times, and the machine."""
    digest = hashlib.sha256(repr((sys.version_info[:2], _machine())).encode())
    for path in deciding_files():
        status = os.stat(path)
        digest.update(f"{path}:{status.st_size}:{status.st_mtime_ns};".encode())
    return digest.digest()


def deciding_files() -> Iterator[str]:
    """The compiler's own files, and of each library below it the first, which an update changes."""
    root = os.path.dirname(__file__)
    trees = (os.path.join(root, tree) for tree in _DECIDING)
    for folder in (root, *(found for tree in trees for found, _, _ in os.walk(tree))):
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name.endswith(".py"):
                yield entry.path
    for package in ("xdsl", "llvmlite"):
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            yield spec.origin


def _machine() -> str:
    """What the code is generated for: the processor as the system describes it."""
    import platform

    try:
        with open("/proc/cpuinfo") as file:
            lines = {line for line in file if line.startswith(("model name", "flags", "Features"))}
        return platform.machine() + "".join(sorted(lines))
    except OSError:  # not Linux
        return f"{platform.platform()} {platform.processor()}"
