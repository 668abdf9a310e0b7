"""emulate-types: numbers of types that the target lacks are words of 32 bits.

    %s = arith.addi %a, %b : i64               %low = arith.addi %a0, %b0 : i32
                                               %carry = arith.cmpi ult, %low, %a0
                                               %high = %a1 + %b1 + extui %carry
    %m = arith.maxsi %c, %d : i8               %m = arith.maxsi (%c << 24 >> 24), (…) : i32
    %q = arith.mulf %x, %y : bf16              %q = narrow(widen(%x) * widen(%y)), in integers

Wrap-around, rounding, saturation and NaNs are the same as with the types themselves. A parameter of
64 bits becomes two; `gpux.parameter_words` of the kernel then says for each parameter in which word
(of 32 bits) of the packed arguments it lies. f64 is not emulated: it is refused at all places.
Memory has been seen to by `legalise-memory`.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    Float64Type,
    FunctionType,
    IntegerType,
    ModuleOp,
    i32,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ...dialects import gpu, marks
from ...dialects.diagnostics import CompileError, Location, location_of
from ...dialects.llvm import int_width
from ...passes.utils.block_editing import constant_value, is_small
from ..conversion import CannotConvert, Legality, Operands, Results, Rewriter, Rules, convert
from ..math.calculator import Calculator
from ..remarks import remark
from . import emulate_casts, emulate_floats, emulate_integers, emulate_lanes
from .emulate_lanes import lanes_need_help
from .emulated import calculator, extended, type_map, wide_of, words
from .features import ShaderFeatures
from .wide_integers import Wide, add, less, select, subtract

RULES = Rules(
    emulate_integers.RULES, emulate_casts.RULES, emulate_floats.RULES, emulate_lanes.RULES
)
converts = RULES.converts
RULES.retype(scf.IfOp, scf.WhileOp, scf.IndexSwitchOp, scf.YieldOp, scf.ConditionOp)


@dataclass(frozen=True)
class EmulateTypes(ModulePass):
    """Replaces the types that `features` (see `ShaderFeatures.parse`) do not include."""

    name = "emulate-types"
    features: str = ""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Raises one CompileError that lists everything which cannot be emulated."""
        features = ShaderFeatures.parse(self.features)
        refuse_doubles(op, features)
        types = type_map(features)
        known: dict[Attribute, bool] = {}

        def is_native(kind: Attribute) -> bool:
            if kind not in known:
                try:
                    known[kind] = types.types(kind) == (kind,)
                except CannotConvert:  # the op that has it says so
                    known[kind] = False
            return known[kind]

        def is_legal(op: Operation) -> bool:
            values = [*op.operands, *op.results]
            for region in op.regions:
                values += [argument for block in region.blocks for argument in block.args]
            if not all(is_native(value.type) for value in values):
                return False
            return not lanes_need_help(op, features)

        _note_emulation(op, is_native)
        convert(op, RULES, Legality({}, is_legal), types, "shader", features)


def refuse_doubles(module: ModuleOp, features: ShaderFeatures) -> None:
    """One error that lists where f64 is used, if the target has none."""
    if features.has("float64", "int64"):
        return
    errors: dict[Location | None, CompileError] = {}
    for op in module.walk():
        values: list[SSAValue] = [*op.results]
        if isinstance(op, gpu.FuncOp):
            values += op.entry.args
        kinds = [getattr(value.type, "element_type", value.type) for value in values]
        place = location_of(op)
        if any(isinstance(kind, Float64Type) for kind in kinds) and place not in errors:
            hint = "use f32 here, or a device with f64"
            errors[place] = CompileError(f"{op.name}: this device has no f64", place, hint=hint)
    if errors:
        raise CompileError.collect("f64 is not emulated", list(errors.values()))


_COSTS = {
    "i64": "i64 is two words: sums and comparisons take about four instructions for one, "
    "a division up to 64 rounds of a loop",
    "f16": "f16 is computed in f32 and rounded by integers after each operation",
    "bf16": "bf16 is computed in f32 and rounded by integers after each operation",
    "i8": "i8 is computed in words of 32 bits",
    "i16": "i16 is computed in words of 32 bits",
}
_FREE = ("arith.constant", "arith.trunci", "arith.extui", "arith.bitcast")


def _note_emulation(module: ModuleOp, is_native: object) -> None:
    """A remark for each emulated type, at the first place that computes with it."""
    assert callable(is_native), "a predicate on types"
    for kernel in [op for op in module.walk() if isinstance(op, gpu.FuncOp)]:
        seen: set[str] = set()
        computing = (op for op in kernel.walk() if op.name not in _FREE)
        for op in computing:
            for result in op.results:
                name = str(result.type)
                if name in _COSTS and name not in seen and not is_native(result.type):
                    seen.add(name)
                    remark(op, f"{_COSTS[name]}: the device has no {name}")


# --- kernels --------------------------------------------------------------------------------------


