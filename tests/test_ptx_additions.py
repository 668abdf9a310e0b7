"""Additions of 16-bit integers in PTX: none is packed, since ptxas loses constants of such ones."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.ptx.module import Module

from stepwell.compiler import lower_and_print
from stepwell.lowering.emit.ptx_additions import without_packed_additions
from stepwell.lowering.parse import parse_module
from stepwell.targets import find_target

# The third lane is one half of a packed sum whose other half nobody uses.
TEXT = """
gpu.module @m {{
  gpu.func @k(%x: memref<?xi16, #gpu.address_space<global>>) kernel {{
    %zero = arith.constant 0 : index
    %c = arith.constant dense<[5, -1, 7]> : vector<3xi16>
    %a = vector.load %x[%zero] : memref<?xi16, #gpu.address_space<global>>, vector<3xi16>
    %b = arith.muli %a, %c : vector<3xi16>
    %r = arith.addi %b, {addend} : vector<3xi16>
    vector.store %r, %x[%zero] : memref<?xi16, #gpu.address_space<global>>, vector<3xi16>
    gpu.return
  }}
}}
"""


@pytest.mark.parametrize("arch", ["sm_75", "sm_90a", "sm_100a", "sm_120"])
@pytest.mark.parametrize("addend", ["%c", "%a"])
def test_sums_of_three_lanes_are_made_one_by_one(arch: str, addend: str) -> None:
    module = parse_module(TEXT.format(addend=addend), "<test>")
    text = lower_and_print(module, find_target(f"cuda:{arch}"), "gpu", "ptx")
    assert "16x2" not in text
    x, c = np.array([30000, -32768, 3], np.int16), np.array([5, -1, 7], np.int16)
    expected = x * c + (c if addend == "%c" else x)
    Module(text).launch("k", (1,), (1,), [x, np.int64(3)])
    np.testing.assert_array_equal(x, expected)


def test_a_register_may_be_added_to_itself_in_place() -> None:
    text = """.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 p)
{
\t.reg .b32 %r<2>;
\t.reg .b64 %rd<2>;
\tld.param.b64 \t%rd1, [p];
\tld.global.b32 \t%r1, [%rd1];
\tadd.u16x2 \t%r1, %r1, %r1;
\tst.global.b32 \t[%rd1], %r1;
\tret;
}
"""
    apart = without_packed_additions(text)
    assert "16x2" not in apart
    x = np.array([-30000, 32767], np.int16)
    Module(apart).launch("k", (1,), (1,), [x])
    np.testing.assert_array_equal(x, [5536, -2])
