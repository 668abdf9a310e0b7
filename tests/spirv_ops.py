"""A module with each op of the spirv dialect that is one instruction, for tests to write and read.

Each op's text is made from its row: operands are parameters of the function of the types that fit.
"""

# pyright: basic

from __future__ import annotations

import re
from collections.abc import Iterator

from stepwell.dialects.spirv import ROWS, Row

KERNEL = {
    *("Ordered", "Unordered", "PtrCastToGeneric", "GenericCastToPtr"),
    *("AtomicCompareExchangeWeak",),
}
"""Ops that only OpenCL has."""
NEWER = {"KHR.CooperativeMatrixMulAdd", "KHR.AssumeTrue", "GroupNonUniformRotateKHR"}
"""Ops that Debian's spirv-val does not know, or not completely."""

_NAMES = {
    "int:T": ("%i", "i32"),
    "int": ("%i4", "vector<4xi32>"),
    "int.": ("%i", "i32"),
    "int~T": ("%i", "i32"),
    "int:B": ("%i4", "vector<4xi32>"),
    "int.:A": ("%i", "i32"),
    "i32?": ("%c1", "i32"),
    "float:T": ("%f", "f32"),
    "float": ("%f", "f32"),
    "float.": ("%f", "f32"),
    "float~T": ("%f", "f32"),
    "bool:T": ("%b", "i1"),
    "bool": ("%b", "i1"),
    "bool.": ("%b", "i1"),
    "value": ("%i", "i32"),
    "value:T": ("%i", "i32"),
    "any:T": ("%i", "i32"),
    "any": ("%i", "i32"),
    "vector:T": ("%f4", "vector<4xf32>"),
    "matrix": ("%m", "!spirv.matrix<4 x vector<4xf32>>"),
    "matrix:T": ("%m", "!spirv.matrix<4 x vector<4xf32>>"),
    "vector": ("%f4", "vector<4xf32>"),
    "ptr:P": ("%pi", "!spirv.ptr<i32, StorageBuffer>"),
    "ptr": ("%pa", "!spirv.ptr<i32, PhysicalStorageBuffer>"),
    "coop": ("%ca", "!spirv.coopmatrix<8x8xf16, Subgroup, MatrixA>"),
}
_RESULTS = {
    "int~T": "i32", "float~T": "f32", "int.": "i32", "float.": "f32", "int": "vector<4xi32>",
    "bool.": "i1", "matrix": "!spirv.matrix<4 x vector<4xf32>>", "vector": "vector<4xf32>",
    "any": "f32", "ptr": "!spirv.ptr<i32, PhysicalStorageBuffer>", "float": "f32",
}  # fmt: skip

