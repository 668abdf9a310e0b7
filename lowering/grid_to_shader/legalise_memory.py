"""legalise-memory: arrays hold what the device can load, store and change in one step.

    gpu.func @k(%x: memref<?xi8, global>) {      gpu.func @k(%x: memref<?xi32, global>
                                                             {gpux.element = i8}) {
                                                   %first = gpux.first_byte %x
      %v = memref.load %x[%i]                      %at = (%i + %first) / 4, %part = … % 4
                                                   %w = memref.load %x[%at] : memref<?xi32>
                                                   %v = arith.trunci (%w >> 8 * %part) : i32 to i8
      memref.store %v, %x[%j]                      scf.while … gpux.atomic_cas … %x[%at]

What values are is not touched (`emulate-types` does that). Buffers keep the layout of the host: a
bool is a byte; where a device has no 8- or 16-bit storage, or an atomic is of such an element, they
are arrays of words, and a store exchanges a word, since threads may store to neighbours. Arrays of
a block or a thread have a word for each element. Without i64, an element of 64 bits is two words.

Atomics that the device has not are loops of compare-exchanges; those of floats work on their bits.
An atomic of 64 bits without an instruction for it is refused: no other does it in one step. Of a
thread's own array an atomic is a load and a store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.context import Context
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AnyFloat,
    ArrayAttr,
    DictionaryAttr,
    FunctionType,
    MemRefType,
    ModuleOp,
    NoneAttr,
    f32,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects import gpu, gpux, marks
from ...dialects.diagnostics import CompileError, location_of
from ...passes.utils.block_editing import erase
from ..gpu_to_cpu.builder import set_type
from ..math.calculator import Calculator, Number
from ..memref_views import AnyMemRef, as_memref
from ..remarks import remark
from .features import ShaderFeatures
from .storage import Access, Halves, Packed, Storage, Whole, as_bits, width_of
from .word_updates import combined

_ATOMICS = (gpux.AtomicRMWOp, gpux.AtomicCASOp)


@dataclass(frozen=True)
class LegaliseMemory(ModulePass):
    """Gives every array elements that the device has; `features` as `ShaderFeatures.parse`."""

    name = "legalise-memory"
    features: str = ""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Changes all kernels, or raises one CompileError with all atomics that cannot be had."""
        features = ShaderFeatures.parse(self.features)
        errors: list[CompileError] = []
        for kernel in [inner for inner in op.walk() if isinstance(inner, gpu.FuncOp)]:
            errors += _Kernel(kernel, features).run()
        if errors:
            raise CompileError.collect("the device has no such atomics", errors)


class Array:
    """An array of a flat kernel, and what is done with it."""

    def __init__(self, value: SSAValue) -> None:
        self.value = value
        self.kind: AnyMemRef = as_memref(value.type)
        self.element: Attribute = self.kind.element_type
        self.space = str(self.kind.memory_space).partition("<")[2].rstrip(">")
        uses = [use.operation for use in value.uses]
        self.accesses = [op for op in uses if op.name != "memref.dim"]
        self.atomics = [op for op in self.accesses if isinstance(op, _ATOMICS)]
        self.is_dynamic = isinstance(value.owner, memref.ViewOp)