@converts(gpu.FuncOp)
def convert_kernel(op: gpu.FuncOp, operands: Operands, rw: Rewriter) -> Results:
    """Parameters in their new types; where one becomes two, it is said in which words they lie."""
    groups = [rw.types(value.type) for value in op.parameters]
    inputs = rw.flat_types([value.type for value in op.parameters])
    _convert_arguments(op, rw)
    attributes = dict(op.attributes)
    if len(inputs) > len(groups):
        places = [
            2 * slot + word for slot, group in enumerate(groups) for word in range(len(group))
        ]
        attributes[marks.PARAMETER_WORDS] = DenseArrayBase.from_list(i32, places)
    new = gpu.FuncOp.create(
        properties={**op.properties, "function_type": FunctionType.from_lists(inputs, [])},
        attributes=attributes,
        regions=[op.detach_region(op.body)],
        location=op.location,
    )
    if op.arg_attrs is not None:
        nothing = DictionaryAttr({})
        given = zip(op.arg_attrs, groups, strict=True)
        rows = [row if n == 0 else nothing for row, group in given for n in range(len(group))]
        new.properties["arg_attrs"] = ArrayAttr(rows)
    assert op.parent is not None, "a kernel stands in a module"
    op.parent.insert_op_before(new, op)
    rw.created.append(new)
    return None


def _convert_arguments(op: gpu.FuncOp, rw: Rewriter) -> None:
    names = [argument.name_hint for argument in op.entry.args]
    kinds = [rw.types(argument.type) for argument in op.entry.args]
    rw.convert_arguments(op.entry)
    new = iter(op.entry.args)
    for name, group in zip(names, kinds, strict=True):
        for word in range(len(group)):
            suffix = ("_low", "_high")[word] if len(group) == 2 else ""
            next(new).name_hint = name and f"{name}{suffix}"


# --- loops ----------------------------------------------------------------------------------------


@converts(scf.ForOp)
def convert_for(op: scf.ForOp, operands: Operands, rw: Rewriter) -> Results:
    """A loop whose variable is a word; over 64 bits it becomes one with a condition."""
    kind = op.lb.type
    if rw.types(kind) == (kind,):
        return _same_loop(op, operands, rw)
    if len(operands[0]) == 2:
        return _wide_loop(op, operands, rw)
    assert isinstance(kind, IntegerType), "what is emulated is an integer"
    c, width = calculator(op), int_width(kind)
    bounds = [(extended(c, value, width, signed=True).value,) for (value,) in operands[:3]]
    return _same_loop(op, (*bounds, *operands[3:]), rw)


def _same_loop(op: scf.ForOp, operands: Operands, rw: Rewriter) -> Results:
    new = rw.create(
        scf.ForOp,
        [value for group in operands for value in group],
        rw.flat_types([result.type for result in op.results]),
        attributes=op.attributes,
        regions=rw.take_regions(op),
    )
    results = iter(new.results)
    return [tuple(next(results) for _ in rw.types(result.type)) for result in op.results]


def _wide_loop(op: scf.ForOp, operands: Operands, rw: Rewriter) -> Results:
    """The variable is carried as two words; the loop goes on while it is below the bound."""
    c = calculator(op)
    start, bound, step = wide_of(c, operands[:3])
    small = is_small(op.ub) and is_small(op.step)
    may_wrap = not small and constant_value(op.step) != 1
    carried = [value for group in operands[3:] for value in group]
    kinds = [i32, i32, *(value.type for value in carried)]
    before = Block(arg_types=kinds)
    head = Calculator(op, c.type, before)
    now = Wide(head.number(before.args[0]), head.number(before.args[1]))
    more = less(head, now, bound, signed=True)
    head.add(scf.ConditionOp.create(operands=[more.value, *before.args]))
    (region,) = rw.take_regions(op)
    after = region.block
    last = after.last_op
    assert isinstance(last, scf.YieldOp), "a loop's body ends in a yield"

    def convert_yield(end: Operation, given: Operands, rw: Rewriter) -> Results:
        tail = calculator(end)
        variable = Wide(tail.number(after.args[0]), tail.number(after.args[1]))
        following = add(tail, variable, step)
        if may_wrap:  # the bound, where the sum would go past it
            by, end_of = ([tail.number(word) for word in words(value)] for value in (step, bound))
            left = subtract(tail, Wide(*end_of), variable)
            inside = less(tail, Wide(*by), left, signed=False)
            following = select(tail, inside, following, Wide(*end_of))
        values = [value for group in given for value in group]
        rw.create(scf.YieldOp, [following.low.value, following.high.value, *values])
        return None

    rw.convert_with(last, convert_yield)
    new = rw.create(
        scf.WhileOp,
        [start.low.value, start.high.value, *carried],
        kinds,
        attributes=op.attributes,
        regions=[Region(before), region],
    )
    results = iter(new.results[2:])
    return [tuple(next(results) for _ in rw.types(result.type)) for result in op.results]
