"""Classes defined lazily are, once used, what they would have been."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from dataclasses import FrozenInstanceError, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from xdsl.dialects.builtin import IndexType, IntegerType, NoneAttr, i1, i32
from xdsl.ir import Attribute
from xdsl.irdl import (
    AnyOf,
    AttrConstraint,
    IRDLOperation,
    VerificationContext,
    irdl_op_definition,
    operand_def,
    result_def,
    traits_def,
)
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import PyRDLOpDefinitionError, VerifyException
from xdsl.utils.test_value import create_ssa_value

from stepwell.dialects.lazy_definitions import LazyFormat, LazyMethod, lazy_definitions
from stepwell.dialects.lazy_ops import LAZY

waits_for_first_use = pytest.mark.skipif(
    not hasattr(dataclasses, "_create_fn"),
    reason="from Python 3.13 on, dataclasses compiles the methods of a class together",
)

with lazy_definitions():

    @dataclass(frozen=True)
    class Point:
        x: int
        y: int = 2
        names: list[str] = field(default_factory=list[str], compare=False)

    @dataclass(order=True)
    class Height:
        z: int


@waits_for_first_use
def test_a_method_is_made_at_its_first_use():
    with lazy_definitions():

        @dataclass
        class Late:
            x: int

    assert isinstance(Late.__dict__["__init__"], LazyMethod)
    assert Late(3).x == 3
    assert not isinstance(Late.__dict__["__init__"], LazyMethod)
    assert Late.__init__.__qualname__.endswith("Late.__init__")
    assert Late.__doc__ == "Late"
    assert isinstance(Late.__dict__["__eq__"], LazyMethod)


def test_a_lazy_dataclass_behaves_as_one():
    assert Point(1) == Point(1, 2, ["a"]) != Point(2)
    assert len({Point(1), Point(1, 2), Point(3)}) == 2
    assert repr(Point(1)).endswith("Point(x=1, y=2, names=[])")
    assert Point(1).names is not Point(1).names
    with pytest.raises(FrozenInstanceError):
        Point(1).x = 4  # type: ignore[misc]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]
    assert Height(1) < Height(2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Height(1))


def test_outside_nothing_is_changed():
    before = dict(vars(dataclasses))
    with pytest.raises(ZeroDivisionError), lazy_definitions(), lazy_definitions():
        raise ZeroDivisionError
    assert vars(dataclasses) == before

    from xdsl.irdl.declarative_assembly_format import FormatProgram

    assert FormatProgram.from_str is not LazyFormat
    assert all(vars(owner)[name] is original for owner, name, original, _ in LAZY)


# What a process with the compiler in it knows of its classes, with the methods all used.
METHODS = """
import inspect, re, sys
def methods():
    for name, module in sorted(sys.modules.items()):
        if name.split(".")[0] not in ("xdsl", "stepwell"):
            continue
        for value in list(vars(module).values()):
            if inspect.isclass(value) and value.__module__ == name:
                yield from methods_of(value)
def methods_of(cls):
    for word in "init repr eq hash setattr delattr lt".split():
        method = getattr(cls, f"__{word}__")
        method = inspect.unwrap(method) if method else None  # __repr__ is in a wrapper
        code = getattr(getattr(method, "function", method), "__code__", None)
        shape = (code.co_code.hex(), code.co_names, code.co_varnames) if code else None
        qualname = getattr(getattr(cls, f"__{word}__"), "__qualname__", None)
        yield cls.__module__, cls.__qualname__, word, qualname, shape
    known = "get_irdl_definition" in vars(cls) and cls.get_irdl_definition()
    rows = {"parameters": known.parameters} if hasattr(known, "parameters") else {}
    if hasattr(known, "operands"):
        rows = {**vars(known), **vars(cls), "traits": sorted(map(repr, cls.traits))}
    for name, value in rows.items():
        yield cls.__qualname__, name, re.sub(" at 0x[0-9a-f]*", "", repr(value))
def load():
    from xdsl.dialects import arith, func, math, memref, scf
    import xdsl.irdl.declarative_assembly_format_parser
    import stepwell.compiler, stepwell.lowering.to_llvm.to_llvm, stepwell.language.build
