"""Instructions of a binary as ops of the dialect, by the rows of the dialect's tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import IntegerAttr, SymbolRefAttr
from xdsl.ir import Attribute, Operation, SSAValue

from ....dialects import spirv
from ....dialects.spirv.attributes import PROPERTY_KINDS
from ....dialects.spirv.base import instruction_of_op
from ....dialects.spirv.grammar import glsl_names
from ....dialects.spirv.kinds import bit_width, int_width, scalar_of, with_shape_of
from ....dialects.spirv.signature import Item
from .layout import size_of
from .module import GLSL
from .opcodes import Op
from .read_module import Line, malformed, unsupported

if TYPE_CHECKING:
    from .read_values import ValueReader


@cache
def _op_names() -> dict[str, str]:
    """The name of the row of each instruction."""
    return {row.instruction or instruction_of_op(name): name for name, row in spirv.ROWS.items()}


def read_op(f: ValueReader, line: Line) -> Operation | None:
    """The op of an instruction that ends no block; None for one that is none.

    Raises CompileError for an instruction that the dialect has not.
    """
    special = _SPECIAL.get(line.opcode)
    if special is not None:
        return special(f, line)
    if line.opcode == Op.ExtInst:
        return _extended(f, line)
    name = _op_names().get(line.name)
    if name is None:
        raise unsupported(f"Op{line.name}")
    return _row_op(f, line, spirv.OPS[name])


def _row_op(f: ValueReader, line: Line, op_class: type[spirv.RowOp]) -> Operation:
    """By the plan of the row's `words`, backwards."""
    signature = op_class.signature()
    results = [f.module.type(line.words[0])] if signature.result is not None else []
    words = list(line.words[2 if results else 0 :])
    operands: dict[int, SSAValue] = {}
    properties: dict[str, Attribute] = {}
    plan = op_class.row.words.split()
    for position, token in enumerate(plan):
        if token[0] == "$":
            first = int(token[1]) if token[1].isdigit() else 0
            is_last = position == len(plan) - 1
            count = 1 if not token.endswith("*") else len(signature.operands) - first
            if token.endswith("*") and is_last:
                count = len(words)
            for index in range(first, first + min(count, len(words))):
                operands[index] = f.value(words.pop(0))
        elif words:
            value = words.pop(0)
            name = token[1:]
            if token[0] == "@":
                value = f.module.integer(value)
            properties[name] = enum_attribute(name, value)
    ordered = [operands[index] for index in sorted(operands)]
    ordered = _as_expected(f, ordered, results, op_class)
    return op_class.create(operands=ordered, result_types=results, properties=properties)


def enum_attribute(name: str, value: int) -> Attribute:
    """The attribute of a property that is an enumeration."""
    try:
        return PROPERTY_KINDS[name].from_value(value)
    except KeyError:
        raise malformed(f"{value} is no {PROPERTY_KINDS[name].kind}") from None


def _as_expected(
    f: ValueReader,
    operands: list[SSAValue],
    results: list[Attribute],
    op_class: type[spirv.RowOp],
) -> list[SSAValue]:
    """Integers that differ from what the dialect wants in their sign only are cast."""
    signature = op_class.signature()
    wanted: dict[str, Attribute] = {}
    rows = list(zip(signature.operands, operands, strict=False))
    if signature.result is not None and signature.result.derive == "=" and results:
        wanted[signature.result.source] = results[0]
    for item, value in rows:
        if item.binds:
            wanted.setdefault(item.binds, value.type)
    return [_cast(f, value, item, wanted) for item, value in rows] + operands[len(rows) :]


def _cast(f: ValueReader, value: SSAValue, item: Item, wanted: dict[str, Attribute]) -> SSAValue:
    name = item.binds or (item.source if item.derive in ("=", "*") else "")
    expected = wanted.get(name)
    if item.derive == "*" and isinstance(expected, spirv.PointerType):
        expected = expected.pointee
    if expected is None or expected == value.type or not int_width(scalar_of(value.type)):
        return value
    if bit_width(value.type) != int_width(scalar_of(expected)):
        return value
    kind = with_shape_of(value.type, scalar_of(expected))
    return f.append(spirv.OPS["Bitcast"].of([value], [kind])).results[0]


