"""A SPIR-V binary as text, as `spirv-dis --no-color` prints it: `disassemble(data)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ....dialects.diagnostics import CompileError
from ....dialects.spirv.grammar import enumeration, glsl_names, is_enumeration
from .friendly import FriendlyNames
from .module import GLSL
from .numbers import number_text
from .operands import IDS, Context, Number, Operand, known_instruction, operands
from .words import Header, from_bytes

INDENT = 15
# The numbers of tools in headers, as Khronos registers them (spir-v.xml).
GENERATORS = (
    *("Khronos", "LunarG", "Valve", "Codeplay", "NVIDIA", "ARM"),
    *("Khronos LLVM/SPIR-V Translator", "Khronos SPIR-V Tools Assembler"),
    *("Khronos Glslang Reference Front End", "Qualcomm", "AMD", "Intel", "Imagination"),
    *("Google Shaderc over Glslang", "Google spiregg", "Google rspirv"),
    *("X-LEGEND Mesa-IR/SPIR-V Translator", "Khronos SPIR-V Tools Linker"),
    *("Wine VKD3D Shader Compiler", "Tellusim Clay Shader Compiler"),
    *("W3C WebGPU Group WHLSL Shader Translator", "Google Clspv"),
    *("Google MLIR SPIR-V Serializer", "Google Tint Compiler", "Google ANGLE Shader Compiler"),
    *("Netease Games Messiah Shader Compiler", "Xenia Xenia Emulator Microcode Translator"),
    *("Embark Studios Rust GPU Compiler Backend", "gfx-rs community Naga"),
    *("Mikkosoft Productions MSP Shader Compiler",),
    *("SpvGenTwo community SpvGenTwo SPIR-V IR Tools", "Google Skia SkSL"),
    *("TornadoVM SPIRV Beehive Toolkit", "DragonJoker ShaderWriter"),
    *("Rayan Hatout SPIRVSmith", "Saarland University Shady", "Taichi Graphics Taichi"),
)


def disassemble(data: bytes, *, raw_ids: bool = False) -> str:
    """The binary as text; with `raw_ids`, ids are numbers, else what OpName and types suggest.

    Raises CompileError for what is no SPIR-V.
    """
    binary = from_bytes(data)
    context = Context()
    parsed = [
        (opcode, words, operands(opcode, words, context)) for opcode, words in binary.instructions
    ]
    name: Callable[[int], str] = str
    if not raw_ids:
        name = names = FriendlyNames()
        for row in parsed:
            names.note(*row)
    lines = _header(binary.header)
    lines += (_line(opcode, found, name, context) for opcode, _, found in parsed)
    return "\n".join(lines) + "\n"


def _header(header: Header) -> list[str]:
    tool, misc = header.generator >> 16, header.generator & 0xFFFF
    generator = GENERATORS[tool] if tool < len(GENERATORS) else f"Unknown({tool})"
    return [
        "; SPIR-V",
        f"; Version: {header.version[0]}.{header.version[1]}",
        f"; Generator: {generator}; {misc}",
        f"; Bound: {header.bound}",
        f"; Schema: {header.schema}",
    ]


def _line(
    opcode: int, found: Sequence[Operand], name: Callable[[int], str], context: Context
) -> str:
    head, words = " " * INDENT, list[str]()
    extended = ""
    for operand in found:
        if operand.kind == "IdResult":
            text = name(_number(operand))
            head = f"{'%':>{max(1, INDENT - 3 - len(text))}}{text} = "
            continue
        if operand.kind == "LiteralExtInstInteger":
            words.append(_extended(_number(operand), extended))
            continue
        if operand.kind == "IdRef":
            extended = context.sets.get(_number(operand), extended)
        words.append(_operand(operand, name))
    return " ".join([f"{head}Op{known_instruction(opcode).name}", *words])


def _number(operand: Operand) -> int:
    assert isinstance(operand.value, int), "ids and numbers are integers"
    return operand.value


def _extended(number: int, name: str) -> str:
    found = glsl_names().get(number) if name == GLSL else None
    if found is None:
        raise CompileError(f"there is no instruction {number} in the set {name!r} known here")
    return found


def _operand(operand: Operand, name: Callable[[int], str]) -> str:
    kind, value = operand
    if isinstance(value, Number):
        return number_text(value)
    if isinstance(value, str):
        if kind != "LiteralString":
            return value
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if kind in IDS:
        return f"%{name(value)}"
    if is_enumeration(kind):
        return "|".join(enumeration(kind).names(value))
    return str(value)
