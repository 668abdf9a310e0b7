"""Makes numbers of arrays that control flow chooses between.

    %m = scf.if %c -> memref<?xf32> {       %n = scf.if %c -> i32 {
      scf.yield %x                            scf.yield %c0
    } else {                                } else {
      scf.yield %y                            scf.yield %c1
    }                                       }
    %v = memref.load %m[%i]                 %is_x = arith.cmpi eq, %n, %c0
                                            %v = scf.if %is_x -> f32 { … load %x[%i] … } else …

Where all ways lead to one array, an access just names it. A device that has bindings only cannot
choose between buffers in another way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import IntegerAttr, MemRefType, i1, i32, i64
from xdsl.ir import Block, Operation, Region, SSAValue

from ...dialects import gpu
from ...passes.utils.block_editing import constant, erase
from ..gpu_to_cpu.builder import set_type
from ..remarks import remark

_ACCESSES = frozenset(
    (
        *("memref.load", "memref.store", "gpux.atomic_rmw", "gpux.atomic_cas"),
        *("vector.load", "vector.store", "vector.maskedload", "vector.maskedstore"),
        *("vector.gather", "vector.scatter"),
        *("gpux.matrix_load", "gpux.matrix_store", "memref.extract_aligned_pointer_as_index"),
    )
)


def share_bases(kernel: gpu.FuncOp) -> None:
    """Lets every access of a flat kernel name one of its arrays."""
    arrays = _Arrays(kernel)
    for op in [op for op in kernel.walk() if op.name in _ACCESSES]:
        place = next(n for n, v in enumerate(op.operands) if isinstance(v.type, MemRefType))
        roots = arrays.roots(op.operands[place])
        if len(roots) == 1:
            op.operands[place] = roots[0]
        else:
            arrays.choose(op, place, roots)
    arrays.number_the_rest()


class _Arrays:
    def __init__(self, kernel: gpu.FuncOp) -> None:
        self.kernel = kernel
        self.sources = {value: _sources(value) for value in _memrefs(kernel)}
        self.numbers: dict[SSAValue, SSAValue] = {}

    def roots(self, value: SSAValue) -> list[SSAValue]:
        """The arrays that a value may be, in the order in which they are met."""
        found: list[SSAValue] = []
        seen: set[SSAValue] = set()
        pending = [value]
        while pending:
            current = pending.pop()
            if current in seen:
                continue
            seen.add(current)
            sources = self.sources[current]
            pending += reversed(sources)
            if not sources:
                found.append(current)
        return found

    def choose(self, op: Operation, place: int, roots: Sequence[SSAValue]) -> None:
        """An access of whichever array it is."""
        remark(op, f"one of {len(roots)} arrays is accessed: a branch for each of them")
        block = Block()
        results = self.access(op, place, roots, block)
        for made in tuple(block.ops):
            made.detach()
            assert op.parent is not None, "an access stands in a block"
            op.parent.insert_op_before(made, op)
        for old, new in zip(op.results, results, strict=True):
            old.replace_all_uses_with(new)
        erase(op)

    def access(
        self, op: Operation, place: int, roots: Sequence[SSAValue], block: Block
    ) -> Sequence[SSAValue]:
        """The results of an access of one of `roots`, built at the end of a block."""
        first, *rest = roots
        if not rest:
            alone = op.clone()
            alone.operands[place] = first
            block.add_op(alone)
            return alone.results
        same = arith.CmpiOp.create(
            operands=[_plain(op.operands[place]), self.number(first)],
            result_types=[i1],
            properties={"predicate": IntegerAttr(0, i64)},
            location=op.location,
        )
        regions: list[Region] = []
        for group in ([first], rest):
            inner = Block()
            results = self.access(op, place, group, inner)
            inner.add_op(scf.YieldOp.create(operands=results, location=op.location))
            regions.append(Region(inner))
        kinds = [result.type for result in op.results]
        made = scf.IfOp.create(
            operands=same.results, result_types=kinds, regions=regions, location=op.location
        )
        block.add_ops((same, made))
        return made.results

    def number(self, root: SSAValue) -> SSAValue:
        """The number of an array, as a constant where the kernel begins."""
        if root not in self.numbers:
            made = constant(i32, len(self.numbers), self.kernel.location)
            first = self.kernel.entry.first_op
            assert first is not None, "a kernel ends in a terminator"
            self.kernel.entry.insert_op_before(made, first)
            self.numbers[root] = made.result
        return self.numbers[root]

    def number_the_rest(self) -> None:
        """Memrefs in control flow become numbers; casts go."""
        casts: list[Operation] = []
        for op in list(self.kernel.walk()):
            if isinstance(op, memref.CastOp):
                casts.append(op)
            elif op.name.startswith("scf.") or isinstance(op, arith.SelectOp):
                self.number_operands(op)
        for value, sources in self.sources.items():
            if sources and not isinstance(value.owner, memref.CastOp):
                set_type(value, i32)
        for op in reversed(casts):
            erase(op)

    def number_operands(self, op: Operation) -> None:
        """What flows into control flow is a number."""
        for place, operand in enumerate(op.operands):
            value = _plain(operand)
            if value in self.sources:
                op.operands[place] = value if self.sources[value] else self.number(value)


def _plain(value: SSAValue) -> SSAValue:
    """What a cast is of."""
    while isinstance(value.owner, memref.CastOp):
        value = value.owner.source
    return value


def _memrefs(kernel: gpu.FuncOp) -> Iterator[SSAValue]:
    for op in kernel.walk():
        arguments = [a for region in op.regions for block in region.blocks for a in block.args]
        yield from (v for v in (*op.results, *arguments) if isinstance(v.type, MemRefType))


def _sources(value: SSAValue) -> list[SSAValue]:
    """The values that a memref comes from; none where it is an array itself."""
    owner = value.owner
    if isinstance(owner, Block):
        return _sources_of_argument(owner, owner.args.index(value))  # pyright: ignore[reportArgumentType]
    match owner:
        case memref.CastOp():
            return [owner.source]
        case arith.SelectOp():
            return list(owner.operands[1:])
        case scf.WhileOp():
            number = owner.results.index(value)  # pyright: ignore[reportArgumentType]
            return [_last(owner.before_region).operands[number + 1]]
        case scf.ForOp() | scf.IfOp() | scf.IndexSwitchOp():
            number = owner.results.index(value)  # pyright: ignore[reportArgumentType]
            yields = [_last(region).operands[number] for region in owner.regions]
            return [owner.iter_args[number], *yields] if isinstance(owner, scf.ForOp) else yields
        case _:
            return []


def _sources_of_argument(block: Block, number: int) -> list[SSAValue]:
    parent = block.parent_op()
    if isinstance(parent, scf.ForOp):
        return [parent.iter_args[number - 1], _last(parent.body).operands[number - 1]]
    if isinstance(parent, scf.WhileOp):
        if parent.after_region.block is block:
            return [_last(parent.before_region).operands[number + 1]]
        return [parent.operands[number], _last(parent.after_region).operands[number]]
    return []


def _last(region: Region) -> Operation:
    last = region.block.last_op
    assert last is not None, "a region of scf ends in a terminator"
    return last