# Ops whose types do not follow from the classes in their rows: the text after the name.
SPECIAL = {
    "Dot": "%f4, %f4 : vector<4xf32> -> f32",
    "Any": "%b4 : vector<4xi1>",
    "All": "%b4 : vector<4xi1>",
    "VectorTimesScalar": "%f4, %f : (vector<4xf32>, f32) -> vector<4xf32>",
    "VectorExtractDynamic": "%f4[%i] : vector<4xf32>, i32",
    "VectorInsertDynamic": "%f, %f4[%i] : vector<4xf32>, i32",
    "MatrixTimesScalar": "%m, %f : !spirv.matrix<4 x vector<4xf32>>, f32",
    "SConvert": "%i : i32 to i64",
    "UConvert": "%i : i32 to i64",
    "FConvert": "%f : f32 to f64",
    "ConvertPtrToU": "%pa : !spirv.ptr<i32, PhysicalStorageBuffer> to i64",
    "ConvertUToPtr": "%l : i64 to !spirv.ptr<i32, PhysicalStorageBuffer>",
    "PtrCastToGeneric": "%pw : !spirv.ptr<i32, Workgroup> to !spirv.ptr<i32, Generic>",
    "GenericCastToPtr": "%pg : !spirv.ptr<i32, Generic> to !spirv.ptr<i32, Workgroup>",
    "CopyLogical": "%s : !spirv.struct<(i32 [0])> to !spirv.struct<(i32)>",
    "SDot": "%i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32",
    "UDot": "%i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32",
    "SUDot": "%i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32",
    "SDotAccSat": "%i, %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32",
    "UDotAccSat": "%i, %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32",
    "SUDotAccSat": "%i, %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32",
    "EXT.AtomicFAdd": "<Device> <None> %pf, %f : !spirv.ptr<f32, StorageBuffer>",
    "EXT.AtomicFMin": "<Device> <None> %pf, %f : !spirv.ptr<f32, StorageBuffer>",
    "EXT.AtomicFMax": "<Device> <None> %pf, %f : !spirv.ptr<f32, StorageBuffer>",
    "AtomicCompareExchange": "<Device> <AcquireRelease|UniformMemory> <Acquire|UniformMemory> "
    "%pi, %i, %i : !spirv.ptr<i32, StorageBuffer>",
    "AtomicCompareExchangeWeak": "<Device> <Acquire> <None> %pi, %i, %i : "
    "!spirv.ptr<i32, StorageBuffer>",
    "GroupNonUniformBroadcast": "<Subgroup> %i, %c1 : i32, i32",
    "GroupNonUniformQuadBroadcast": "<Subgroup> %i, %c1 : i32, i32",
    "GroupNonUniformQuadSwap": "<Subgroup> %i, %c1 : i32, i32",
    "GL.Cross": "%f3, %f3 : vector<3xf32>",
    "GL.Normalize": "%f4 : vector<4xf32>",
    "GL.Reflect": "%f4, %f4 : vector<4xf32>",
    "GL.FaceForward": "%f4, %f4, %f4 : vector<4xf32>",
    "GL.Length": "%f4 : vector<4xf32> -> f32",
    "GL.Distance": "%f4, %f4 : vector<4xf32> -> f32",
    "GL.FrexpStruct": "%f : f32 -> !spirv.struct<(f32, i32)>",
    "GL.PackSnorm4x8": "%f4 : vector<4xf32> -> i32",
    "GL.PackUnorm4x8": "%f4 : vector<4xf32> -> i32",
    "GL.PackSnorm2x16": "%f2 : vector<2xf32> -> i32",
    "GL.PackUnorm2x16": "%f2 : vector<2xf32> -> i32",
    "GL.PackHalf2x16": "%f2 : vector<2xf32> -> i32",
    "GL.PackDouble2x32": "%i2 : vector<2xi32> -> f64",
    "GL.UnpackSnorm2x16": "%i : i32 -> vector<2xf32>",
    "GL.UnpackUnorm2x16": "%i : i32 -> vector<2xf32>",
    "GL.UnpackHalf2x16": "%i : i32 -> vector<2xf32>",
    "GL.UnpackSnorm4x8": "%i : i32 -> vector<4xf32>",
    "GL.UnpackUnorm4x8": "%i : i32 -> vector<4xf32>",
    "GL.UnpackDouble2x32": "%d : f64 -> vector<2xi32>",
    "KHR.CooperativeMatrixMulAdd": "%ca, %cb, %cc : "
    "!spirv.coopmatrix<8x8xf16, Subgroup, MatrixA>, !spirv.coopmatrix<8x8xf16, Subgroup, MatrixB> "
    "-> !spirv.coopmatrix<8x8xf32, Subgroup, MatrixAcc>",
    "GroupNonUniformRotateKHR": "<Subgroup>, %i, %i, cluster_size(%c1) : i32, i32 -> i32",
}
_PARAMETERS = {
    "i": "i32", "i2": "vector<2xi32>", "i4": "vector<4xi32>", "l": "i64", "f": "f32",
    "f2": "vector<2xf32>", "f3": "vector<3xf32>", "f4": "vector<4xf32>", "d": "f64", "b": "i1",
    "b4": "vector<4xi1>", "m": "!spirv.matrix<4 x vector<4xf32>>", "s": "!spirv.struct<(i32 [0])>",
    "pi": "!spirv.ptr<i32, StorageBuffer>", "pf": "!spirv.ptr<f32, StorageBuffer>",
    "pa": "!spirv.ptr<i32, PhysicalStorageBuffer>",
    "pw": "!spirv.ptr<i32, Workgroup>", "pg": "!spirv.ptr<i32, Generic>",
    "ca": "!spirv.coopmatrix<8x8xf16, Subgroup, MatrixA>",
    "cb": "!spirv.coopmatrix<8x8xf16, Subgroup, MatrixB>",
    "cc": "!spirv.coopmatrix<8x8xf32, Subgroup, MatrixAcc>",
}  # fmt: skip


