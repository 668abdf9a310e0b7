"""Definitions of ops and attributes that are made when a class is first used.

xDSL makes constraints of a class's fields, and accessors, when the class is defined: a tenth of a
millisecond each for 250 classes, of which a kernel uses 70. `LAZY` is what stands for that inside
of `lazy_definitions()`. Until an op is first created or parsed, its class has

- traits, which are asked for without an op;
- `get_irdl_definition` and, with a format, `parse`, which define it and then do what they are for.

There is no third way to an op, so accessors and `verify_` are there before one could use them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from threading import RLock
from typing import Any

from xdsl.ir import Operation, OpTraits, ParametrizedAttribute
from xdsl.irdl import AnyOf, AttrConstraint, IRDLOperation, OpDef, ParamAttrDef, operations

_op_def_of = OpDef.from_pyrdl
_accessors_of = operations.get_accessors_from_op_def
_attr_def_of = ParamAttrDef.from_pyrdl
_union_of: Callable[..., AttrConstraint] = AnyOf.get
_known_union = cache(_union_of)
_lock = RLock()
_OF_ALL_OPS = frozenset(Operation.__mro__)


class LazyAttribute:
    """The definition of an attribute's class; all that is known of it is made at the first use."""

    def __init__(self, cls: type[ParametrizedAttribute]) -> None:
        self._cls = cls

    def __getattr__(self, name: str) -> Any:
        known = _attr_def_of(self._cls)
        self.__dict__.update(vars(known), verify=known.verify)
        return getattr(known, name)


def lazy_accessors(cls: type[IRDLOperation], verify: Callable[[Any], None] | None) -> Any:
    """What a class of ops is given at once, instead of xDSL's accessors."""
    if cls.assembly_format is not None and _has_own_syntax(cls):
        return _accessors_of(_op_def_of(cls), verify)  # which says that one is too many
    traits = _traits_of(cls)
    is_defined = False

    def define() -> None:
        nonlocal is_defined
        with _lock:
            if not is_defined:
                _define(cls, verify, traits)
            is_defined = True

    @classmethod
    def get_irdl_definition(own: type[IRDLOperation]) -> OpDef:
        define()
        return own.get_irdl_definition()

    @classmethod
    def parse(own: type[IRDLOperation], parser: Any) -> Operation:
        define()
        return own.parse(parser)

    given: dict[str, Any] = {"traits": traits, "get_irdl_definition": get_irdl_definition}
    if cls.assembly_format is not None:
        given["parse"] = parse
    return given


def _has_own_syntax(cls: type[Operation]) -> bool:
    parse: Any = cls.parse
    return (
        cls.print is not Operation.print or parse.__func__ is not vars(Operation)["parse"].__func__
    )


def _traits_of(cls: type[Operation]) -> OpTraits:
    """Traits of a class and of those that it derives from."""
    bases = [base for base in cls.__mro__ if base not in _OF_ALL_OPS]
    found = [vars(base)["traits"] for base in bases if "traits" in vars(base)]
    if len(found) == 1:
        return found[0]
    return OpTraits(lambda: tuple(trait for traits in found for trait in traits.gen_traits()))


def _define(
    cls: type[IRDLOperation], verify: Callable[[Any], None] | None, traits: OpTraits
) -> None:
    """Give a class what xDSL would have given it when it was defined."""
    syntax = cls.assembly_format
    if syntax is not None:
        cls.assembly_format = None  # beside it, xDSL takes no `parse`, not even ours
    try:
        known = _op_def_of(cls)
    finally:
        if syntax is not None:
            cls.assembly_format = syntax
    known.assembly_format, known.traits = syntax, traits
    accessors = _accessors_of(known, verify)
    last = accessors.pop("get_irdl_definition")  # another thread may take it once all is there
    for name, value in accessors.items():
        setattr(cls, name, value)
    cls.get_irdl_definition = last


def _union(*parts: Any) -> AttrConstraint:
    """A union of constraints, made once: there are few, and xDSL compares each part with each."""
    try:
        return _known_union(*parts)
    except TypeError:  # no keys, or no constraints
        return _union_of(*parts)


def _class_itself(cls: type[IRDLOperation]) -> type[IRDLOperation]:
    return cls


# Of xDSL's functions, where each of them is: what it is, and what stands for it.
LAZY: tuple[tuple[object, str, Any, Any], ...] = (
    (OpDef, "from_pyrdl", staticmethod(_op_def_of), staticmethod(_class_itself)),
    (operations, "get_accessors_from_op_def", _accessors_of, lazy_accessors),
    (ParamAttrDef, "from_pyrdl", staticmethod(_attr_def_of), staticmethod(LazyAttribute)),
    (AnyOf, "get", staticmethod(_union_of), staticmethod(_union)),
)
