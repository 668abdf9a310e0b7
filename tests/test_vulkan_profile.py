"""Profiles of Vulkan devices: what the runtime writes is what the compiler reads."""

from __future__ import annotations

import re
from types import FunctionType

import pytest

import stepwell as sw
from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.gpu_to_spirv import target
from stepwell.runtime.vulkan import profile
from stepwell.runtime.vulkan.kernel import why_unfit

I32 = sw.Array[sw.i32, 1]


@pytest.mark.parametrize("text", ["1.6+sg8+bda+float16+int64", "1.3+sg32"])
def test_a_profile_is_the_same_on_both_sides(text: str):
    written = profile.Profile.parse(text)
    read = target.target_for(text)
    assert (read.arch, str(written)) == (text, text)
    assert (1, read.minor) == written.spirv
    assert read.subgroup_size == written.subgroup_size
    assert read.capabilities == written.capabilities


def test_capabilities_are_put_in_order():
    assert target.target_for("1.6+sg8+int64+bda").arch == "1.6+sg8+bda+int64"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.6", "'1.6' is no profile"),
        ("2.0+sg8", "'2.0+sg8' is no profile"),
        ("1.6+sg7", "'1.6+sg7' is no profile"),
        ("1.6+sg8+int46", "unknown capability 'int46'"),
    ],
)
def test_what_is_no_profile_is_refused(text: str, message: str):
    with pytest.raises(CompileError, match=re.escape(message)):
        target.target_for(text)


def ordered(x: sw.Array[sw.i32, 1]):
    sw.atomic_add(x, 0, 1, order="acquire")


def compared(x: sw.Array[sw.i32, 1]):
    sw.atomic_compare_exchange(x, 0, 1, 2, order="seq_cst")


def relaxed(x: sw.Array[sw.i32, 1]):
    assert sw.atomic_add(x, 0, 1) < 5
    sw.barrier()


@pytest.mark.parametrize("function", [ordered, compared])
def test_a_device_runs_no_code_whose_atomics_would_lose_their_order(function: FunctionType):
    of_gpu, of_mesa = (
        profile.Profile.parse(f"1.6+sg8+bda+{word}+subgroup_basic")
        for word in ("fences", "short_loops+strong_atomics")
    )
    made = {
        on: sw.kernel(function).compile((I32,), target=f"vulkan:{on}").manifest
        for on in (of_gpu, of_mesa)
    }
    for on, manifest in made.items():
        assert why_unfit(manifest, on, range(8, 9)) is None
    assert why_unfit(made[of_mesa], of_gpu, range(8, 9)) == "the device lacks strong_atomics"
    assert why_unfit(made[of_gpu], of_mesa, range(8, 9)) == "the device lacks fences"


def test_atomics_without_an_order_run_on_both_kinds_of_device():
    for word in ("fences", "short_loops+strong_atomics"):
        target_ = f"vulkan:1.6+sg8+bda+{word}+subgroup_basic"
        manifest = sw.kernel(relaxed).compile((I32,), target=target_).manifest
        assert not {"fences", "strong_atomics"}.intersection(manifest.features)
