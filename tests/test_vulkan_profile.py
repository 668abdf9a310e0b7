"""Profiles of Vulkan devices: what the runtime writes is what the compiler reads."""

from __future__ import annotations

import re

import pytest

from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.gpu_to_spirv import target
from stepwell.runtime.vulkan import profile


def test_compiler_and_runtime_know_the_same_capabilities():
    assert target.CAPABILITIES == profile.CAPABILITIES


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
