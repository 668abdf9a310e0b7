"""Each op that is one instruction: its text, its words, and what spirv-val says of them."""

# pyright: basic

from __future__ import annotations

import pytest
from spirv_ops import KERNEL, NEWER, module_text, op_text
from spirv_tools import modules_in, needs, text_of, validate

from stepwell.dialects import spirv
from stepwell.lowering.emit.spirv import deserialise, serialise

SHADER = [name for name in spirv.ROWS if name not in KERNEL | NEWER]


def with_entry(text: str) -> str:
    """The module with an entry point, which a shader needs."""
    body = (
        '  spirv.func @main() "None" { spirv.Return }\n  spirv.EntryPoint "GLCompute" @main\n'
        '  spirv.ExecutionMode @main "LocalSize", 1, 1, 1\n}'
    )
    return text.removesuffix("}") + body


@needs("spirv-val")
@pytest.mark.parametrize("name", SHADER)
def test_spirv_val_accepts_it(name: str):
    (module,) = modules_in(with_entry(module_text([name])))
    module.properties["vce_triple"] = _vce(module)
    validate(serialise(module), "spv1.6")


def _vce(module: spirv.ModuleOp) -> spirv.VceAttr:
    from stepwell.passes.spirv_update_vce import derive_vce

    return derive_vce(module, (1, 6))


@pytest.mark.parametrize("name", spirv.ROWS)
def test_it_comes_back_from_its_words(name: str):
    (module,) = modules_in(module_text([name]))
    data = serialise(module)
    again = deserialise(data)
    ours = [op for op in module.walk() if op.name == f"spirv.{name}"]
    theirs = [op for op in again.walk() if op.name == f"spirv.{name}"]
    assert [str(op.properties) for op in ours] == [str(op.properties) for op in theirs]
    assert [op.operand_types for op in ours] == [op.operand_types for op in theirs]
    assert serialise(again) == data


@pytest.mark.parametrize("name", spirv.ROWS)
def test_its_text_is_read_back(name: str):
    (module,) = modules_in(module_text([name]))
    (again,) = modules_in(str(module))
    assert text_of(again) == text_of(module)
    assert f"spirv.{name}" in op_text(name)
