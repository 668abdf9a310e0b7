"""`match` on constants: a chain of comparisons, decided now where the subject is a constant."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .comparisons import compare_one
from .conditions import condition, short_circuit
from .sharing import note_sharing
from .statements import branch
from .typing_of import describe
from .values import Static, Value, unpacked
from .variables import assign

if TYPE_CHECKING:
    from .frame import Frame


def match_statement(frame: Frame, node: ast.Match) -> None:
    """The first case whose pattern fits and whose guard holds."""
    subject = frame.eval(node.subject)
    names = set[str]().union(*(_names(case.pattern) for case in node.cases))
    note_sharing(frame, node.subject, subject, names)
    _cases(frame, subject, node.cases)


def _cases(frame: Frame, subject: Value, cases: Sequence[ast.match_case]) -> None:
    if not cases:
        return
    case = cases[0]
    with frame.at(case.pattern):
        test = _fits(frame, subject, case.pattern)
    if isinstance(test, Static) and not test.value:
        _cases(frame, subject, cases[1:])
        return

    def guard() -> Value:
        _bind(frame, subject, case.pattern)
        assert case.guard is not None, "asked only where there is one"
        return condition(frame, case.guard)

    def run() -> None:
        if case.guard is not None and frame.assigned is not None:
            frame.assigned |= _names(case.pattern)
        _bind(frame, subject, case.pattern, again=case.guard is not None)
        frame.run(case.body)

    def rest() -> None:
        _cases(frame, subject, cases[1:])

    if case.guard is not None:
        test = short_circuit(frame, case.guard, test, True, guard)
    if isinstance(test, Static):
        run() if test.value else rest()
        return
    branch(frame, test, run, rest)


def _fits(frame: Frame, subject: Value, pattern: ast.pattern) -> Value:
    """Whether a pattern fits."""
    if isinstance(pattern, ast.MatchValue):
        return compare_one(frame, pattern, ast.Eq(), subject, frame.eval(pattern.value))
    if isinstance(pattern, ast.MatchSingleton):
        if pattern.value is None:
            return Static(isinstance(subject, Static) and subject.value is None)
        return compare_one(frame, pattern, ast.Eq(), subject, Static(pattern.value))
    if isinstance(pattern, ast.MatchOr):
        result: Value = Static(False)
        for part in pattern.patterns:
            test = _fits(frame, subject, part)
            result = short_circuit(frame, part, result, False, lambda test=test: test)
        return result
    if isinstance(pattern, ast.MatchAs):
        return Static(True) if pattern.pattern is None else _fits(frame, subject, pattern.pattern)
    if isinstance(pattern, ast.MatchSequence):
        return _fits_sequence(frame, subject, pattern)
    raise frame.refuse(
        pattern,
        "this pattern is not in the language",
        hint="match constants, enum members, tuples, `a | b`, names and `_`",
    )


def _fits_sequence(frame: Frame, subject: Value, pattern: ast.MatchSequence) -> Value:
    items = unpacked(subject)
    if items is None:
        raise frame.refuse(pattern, f"a sequence pattern needs a tuple, got {describe(subject)}")
    if any(isinstance(part, ast.MatchStar) for part in pattern.patterns):
        raise frame.refuse(pattern, "a starred pattern is not in the language")
    if len(items) != len(pattern.patterns):
        return Static(False)
    result: Value = Static(True)
    for item, part in zip(items, pattern.patterns, strict=True):
        test = _fits(frame, item, part)
        result = short_circuit(frame, part, result, True, lambda test=test: test)
    return result


def _bind(frame: Frame, subject: Value, pattern: ast.pattern, *, again: bool = False) -> None:
    """Give the names of a pattern that fits their values.

    Behind a guard `again`, where the guard's block is not around; cells have them, or what the
    guard made of them.
    """
    if isinstance(pattern, ast.MatchAs):
        if pattern.pattern is not None:
            _bind(frame, subject, pattern.pattern, again=again)
        if pattern.name is not None and not (again and _is_there(frame, pattern.name)):
            assign(frame, pattern.name, subject, pattern)
    elif isinstance(pattern, ast.MatchSequence):
        items = unpacked(subject)
        assert items is not None, "the pattern fits"
        for item, part in zip(items, pattern.patterns, strict=True):
            _bind(frame, item, part, again=again)


def _is_there(frame: Frame, name: str) -> bool:
    variable = frame.variable(name)
    return variable.in_cell or variable.region in frame.regions


def _names(pattern: ast.pattern) -> set[str]:
    """The names that a pattern gives values."""
    found = (node.name for node in ast.walk(pattern) if isinstance(node, ast.MatchAs))
    return {name for name in found if name is not None}
