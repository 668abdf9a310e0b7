"""The facts of the specification are those of the Khronos headers."""

# pyright: basic

from __future__ import annotations

from pathlib import Path

import pytest
from spirv_facts import generate

from stepwell.dialects.spirv import ROWS
from stepwell.dialects.spirv.base import instruction_of_op
from stepwell.dialects.spirv.grammar import enumeration, glsl_numbers, instruction

HEADERS = Path("/usr/include/spirv/unified1")
FACTS = Path(__file__).parent.parent / "dialects/spirv/facts.py"


@pytest.mark.skipif(not HEADERS.is_dir(), reason="spirv-headers is not installed")
def test_the_tables_are_those_of_the_headers():
    # Headers of another release have more, and say more of what was there: names and numbers stay.
    theirs = {tuple(line.split()[:2]) for line in generate(HEADERS).splitlines()}
    ours = (tuple(line.split()[:2]) for line in FACTS.read_text().splitlines())
    assert [row for row in ours if row not in theirs] == []


@pytest.mark.parametrize("name", ROWS)
def test_each_row_is_an_instruction(name: str):
    wanted = ROWS[name].instruction or instruction_of_op(name)
    vendor, colon, extended = wanted.partition(":")
    if colon:
        assert extended in glsl_numbers()
    else:
        assert instruction(vendor).name == vendor


def test_names_of_bits_are_in_order():
    assert enumeration("MemorySemantics").names(0x108) == ("AcquireRelease", "WorkgroupMemory")
