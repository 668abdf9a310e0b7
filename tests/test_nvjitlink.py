"""Machine code by nvJitLink, which a package of PyPI has: where there is no ptxas."""

# pyright: basic

from __future__ import annotations

import ctypes.util

import pytest

import stepwell as sw
from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.emit import nvjitlink, ptx


def text() -> str:
    def kernel(x):
        x[sw.thread_id(0)] = 2.0

    return sw.kernel(checks=False)(kernel).ir("ptx", sw.Array[sw.f32, 1], target="cuda:sm_90")


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> str:
    """nvJitLink, on a machine without ptxas."""
    found = nvjitlink.find_library()
    if found is None:
        pytest.skip("nvidia-nvjitlink is not installed")
    monkeypatch.setattr(ptx, "find_tool", lambda name: None)
    return found


def test_a_cubin_without_ptxas(library: str):
    cubin, _ = ptx.assemble_cubin(text(), "sm_90")
    assert cubin[:4] == b"\x7fELF" and b"kernel" in cubin


def test_registers_are_reported(library: str):
    used = ptx.resources(text(), "sm_90")
    assert 0 < used.registers < 32 and used.spill_bytes == 0


def test_bad_ptx_is_refused_with_the_line(library: str):
    with pytest.raises(CompileError, match=r"nvJitLink refuses the PTX for sm_90: .*line \d+"):
        ptx.assemble_cubin(text().replace("ret;", "rot;"), "sm_90")


def test_an_architecture_that_it_does_not_know(library: str):
    with pytest.raises(CompileError, match="nvJitLink knows nothing of sm_12"):
        nvjitlink.link(text(), "sm_12", library)


def test_another_library_is_none():
    path = ctypes.util.find_library("m")
    assert path is not None
    with pytest.raises(CompileError, match="is no nvJitLink of CUDA 13"):
        nvjitlink.link(text(), "sm_90", path)


def test_without_both_the_packages_are_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ptx, "find_tool", lambda name: None)
    monkeypatch.setattr(nvjitlink, "find_library", lambda: None)
    with pytest.raises(CompileError, match="ptxas or nvJitLink, and neither is here") as caught:
        ptx.assemble_cubin(text(), "sm_90")
    assert "pip install nvidia-nvjitlink" in str(caught.value)
