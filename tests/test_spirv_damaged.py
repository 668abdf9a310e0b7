"""Binaries that are damaged are errors that say so, whatever was damaged."""

# pyright: basic

from __future__ import annotations

import random

import pytest
from spirv_ops import module_text
from spirv_tools import modules_in

from stepwell.dialects import spirv
from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.emit.spirv import deserialise, disassemble, serialise

LOOPS = """
spirv.module Logical GLSL450 {
  spirv.SpecConstant @x spec_id(0) = 8 : i32
  spirv.SpecConstantExpression @n = "UDiv"(@x, 4 : i32) : i32
  spirv.GlobalVariable @shared : !spirv.ptr<!spirv.array<@n x i32>, Workgroup>
  spirv.GlobalVariable @b bind(0, 0) : !spirv.ptr<!spirv.struct<(!spirv.rtarray<f32, stride=4> [0])>, StorageBuffer>
  spirv.func @main() "None" {
    %c0 = spirv.Constant 0 : i32
    %c9 = spirv.Constant 9 : i32
    %f = spirv.Constant dense<[1.5, 2.5]> : vector<2xf32>
    %r = spirv.mlir.loop -> i32 {
      spirv.Branch ^header(%c0 : i32)
    ^header(%k: i32):
      %go = spirv.ULessThan %k, %c9 : i32
      spirv.BranchConditional %go, ^body, ^merge
    ^body:
      %stop = spirv.IEqual %k, %c9 : i32
      spirv.mlir.selection {
        spirv.BranchConditional %stop, ^then, ^merge
      ^then:
        spirv.mlir.break
      ^merge:
        spirv.mlir.merge
      }
      spirv.Branch ^continue
    ^continue:
      %next = spirv.IAdd %k, %c9 : i32
      spirv.Branch ^header(%next : i32)
    ^merge:
      spirv.mlir.merge %k : i32
    }
    spirv.Return
  }
  spirv.EntryPoint "GLCompute" @main
}
"""  # noqa: E501


def sample(name: str) -> bytes:
    text = LOOPS if name == "loops" else module_text(list(spirv.ROWS)[:60])
    return serialise(modules_in(text)[0])


def read(data: bytes) -> None:
    """Reads as far as it goes; CompileError is how it may end."""
    for use in (deserialise, disassemble):
        try:
            result = use(data)
        except CompileError:
            continue
        if isinstance(result, spirv.ModuleOp):
            str(result)


@pytest.mark.parametrize("name", ["loops", "ops"])
@pytest.mark.parametrize("seed", range(4))
def test_a_changed_word_is_no_traceback(name: str, seed: int):
    chance = random.Random(seed)
    data = sample(name)
    for _ in range(60):
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(5, len(data) // 4) * 4
            value = chance.choice((0, 1, 2, 7, 31, 0xFFFF, 0xFFFFFFFF, chance.getrandbits(32)))
            kept = chance.random() < 0.5
            low = damaged[place] ^ chance.randint(1, 63)
            damaged[place : place + 4] = (
                bytes([low, *damaged[place + 1 : place + 4]])
                if kept
                else value.to_bytes(4, "little")
            )
        read(bytes(damaged))


@pytest.mark.parametrize("name", ["loops", "ops"])
def test_a_binary_that_is_cut_off_is_an_error(name: str):
    data = sample(name)
    for end in range(0, len(data), 12):
        read(data[:end])


def test_instructions_in_another_order_are_no_traceback():
    chance = random.Random(1)
    words = sample("loops")
    instructions, position = [], 20
    while position < len(words):
        length = int.from_bytes(words[position + 2 : position + 4], "little") * 4
        instructions.append(words[position : position + length])
        position += length
    for _ in range(100):
        mixed = list(instructions)
        for _ in range(chance.randint(1, 4)):
            a, b = chance.randrange(len(mixed)), chance.randrange(len(mixed))
            mixed[a], mixed[b] = mixed[b], mixed[a]
        read(words[:20] + b"".join(mixed))