def _extended(f: ValueReader, line: Line) -> Operation | None:
    name = f.module.context.sets.get(line.words[2], "")
    if name.startswith("NonSemantic."):
        return None
    found = glsl_names().get(line.words[3]) if name == GLSL else None
    if found is None or f"GL.{found}" not in spirv.ROWS:
        raise unsupported(f"instruction {found or line.words[3]} of the set {name!r}")
    return _row_op(
        f,
        line._replace(words=(*line.words[:2], *line.words[4:])),
        spirv.OPS[f"GL.{found}"],
    )


# --- ops with classes of their own ----------------------------------------------------------------


def _signed(words: Sequence[int]) -> list[int]:
    return [word - (1 << 32) if word >> 31 else word for word in words]


def _undef(f: ValueReader, line: Line) -> Operation:
    return spirv.UndefOp.create(result_types=[f.module.type(line.words[0])])


def _variable(f: ValueReader, line: Line) -> Operation:
    kind = f.module.type(line.words[0])
    if not isinstance(kind, spirv.PointerType):
        raise malformed(f"the variable %{line.result} is no pointer")
    initial = f.value(line.words[3]) if len(line.words) > 3 else None
    return spirv.VariableOp.define(kind, initial)


def _access_chain(op_class: type[spirv.AccessChainOp]) -> Callable[..., Operation]:
    def read(f: ValueReader, line: Line) -> Operation:
        base, *indices = map(f.value, line.words[2:])
        op = op_class.into(base, indices)
        stride = f.module.decoration(f.type_ids.get(base, 0), "ArrayStride")
        if op_class.first == 2 and stride is not None:
            kind = cast("spirv.PointerType", base.type)
            if stride[0] != size_of(kind.pointee):
                op.attributes["stride"] = IntegerAttr(stride[0], 32)
        return op

    return read


def _array_length(f: ValueReader, line: Line) -> Operation:
    kind = f.module.type(line.words[0])
    return spirv.ArrayLengthOp.of([f.value(line.words[2])], [kind], member=line.words[3])


def _access(
    f: ValueReader, words: list[int], access: str, alignment: str
) -> tuple[dict[str, Attribute], dict[str, Attribute]]:
    """Takes a memory operand off: properties of the op, and attributes."""
    if not words:
        return {}, {}
    found = enum_attribute(access, words.pop(0))
    assert isinstance(found, spirv.MemoryAccessAttr), "accesses are of this class"
    properties: dict[str, Attribute] = {} if found.value == 0 else {access: found}
    attributes: dict[str, Attribute] = {}
    if found.has("Aligned"):
        properties[alignment] = IntegerAttr(words.pop(0), 32)
    for name in ("MakePointerAvailable", "MakePointerVisible"):
        if found.has(name):
            attributes["scope"] = enum_attribute("scope", f.module.integer(words.pop(0)))
    return properties, attributes


def _load(f: ValueReader, line: Line) -> Operation:
    words = list(line.words[3:])
    properties, attributes = _access(f, words, "memory_access", "alignment")
    return spirv.LoadOp.create(
        operands=[f.value(line.words[2])],
        result_types=[f.module.type(line.words[0])],
        properties=properties,
        attributes=attributes,
    )


def _store(f: ValueReader, line: Line) -> Operation:
    words = list(line.words[2:])
    properties, attributes = _access(f, words, "memory_access", "alignment")
    operands = list(map(f.value, line.words[:2]))
    return spirv.StoreOp.create(operands=operands, properties=properties, attributes=attributes)