def _word(token: str, operands: list[tuple[str, str]], result: str) -> str:
    which = token[1:]
    if token[0] == "$" or (token[0] == "T" and (which == "*" or which.isdigit())):
        part = 0 if token[0] == "$" else 1
        first = int(which[0]) if which[:1].isdigit() else 0
        chosen = operands[first:] if which.endswith("*") else operands[first : first + 1]
        return ", ".join(row[part] for row in chosen)
    return {
        "R": result,
        "{}": "",
        "<memory_scope>": "<Device>",
        "<execution_scope>": "<Workgroup>" if not operands and not result else "<Subgroup>",
        "<semantics>": "<None>",
        "<memory_semantics>": "<AcquireRelease|WorkgroupMemory>",
        "<group_operation>": "<Reduce>",
        "'execution_scope'": '"Subgroup"',
        "'group_operation'": '"InclusiveScan"',
    }.get(token, token)


def op_text(name: str) -> str:
    """An op with a result name if it has a result."""
    row: Row = ROWS[name]
    left, _, right = row.types.partition("->")
    right = right.strip()
    head = f"%r = spirv.{name}" if right else f"spirv.{name}"
    if name in SPECIAL:
        return f"{head} {SPECIAL[name]}"
    operands: list[tuple[str, str]] = []
    bound: dict[str, tuple[str, str]] = {}
    for item in left.split():
        if item.endswith("?"):
            continue
        if item[0].isupper():
            found = bound[item[0]]
            operands.append(("%i", "i32") if item.endswith("*") else found)
        else:
            found = _NAMES[item]
            bound |= {item.partition(":")[2]: found}
            operands.append(found)
    if right[:1] == "{":
        result = f"!spirv.struct<({bound[right[1]][1]}, {bound[right[1]][1]})>"
    else:
        result = bound[right[0]][1] if right[:1].isupper() else _RESULTS.get(right, "")
    tokens = row.format.split()
    if "(?" in tokens:
        del tokens[tokens.index("(?") : tokens.index("?)") + 1]
    text = " ".join(filter(None, (_word(token, operands, result) for token in tokens)))
    return f"{head} {text}".replace(" ,", ",")


def module_text(names: list[str]) -> str:
    """A module with these ops, one function each; its requirements are derived."""
    return "\n".join(("spirv.module PhysicalStorageBuffer64 GLSL450 {", *_functions(names), "}"))


def _functions(names: list[str]) -> Iterator[str]:
    for index, name in enumerate(names):
        text = op_text(name)
        words = set(re.findall(r"%(\w+)", text))
        used = [p for p in _PARAMETERS if p in words]
        aliased = " {spirv.decoration = #spirv.decoration<Aliased>}"
        parameters = ", ".join(
            f"%{p}: {_PARAMETERS[p]}{aliased if p == 'pa' else ''}" for p in used
        )
        yield f'  spirv.func @f{index}({parameters}) "None" {{'
        if "c1" in words:
            yield "    %c1 = spirv.Constant 1 : i32"
        yield f"    {text}"
        yield "    spirv.Return"
        yield "  }"
