"""Binaries of another compiler go through the dialect, and come out the same and valid."""

# pyright: basic

from __future__ import annotations

import pytest
from spirv_tools import ENVIRONMENTS, SHADERS, compiled, needs, spirv_dis, text_of, validate

from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.emit.spirv import deserialise, disassemble, serialise
from stepwell.lowering.verify import verify

CASES = [(shader, environment) for shader in SHADERS for environment in ENVIRONMENTS]


@needs("glslangValidator", "spirv-val")
@pytest.mark.parametrize(("shader", "environment"), CASES)
def test_shaders_are_read_and_written_again(shader: str, environment: str):
    module = deserialise(compiled(shader, environment))
    verify(module)
    validate(serialise(module), environment)


@needs("glslangValidator")
@pytest.mark.parametrize(("shader", "environment"), CASES)
def test_the_same_module_comes_back(shader: str, environment: str):
    module = deserialise(compiled(shader, environment))
    data = serialise(module)
    again = deserialise(data)
    assert text_of(again) == text_of(module)
    assert serialise(again) == data


@needs("glslangValidator", "spirv-dis")
@pytest.mark.parametrize(("shader", "environment"), CASES)
def test_text_is_what_spirv_dis_prints(shader: str, environment: str):
    data = compiled(shader, environment)
    assert disassemble(data) == spirv_dis(data)
    assert disassemble(data, raw_ids=True) == spirv_dis(data, "--raw-id")


@needs("glslangValidator")
def test_places_of_the_source_come_through():
    module = deserialise(compiled("saxpy", "vulkan1.1"))
    for op in module.walk():
        op.location = _place(7)
    data = serialise(module, debug=True)
    assert "OpLine" in disassemble(data)
    assert '"kernel.py"' in disassemble(data)
    lines = [op.location for op in deserialise(data).walk() if op.name == "spirv.Store"]
    assert all(line == _place(7) for line in lines)


def _place(line: int):
    from xdsl.dialects.builtin import FileLineColLoc, IntAttr, StringAttr

    return FileLineColLoc(StringAttr("kernel.py"), IntAttr(line), IntAttr(3))


def test_the_other_byte_order_is_read():
    data = serialise(deserialise(EMPTY))
    swapped = b"".join(data[i : i + 4][::-1] for i in range(0, len(data), 4))
    assert text_of(deserialise(swapped)) == text_of(deserialise(data))


EMPTY = bytes.fromhex(
    "03022307" "00000100" "00000000" "01000000" "00000000"
    "11000200" "01000000"  # OpCapability Shader
    "0e000300" "00000000" "01000000"  # OpMemoryModel Logical GLSL450
)  # fmt: skip


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0 bytes"),
        (b"\0" * 20, "magic number"),
        (EMPTY[:-2], "multiple of 4"),
        (EMPTY[:-4], "3 words, 2 are left"),
        (EMPTY[:20], "no OpMemoryModel"),
        (EMPTY + b"\xff\xff\x01\x00", "no instruction 65535"),
        (EMPTY + b"\x13\x00\x03\x00" + b"\1\0\0\0" * 2, "OpTypeVoid has words too many"),
        (EMPTY + b"\x20\x00\x03\x00" + b"\1\0\0\0" * 2, "OpTypePointer ends too early"),
    ],
)
def test_what_is_no_spirv_is_an_error(data: bytes, message: str):
    with pytest.raises(CompileError, match=message):
        deserialise(data)
