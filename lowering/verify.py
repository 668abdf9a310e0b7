"""A verifier for what xDSL's does not look at, then each op's own: `verify(module)`.

Checked here, with all findings in one CompileError:

- a value is used where its definition dominates: not before it, not in a sibling region, not in a
  block that can be reached around it, not inside an op that is isolated from above;
- a block ends in a terminator, nothing else is one, and it branches inside its region;
- a branch passes as many values as the block takes, of the same types;
- what a structured op's region yields has the types of the op's results;
- parents and children agree (an op in two places is the usual mistake of a pass).

After that every op's own verifier runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from xdsl.dialects.builtin import StringAttr, UnregisteredOp
from xdsl.ir import Attribute, Block, ErasedSSAValue, Operation, OpResult, Region, SSAValue
from xdsl.traits import IsolatedFromAbove, IsTerminator, NoTerminator

from ..dialects.branching import successor_operands
from ..dialects.diagnostics import CompileError, location_of
from ..passes.analyses.dominance import dominator_tree


def verify(root: Operation) -> None:
    """Raises one CompileError that lists everything wrong with `root` and what is in it."""
    checker = _Checker()
    checker.op(root, is_root=True)
    if not checker.errors:
        for op in checker.ops:
            checker.own_verifier(op)
    if checker.errors:
        errors = sorted(checker.errors, key=_place)
        count = len(errors)
        summary = "invalid IR" if count == 1 else f"invalid IR, {count} errors"
        raise CompileError.collect(summary, errors)


def _place(error: CompileError) -> tuple[str, int, int]:
    place = error.location
    return (place.file, place.line, place.column) if place is not None else ("", 0, 0)


class _Facts:
    """What the traits of an op class say, looked up once per class."""

    __slots__ = ("isolated", "known", "no_terminator", "terminator")

    def __init__(self, op_class: type[Operation]) -> None:
        self.known = not issubclass(op_class, UnregisteredOp)
        self.terminator = op_class.has_trait(IsTerminator)
        self.isolated = op_class.has_trait(IsolatedFromAbove)
        self.no_terminator = op_class.has_trait(NoTerminator)


_facts: dict[type[Operation], _Facts] = {}


def _facts_of(op: Operation) -> _Facts:
    found = _facts.get(op.__class__)
    if found is None:
        found = _facts[op.__class__] = _Facts(op.__class__)
    return found


class _Checker:
    def __init__(self) -> None:
        self.errors: list[CompileError] = []
        self.ops: list[Operation] = []
        self.visible: set[int] = set()  # ids of the values that may be used here

    def report(self, op: Operation, message: str, hint: str | None = None) -> None:
        self.errors.append(CompileError(f"{op.name}: {message}", location_of(op), hint=hint))

    # Structure

    def op(self, op: Operation, is_root: bool = False) -> None:
        """Operands, successors, and what is inside; results are made visible by the caller."""
        self.ops.append(op)
        if not is_root:
            visible = self.visible
            for index, operand in enumerate(op._operands):  # pyright: ignore[reportPrivateUsage]
                if id(operand) not in visible:
                    self.report(op, _why_invisible(op, index, operand))
        if op._successors:  # pyright: ignore[reportPrivateUsage]
            self.branch(op)
        if op.regions:
            self.regions(op)
            check = _REGION_CHECKS.get(op.name)
            if check is not None:
                for message in check(op):
                    self.report(op, message)

    def regions(self, op: Operation) -> None:
        facts = _facts_of(op)
        outer = self.visible
        for region in op.regions:
            if region.parent is not op:
                self.report(op, "its region belongs to another op")
            if facts.isolated:
                self.visible = set()
                self.region(region, facts)
                self.visible = outer
            else:
                self.region(region, facts)

    def region(self, region: Region, parent: _Facts) -> None:
        first = region.first_block
        if first is None:
            return
        for block in region.blocks:
            self.block_end(block, region, parent)
        if first.next_block is None:
            self.block(first, [])
            return
        children, unreachable = dominator_tree(region)
        self.dominated(first, children)
        if unreachable:  # anything that the region defines may be used in dead code
            added = [id(v) for block in region.blocks for v in _definitions(block)]
            self.visible.update(added)
            for block in unreachable:
                self.block(block, [], keep=True)
            self.visible.difference_update(added)

    def dominated(self, first: Block, children: dict[Block, list[Block]]) -> None:
        """Walks the dominator tree: what a block defines is visible in those it dominates."""
        stack: list[tuple[Block, list[int]] | list[int]] = [(first, [])]
        while stack:
            item = stack.pop()
            if isinstance(item, list):
                self.visible.difference_update(item)
                continue
            block, added = item
            self.block(block, added, keep=True)
            stack.append(added)
            stack.extend((child, []) for child in children.get(block, ()))

    def block(self, block: Block, added: list[int], keep: bool = False) -> None:
        """Checks the ops in order; `added` gets the ids made visible, which stay if `keep`."""
        visible = self.visible
        for argument in block.args:
            visible.add(id(argument))
            added.append(id(argument))
        op = block.first_op
        while op is not None:
            if op.parent is not block:
                self.report(op, "is listed in a block that it does not belong to")
            self.op(op)
            for result in op.results:
                visible.add(id(result))
                added.append(id(result))
            op = op.next_op
        if not keep:
            visible.difference_update(added)

    def block_end(self, block: Block, region: Region, parent: _Facts) -> None:
        """A terminator at the end, and nowhere else."""
        last = block.last_op
        if last is None:
            if not parent.no_terminator and region.parent is not None:
                self.report(region.parent, "has an empty block, expected a terminator in it")
            return
        op = block.first_op
        while op is not None:
            is_terminator = _facts_of(op).terminator and _facts_of(op).known
            if op is last:
                if not is_terminator and not parent.no_terminator and _facts_of(op).known:
                    self.report(op, "ends its block, but is not a terminator")
            elif is_terminator and not parent.no_terminator:
                self.report(op, "is a terminator, but does not end its block")
            op = op.next_op

    # Branches

    def branch(self, op: Operation) -> None:
        region = op.parent.parent if op.parent is not None else None
        for index, successor in enumerate(op.successors):
            if successor.parent is not region or region is None:
                self.report(op, f"branches to a block outside of its region (successor {index})")
                continue
            if successor is region.first_block:
                self.report(op, "branches to the entry block of its region")
            passed = successor_operands(op, index)
            if passed is None:
                continue
            given = [value.type for value in passed]
            taken = list(successor.arg_types)
            if given != taken:
                self.report(op, f"passes {_types(given)} to a block that takes {_types(taken)}")

    # The op's own verifier

    def own_verifier(self, op: Operation) -> None:
        try:
            op.verify_()
        except Exception as error:  # verifiers of dialects raise anything, bare Exception too
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            text = lines[0] if lines else type(error).__name__
            if text.endswith(":"):  # the reason is below
                text = " ".join(lines[:2])
            text = text.removeprefix(f"{op.name}: ").removeprefix("Operation does not verify: ")
            self.errors.append(_own_error(op, text, error))


def _own_error(op: Operation, text: str, error: Exception) -> CompileError:
    place = location_of(_second_of(op, text) or op)
    made = CompileError(f"{op.name}: {text[:1].lower()}{text[1:]}", place)
    made.__cause__ = error
    return made


def _second_of(op: Operation, text: str) -> Operation | None:
    """The op that defines a symbol again: of that xDSL says only in which symbol table it is."""
    if not text.lower().startswith("redefinition of symbol"):
        return None
    same = [
        inner
        for block in op.regions[0].blocks
        for inner in block.ops
        if isinstance(name := inner.get_attr_or_prop("sym_name"), StringAttr)
        and f'"{name.data}"' in text
    ]
    return same[1] if len(same) > 1 else None


def _types(types: Iterable[Attribute]) -> str:
    return f"({', '.join(str(type) for type in types)})"


def _why_invisible(op: Operation, index: int, operand: SSAValue) -> str:
    """The reason why an operand may not be used by `op`, in words."""
    name = f"operand {index}" + (f" (%{operand.name_hint})" if operand.name_hint else "")
    if isinstance(operand, ErasedSSAValue):
        return f"{name} was erased"
    owner = operand.owner
    block = owner.parent if isinstance(operand, OpResult) else owner
    if not isinstance(block, Block):
        return f"{name} is the result of an op that is in no block"
    region = block.parent
    current: Operation | None = op
    while current is not None and current.parent is not None:
        if current.parent is block:
            return f"{name} is used before it is defined"
        if current.parent.parent is region and region is not None:
            return f"{name} is defined in a block that does not dominate this use"
        current = current.parent_op()
        if current is not None and _facts_of(current).isolated and not current.is_ancestor(block):
            return f"{name} is defined outside of {current.name}, which is isolated from above"
    return f"{name} is defined in another region, which this op is not inside of"


def _definitions(block: Block) -> Iterable[SSAValue]:
    yield from block.args
    for op in block.ops:
        yield from op.results


# --- regions of structured ops --------------------------------------------------------------------


def _yielded(region: Region) -> list[Attribute] | None:
    block = region.first_block
    if block is None or block.last_op is None or block.last_op.name != "scf.yield":
        return None
    return [value.type for value in block.last_op.operands]


def _check_if(op: Operation) -> Iterable[str]:
    results = list(op.result_types)
    if results and op.regions[1].first_block is None:
        yield "has results, but no else region"
    for name, region in zip(("then", "else"), op.regions, strict=True):
        given = _yielded(region)
        if given is not None and given != results:
            yield f"its {name} region yields {_types(given)}, its results are {_types(results)}"


def _check_for(op: Operation) -> Iterable[str]:
    results = list(op.result_types)
    given = _yielded(op.regions[0])
    if given is not None and given != results:
        yield f"its body yields {_types(given)}, its results are {_types(results)}"
    block = op.regions[0].first_block
    if block is not None and list(block.arg_types[1:]) != results:
        yield f"its body takes {_types(block.arg_types[1:])}, its results are {_types(results)}"
    initial = [value.type for value in op.operands[3:]]
    if initial != results:
        yield f"starts with {_types(initial)}, its results are {_types(results)}"


def _check_while(op: Operation) -> Iterable[str]:
    before, after = op.regions[0].first_block, op.regions[1].first_block
    if before is None or after is None:
        yield "needs a block in both of its regions"
        return
    initial = list(op.operand_types)
    if list(before.arg_types) != initial:
        yield f"starts with {_types(initial)}, its condition takes {_types(before.arg_types)}"
    results = list(op.result_types)
    if list(after.arg_types) != results:
        yield f"its body takes {_types(after.arg_types)}, its results are {_types(results)}"
    given = _yielded(op.regions[1])
    if given is not None and given != initial:
        yield f"its body yields {_types(given)}, its condition takes {_types(initial)}"
    last = before.last_op
    if last is not None and last.name == "scf.condition":
        passed = [value.type for value in last.operands[1:]]
        if passed != results:
            yield f"its condition passes {_types(passed)}, its results are {_types(results)}"


def _check_switch(op: Operation) -> Iterable[str]:
    results = list(op.result_types)
    for index, region in enumerate(op.regions):
        given = _yielded(region)
        if given is not None and given != results:
            yield f"its region {index} yields {_types(given)}, its results are {_types(results)}"


_REGION_CHECKS: dict[str, Callable[[Operation], Iterable[str]]] = {
    "scf.for": _check_for,
    "scf.if": _check_if,
    "scf.index_switch": _check_switch,
    "scf.while": _check_while,
}