"""


def test_the_compiler_s_classes_are_the_same():
    eager = f"{METHODS}\nload()\nfor row in methods(): print(row)"
    lazy = METHODS + (
        "from stepwell.dialects.lazy_definitions import lazy_definitions\n"
        "with lazy_definitions(): load()\n"
        "for row in methods(): print(row)\n"
    )
    first, second = (_lines(code) - {""} for code in (eager, lazy))
    own = {line for line in second if "stepwell.dialects.lazy_" in line}
    assert second - own == first
    assert len(first) > 8000


def test_an_op_is_defined_when_the_first_is_made():
    with lazy_definitions():

        @irdl_op_definition
        class Negate(IRDLOperation):
            name = "late.negate"
            value = operand_def(i32)
            negative = result_def(i32)
            traits = traits_def(Pure())

            def verify_(self) -> None:
                if self.value is self.negative:
                    raise VerifyException("of itself")

    raw = vars(Negate)["value"]
    assert Negate.has_trait(Pure)
    assert vars(Negate)["value"] is raw
    op = Negate(operands=[create_ssa_value(i32)], result_types=[i32])
    assert op.value is op.operands[0]
    op.verify()
    op.operands[0] = op.negative
    with pytest.raises(VerifyException, match="of itself"):
        op.verify()
    wrong = Negate(operands=[create_ssa_value(i1)], result_types=[i32])
    with pytest.raises(VerifyException, match="operand 'value'"):
        wrong.verify()


def test_equal_unions_of_constraints_are_one():
    @dataclass(frozen=True)
    class NoKey(AttrConstraint):
        parts: list[int]

        def verify(self, attr: Attribute, constraint_context: VerificationContext) -> None: ...

        def mapping_type_vars(self, type_var_mapping: Any) -> NoKey:
            return self

        def get_bases(self) -> set[type[Attribute]]:
            return {NoneAttr}

    with lazy_definitions():
        assert AnyOf.get(IntegerType, IndexType) is AnyOf.get(IntegerType, IndexType)
        assert AnyOf.get(NoKey([]), IndexType) == AnyOf.get(NoKey([]), IndexType)
    with lazy_definitions(), pytest.raises(TypeError, match="Unexpected"):
        AnyOf.get(IntegerType, [])  # pyright: ignore[reportArgumentType]


def test_two_syntaxes_of_an_op_are_refused_at_once():
    with lazy_definitions(), pytest.raises(PyRDLOpDefinitionError, match="both"):

        @irdl_op_definition
        class Both(IRDLOperation):  # pyright: ignore[reportUnusedClass]
            name = "late.both"
            assembly_format = "attr-dict"

            def print(self, printer: Printer) -> None:
                printer.print_string("both")


def test_a_lazy_format_parses_and_prints():
    text = "%0 = arith.addi %1, %2 overflow<nsw> : i32"
    code = f"""
from stepwell.dialects.lazy_definitions import LazyFormat, lazy_definitions
with lazy_definitions():
    from xdsl.dialects import arith, test
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.parser import Parser
context = Context()
for dialect in (Builtin, arith.Arith, test.Test):
    context.load_dialect(dialect)
print(Parser(context, '''%1, %2 = "test.op"() : () -> (i32, i32)
{text}''').parse_module())
"""
    assert len(_lines(code)) == 4
    assert any("arith.addi" in line and "overflow<nsw> : i32" in line for line in _lines(code))


def _lines(code: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines())


def test_the_collector_takes_the_compiler_for_old_and_frozen_objects_stay_so():
    code = """
import gc
from stepwell.caching import _keep_as_old
gc.disable()
made = [[number] for number in range(10_000)]
_keep_as_old()
print("young", len(gc.get_objects(generation=0)) < 1000, gc.get_freeze_count())
gc.freeze()
_keep_as_old()
print("frozen", gc.get_freeze_count() > 10_000)
"""
    assert _lines(code) == {"young True 0", "frozen True"}


def test_importing_xdsl_may_run_the_users_program_again(tmp_path: Path):
    """As where the program's file is called like a module of Python that xDSL imports."""
    program = tmp_path / "tempfile.py"
    program.write_text(USERS_PROGRAM)
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60)
    assert "Error: partially initialized" in done.stdout, done.stderr
    assert done.stdout.endswith("defined as always\n")


USERS_PROGRAM = """
import dataclasses
from stepwell.dialects.lazy_definitions import lazy_definitions

before = dataclasses._create_fn if hasattr(dataclasses, "_create_fn") else None
try:
    with lazy_definitions():
        import xdsl.dialects.arith
except (ImportError, AttributeError) as error:  # the latter from Python 3.13 on, at the second time
    print("Error: partially initialized" if "partially" in str(error) else error)
if __name__ == "__main__":
    after = dataclasses._create_fn if hasattr(dataclasses, "_create_fn") else None
    print("defined as always" if after is before else "still lazy")
"""