def _copy_memory(f: ValueReader, line: Line) -> Operation:
    words = list(line.words[2:])
    properties, attributes = _access(f, words, "memory_access", "alignment")
    source, more = _access(f, words, "source_memory_access", "source_alignment")
    operands = list(map(f.value, line.words[:2]))
    return spirv.CopyMemoryOp.create(
        operands=operands, properties=properties | source, attributes=attributes | more
    )


def _construct(f: ValueReader, line: Line) -> Operation:
    kind = f.module.type(line.words[0])
    return spirv.CompositeConstructOp.of(list(map(f.value, line.words[2:])), [kind])


def _extract(f: ValueReader, line: Line) -> Operation:
    return spirv.CompositeExtractOp.at(f.value(line.words[2]), *line.words[3:])


def _insert(f: ValueReader, line: Line) -> Operation:
    part, composite = map(f.value, line.words[2:4])
    return spirv.CompositeInsertOp.at(part, composite, *line.words[4:])


def _shuffle(f: ValueReader, line: Line) -> Operation:
    first, second = map(f.value, line.words[2:4])
    return spirv.VectorShuffleOp.pick(first, second, _signed(line.words[4:]))


def _matrix_load(f: ValueReader, line: Line) -> Operation:
    pointer, layout, *rest = line.words[2:]
    stride = [f.value(rest.pop(0))] if rest else []
    properties, attributes = _access(f, rest, "memory_operand", "alignment")
    layout_attr = enum_attribute("matrix_layout", f.module.integer(layout))
    return spirv.CooperativeMatrixLoadOp.create(
        operands=[f.value(pointer), *stride],
        result_types=[f.module.type(line.words[0])],
        properties={"matrix_layout": layout_attr} | properties,
        attributes=attributes,
    )


def _matrix_store(f: ValueReader, line: Line) -> Operation:
    pointer, matrix, layout, *rest = line.words
    stride = [f.value(rest.pop(0))] if rest else []
    properties, attributes = _access(f, rest, "memory_operand", "alignment")
    layout_attr = enum_attribute("matrix_layout", f.module.integer(layout))
    return spirv.CooperativeMatrixStoreOp.create(
        operands=[f.value(pointer), f.value(matrix), *stride],
        properties={"matrix_layout": layout_attr} | properties,
        attributes=attributes,
    )


def _matrix_length(f: ValueReader, line: Line) -> Operation:
    kind = f.module.type(line.words[2])
    results = [f.module.type(line.words[0])]
    return spirv.CooperativeMatrixLengthOp.of((), results, cooperative_matrix_type=kind)


def _call(f: ValueReader, line: Line) -> Operation:
    results = f.module.results(line.words[0])
    operands = list(map(f.value, line.words[3:]))
    callee = SymbolRefAttr(f.module.symbol(line.words[2]))
    return spirv.FunctionCallOp.of(operands, results, callee=callee)


_SPECIAL: dict[int, Callable[[ValueReader, Line], Operation]] = {
    Op.Undef: _undef,
    Op.Variable: _variable,
    Op.AccessChain: _access_chain(spirv.AccessChainOp),
    Op.InBoundsAccessChain: _access_chain(spirv.InBoundsAccessChainOp),
    Op.PtrAccessChain: _access_chain(spirv.PtrAccessChainOp),
    Op.InBoundsPtrAccessChain: _access_chain(spirv.InBoundsPtrAccessChainOp),
    Op.ArrayLength: _array_length,
    Op.Load: _load,
    Op.Store: _store,
    Op.CopyMemory: _copy_memory,
    Op.CompositeConstruct: _construct,
    Op.CompositeExtract: _extract,
    Op.CompositeInsert: _insert,
    Op.VectorShuffle: _shuffle,
    Op.CooperativeMatrixLoadKHR: _matrix_load,
    Op.CooperativeMatrixStoreKHR: _matrix_store,
    Op.CooperativeMatrixLengthKHR: _matrix_length,
    Op.FunctionCall: _call,
}