class _Kernel:
    def __init__(self, kernel: gpu.FuncOp, features: ShaderFeatures) -> None:
        self.kernel = kernel
        self.features = features
        self.errors: list[CompileError] = []
        self.elements: dict[SSAValue, Attribute] = {}

    def run(self) -> list[CompileError]:
        """All arrays; what could not be done."""
        arrays = [Array(value) for value in self.arrays()]
        views = [array for array in arrays if array.is_dynamic]
        mixed = len({array.element for array in views}) > 1
        for array in arrays:
            storage = self.storage(array, mixed and array.is_dynamic)
            if storage is not None:
                self.retype(array, storage)
            for op in array.accesses:
                self.access(op, array, storage)
        if mixed:
            self.join(views)
        self.finish()
        return self.errors

    def arrays(self) -> list[SSAValue]:
        """Parameters, attributions, private arrays and views of dynamic memory."""
        made = [op for op in self.kernel.walk() if isinstance(op, memref.AllocaOp | memref.ViewOp)]
        arguments = [v for v in self.kernel.entry.args if v.type.name == MemRefType.name]
        return [*arguments, *(op.results[0] for op in made)]

    # --- how elements lie -------------------------------------------------------------------------

    def storage(self, array: Array, in_words: bool) -> Storage | None:
        """How the elements of an array lie in words; None where they stay what they are."""
        element, width = array.element, width_of(array.element)
        if width == 64:
            if in_words or not self.features.native(element):
                return Halves(element)
            return Whole(element, i64) if self.needs_bits(array) else None
        if width == 32:
            as_bits = in_words or self.needs_bits(array)
            return Whole(element, i32) if as_bits and element != i32 else None
        return self.small(array, in_words)

    def small(self, array: Array, in_words: bool) -> Storage | None:
        """Elements of 8 and 16 bits, and bools."""
        element = array.element
        integer = i8 if width_of(element) == 8 else i16
        plain = not array.atomics and not in_words
        if plain and element != i1 and self.features.native(element):
            return None
        is_word = array.space != "global" and not array.is_dynamic
        if plain and self.features.native(integer) and not (is_word and element == i1):
            return Whole(element, integer)
        if is_word:
            return Whole(element, i32)
        return Packed(element, None if array.is_dynamic else self.first(array))

    def first(self, array: Array) -> SSAValue:
        """How many elements after its first word's begin a packed parameter begins."""
        c = self.start()
        byte = c.number(c.add(gpux.FirstByteOp(array.value)).results[0])
        return (byte if width_of(array.element) == 8 else byte.shifted_out(1)).value

    def start(self) -> Calculator:
        """A builder where the kernel begins."""
        first = self.kernel.entry.first_op
        assert first is not None, "a kernel ends in a terminator"
        return Calculator(first, f32)

    def needs_bits(self, array: Array) -> bool:
        """Whether an atomic of floats is to be done on integers."""
        return (
            isinstance(array.element, AnyFloat)
            and array.space != "private"
            and any(not self.has_add(op, array) for op in array.atomics)
        )

    def has_add(self, op: Operation, array: Array) -> bool:
        """Whether it is a sum of floats that the device has an instruction for."""
        width = width_of(array.element)
        name = f"{_prefix(array)}float{width}_atomic_add"
        is_add = isinstance(op, gpux.AtomicRMWOp) and op.kind.data == "add"
        return is_add and width >= 32 and self.features.has(name)

    # --- accesses ---------------------------------------------------------------------------------

    def access(self, op: Operation, array: Array, storage: Storage | None) -> None:
        """One access of an array, in words."""
        is_atomic = isinstance(op, _ATOMICS)
        alone = array.space == "private"
        if is_atomic and not alone and not self.in_one_step(op, array):
            self.refuse(op, f"an atomic of {array.element}: this device has none of 64 bits")
            return
        if storage is None and not (is_atomic and alone):
            return
        c = Calculator(op, f32)
        values = [c.number(value) for value in op.operands[: len(op.operands) - 2]]
        whole = storage or Whole(array.element, array.element)
        results = self.in_words(op, array, whole, values)
        for old, new in zip(op.results, results, strict=True):
            new.value.name_hint = old.name_hint
            old.replace_all_uses_with(new.value)
        erase(op)

    def in_words(
        self, op: Operation, array: Array, storage: Storage, values: Sequence[Number]
    ) -> Sequence[Number]:
        """The results of an access of words."""
        c = Calculator(op, f32)
        access = Access(op.operands[-2], op.operands[-1])
        if isinstance(op, memref.LoadOp):
            return [storage.load(c, access)]
        if isinstance(op, memref.StoreOp):
            self.note_store(op, array, storage)
            if not isinstance(storage, Packed):
                storage.store(c, access, values[0])
            else:
                scope = "block" if array.is_dynamic else "device"
                storage.store(c, Access(access.words, access.index, scope=scope), values[0])
            return []
        assert isinstance(op, _ATOMICS), "arrays of a flat kernel have these accesses"
        if array.space == "private":
            return [self.alone(c, op, storage, access, values)]
        access = Access(access.words, access.index, op.order.data, op.scope.data)
        assert not isinstance(storage, Halves), "an atomic of two words has been refused"
        if isinstance(op, gpux.AtomicCASOp):
            return [storage.compare_exchange(c, access, *values)]
        return [self.modify(c, op, storage, access, values[0])]

    def modify(
        self,
        c: Calculator,
        op: gpux.AtomicRMWOp,
        storage: Whole | Packed,
        access: Access,
        value: Number,
    ) -> Number:
        """An atomic that is a loop, except an exchange of whole words."""
        kind = op.kind.data
        whole = isinstance(storage, Whole) and width_of(storage.kind) >= 32
        if kind == "exchange" and whole:
            word = c.op_of(arith.BitcastOp, (value,), storage.word)
            new = gpux.AtomicRMWOp(
                kind, word.value, access.words, [access.index], access.order, access.scope
            )
            return c.op_of(arith.BitcastOp, (c.number(c.add(new).results[0]),), storage.kind)
        text = f"an atomic {kind} of {storage.kind} is a loop of compare-exchanges"
        remark(op, f"{text}: the device has none")
        return storage.modify(c, access, kind, value)

    def alone(
        self,
        c: Calculator,
        op: gpux.AtomicRMWOp | gpux.AtomicCASOp,
        storage: Storage,
        access: Access,
        values: Sequence[Number],
    ) -> Number:
        """An atomic of an array that only this thread sees."""
        old = storage.load(c, access)
        if isinstance(op, gpux.AtomicRMWOp):
            storage.store(c, access, combined(c, op.kind.data, old, values[0]))
            return old
        expected, desired = values
        bits = [as_bits(c, old), as_bits(c, expected)]
        storage.store(c, access, c.select(bits[0].equals(bits[1]), desired, old))
        return old

    def note_store(self, op: Operation, array: Array, storage: Storage) -> None:
        """A store to a part of a word is dear."""
        if isinstance(storage, Packed):
            element = "bool" if array.element == i1 else str(array.element)
            remark(
                op,
                f"a store of {element} exchanges the word that it is in, in a loop: the array has "
                f"no elements of {width_of(array.element)} bits on this device",
            )

    def in_one_step(self, op: Operation, array: Array) -> bool:
        """Whether the device can do an atomic of this width; of 32 bits and less every one can."""
        return (
            width_of(array.element) < 64
            or self.features.has("int64", f"{_prefix(array)}int64_atomics")
            or (self.has_add(op, array) and not self.needs_bits(array))
        )

    def refuse(self, op: Operation, reason: str) -> None:
        """One error for one place."""
        place = location_of(op)
        hint = "use 32 bits, or a device with atomics of 64 bits"
        if not any(error.location == place and error.message == reason for error in self.errors):
            self.errors.append(CompileError(reason, place, hint=hint))

    # --- types ------------------------------------------------------------------------------------

    def retype(self, array: Array, storage: Storage) -> None:
        """The array itself."""
        shape: list[int] = list(array.kind.get_shape())
        if isinstance(storage, Halves) and shape != [DYNAMIC_INDEX]:
            shape = [2 * shape[0]]
        kind = MemRefType(storage.word, shape, NoneAttr(), array.kind.memory_space)
        if array.is_dynamic:
            self.view(array, kind)
            return
        set_type(array.value, kind)
        if array.value in self.kernel.parameters:
            self.elements[array.value] = array.element

    def view(self, array: Array, kind: MemRefType[Any]) -> None:
        """Dynamic memory as words, as many as fit."""
        op = array.value.owner
        assert isinstance(op, memref.ViewOp), "the caller has asked"
        c = Calculator(op, f32)
        zero = c.number(op.byte_shift)
        total = memref.DimOp(op.source, op.byte_shift)
        count = c.number(c.add(total).results[0])
        size = width_of(kind.element_type) // 8
        if size > 1:
            count = c.op_of(arith.DivUIOp, (count, c.like(size, count)), zero.type)
        new = memref.ViewOp(op.source, op.byte_shift, [count.value], kind)
        array.value.replace_all_uses_with(c.add(new).results[0])
        array.value = new.result
        erase(op)

    def join(self, views: Sequence[Array]) -> None:
        """One array of words for all views of dynamic memory."""
        first, *rest = views
        made = [array.value.owner for array in views]
        block = self.kernel.entry
        earliest = next(op for op in block.ops if op in made)
        kept = earliest.results[0]
        assert first.value.type == kept.type == MemRefType(
            i32, [DYNAMIC_INDEX], NoneAttr(), first.kind.memory_space
        ), "all views are of words by now"  # fmt: skip
        for array in (first, *rest):
            if array.value is not kept:
                array.value.replace_all_uses_with(kept)
                owner = array.value.owner
                assert isinstance(owner, Operation), "a view is an op"
                erase(owner)

    def finish(self) -> None:
        """The kernel's type, and for each parameter in words what is passed."""
        if not self.elements:
            return
        kernel = self.kernel
        inputs = [value.type for value in kernel.parameters]
        kernel.properties["function_type"] = FunctionType.from_lists(inputs, [])
        given = list(kernel.arg_attrs or [DictionaryAttr({}) for _ in inputs])
        for place, value in enumerate(kernel.parameters):
            if value in self.elements:
                attributes = {**given[place].data, marks.ELEMENT: self.elements[value]}
                given[place] = DictionaryAttr(attributes)
        kernel.properties["arg_attrs"] = ArrayAttr(given)


def _prefix(array: Array) -> str:
    return "shared_" if array.space == "workgroup" else ""
