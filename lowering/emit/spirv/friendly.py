"""Names of ids in the text of a binary, chosen as spirv-dis chooses them.

`OpName` comes first, then what a variable is the built-in of, then what a type or constant is; the
rest keeps its number. A name that is taken gets a number behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ....dialects.spirv.grammar import enumeration
from .numbers import number_text
from .opcodes import Op
from .operands import Number, Operand

_GL_NAMES = {
    "VertexId": "gl_VertexID",
    "InstanceId": "gl_InstanceID",
    "PrimitiveId": "gl_PrimitiveID",
    "InvocationId": "gl_InvocationID",
    "SampleId": "gl_SampleID",
    "NumWorkgroups": "gl_NumWorkGroups",
    "WorkgroupSize": "gl_WorkGroupSize",
    "WorkgroupId": "gl_WorkGroupID",
    "LocalInvocationId": "gl_LocalInvocationID",
    "GlobalInvocationId": "gl_GlobalInvocationID",
    **{
        name: f"gl_{name}"
        for name in (
            *("Position", "PointSize", "ClipDistance", "CullDistance", "Layer", "ViewportIndex"),
            *("TessLevelOuter", "TessLevelInner", "TessCoord", "PatchVertices", "FragCoord"),
            *("PointCoord", "FrontFacing", "SamplePosition", "SampleMask", "FragDepth"),
            *("HelperInvocation", "LocalInvocationIndex", "VertexIndex", "InstanceIndex"),
            *("BaseInstance",),
        )
    },
    **{
        name: name
        for name in (
            *("WorkDim", "GlobalSize", "EnqueuedWorkgroupSize", "GlobalOffset", "GlobalLinearId"),
            *("SubgroupSize", "SubgroupMaxSize", "NumSubgroups", "NumEnqueuedSubgroups"),
            *("SubgroupId", "SubgroupLocalInvocationId"),
        )
    },
    **{f"Subgroup{kind}Mask": f"Subgroup{kind}MaskKHR" for kind in ("Eq", "Ge", "Gt", "Le", "Lt")},
}
_INTEGERS = {8: "char", 16: "short", 32: "int", 64: "long"}
_FLOATS = {16: "half", 32: "float", 64: "double"}
_FIXED = {
    Op.TypeVoid: "void",
    Op.TypeBool: "bool",
    Op.ConstantTrue: "true",
    Op.ConstantFalse: "false",
}


class FriendlyNames:
    """The names of the ids of a binary."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.used: set[str] = set()

    def __call__(self, number: int) -> str:
        """The name of an id."""
        return self.names.get(number, str(number))

    def save(self, number: int, suggested: str) -> None:
        """Gives an id a name unless it has one."""
        if number in self.names:
            return
        base = re.sub(r"[^a-zA-Z0-9_]", "_", suggested, flags=re.ASCII) or "_"
        base = "".join(c if c.isascii() else "_" * len(c.encode("utf-8")) for c in base)
        name, count = base, 0
        while name in self.used:
            name = f"{base}_{count}"
            count += 1
        self.used.add(name)
        self.names[number] = name

    def note(self, opcode: int, words: Sequence[int], operands: Sequence[Operand]) -> None:
        """Takes an instruction into account."""
        result = next((o.value for o in operands if o.kind == "IdResult"), None)
        if opcode == Op.Name:
            self.save(words[0], str(operands[1].value))
        elif opcode == Op.Decorate:
            self._built_in(words)
        elif isinstance(result, int):
            name = _FIXED.get(opcode)
            if name is None:
                maker = _MAKERS.get(opcode)
                name = maker(self, words, operands) if maker is not None else str(result)
            self.save(result, name)

    def _built_in(self, words: Sequence[int]) -> None:
        if words[1] != enumeration("Decoration").value("BuiltIn") or len(words) < 3:
            return
        row = enumeration("BuiltIn").by_value.get(words[2])
        if row is not None and row.name in _GL_NAMES:
            self.save(words[0], _GL_NAMES[row.name])

    def integer(self, words: Sequence[int], operands: Sequence[Operand]) -> str:
        """`uint`, `short`."""
        root = _INTEGERS.get(words[1])
        if root is None:
            return f"{'i' if words[2] else 'u'}{words[1]}"
        return root if words[2] else f"u{root}"

    def floating(self, words: Sequence[int], operands: Sequence[Operand]) -> str:
        """`float`, `half`."""
        return _FLOATS.get(words[1], f"fp{words[1]}")

    def vector(self, words: Sequence[int], operands: Sequence[Operand]) -> str:
        """`v3uint`."""
        return f"v{words[2]}{self(words[1])}"

    def matrix(self, words: Sequence[int], operands: Sequence[Operand]) -> str:
        """`mat4v4float`."""
        return f"mat{words[2]}{self(words[1])}"

    def array(self, words: Sequence[int], operands: Sequence[Operand]) -> str:
        """`_arr_float_uint_4`."""
        return f"_arr_{self(words[1])}_{self(words[2])}"

    def runtime_array(self, words: Sequence[int], operands: Sequence[Operand]) -> str:
        """`_runtimearr_float`."""
        return f"_runtimearr_{self(words[1])}"

    def pointer(self, words: Sequence[int], operands: Sequence[Operand]) -> str:
        """`_ptr_Input_v3uint`."""
        row = enumeration("StorageClass").by_value[words[1]]
        return f"_ptr_{row.name}_{self(words[2])}"

    def struct(self, words: Sequence[int], operands: Sequence[Operand]) -> str:
        """`_struct_17`."""
        return f"_struct_{words[0]}"

    def constant(self, words: Sequence[int], operands: Sequence[Operand]) -> str:
        """`uint_4`, `float_n1_5`."""
        value = operands[2].value
        assert isinstance(value, Number), "a constant is a number"
        return f"{self(words[0])}_{number_text(value).replace('-', 'n')}"


_MAKERS: dict[int, Callable[[FriendlyNames, Sequence[int], Sequence[Operand]], str]] = {
    Op.TypeInt: FriendlyNames.integer,
    Op.TypeFloat: FriendlyNames.floating,
    Op.TypeVector: FriendlyNames.vector,
    Op.TypeMatrix: FriendlyNames.matrix,
    Op.TypeArray: FriendlyNames.array,
    Op.TypeRuntimeArray: FriendlyNames.runtime_array,
    Op.TypePointer: FriendlyNames.pointer,
    Op.TypeStruct: FriendlyNames.struct,
    Op.Constant: FriendlyNames.constant,
}
