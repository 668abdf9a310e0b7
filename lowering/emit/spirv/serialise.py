"""A spirv.module as a SPIR-V binary: `serialise(module)`."""

from __future__ import annotations

from ....dialects import spirv
from ....dialects.diagnostics import CompileError
from .module import ModuleWords
from .words import GENERATOR, Header, to_bytes

VERSIONS = tuple((1, minor) for minor in range(7))


def serialise(module: spirv.ModuleOp, *, debug: bool = False) -> bytes:
    """The module as a binary, little-endian.

    Version, capabilities and extensions are those that the module says it requires, or else the
    least that it needs. With `debug`, the places of ops become OpLine.
    Raises CompileError for what SPIR-V has no form for.
    """
    from ....passes.spirv_update_vce import derive_vce

    given = module.vce
    vce = given.data if given is not None else derive_vce(module).data
    if vce.version not in VERSIONS:
        raise CompileError(f"there is no SPIR-V {vce.version[0]}.{vce.version[1]}")
    words = ModuleWords(module, vce, debug=debug)
    sections = words.sections()
    return to_bytes(Header(vce.version, GENERATOR, words.bound, 0), sections)
