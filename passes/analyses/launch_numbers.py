"""Sums of what a launch knows: sizes, scalars and extents, blocks of its grid, threads of a block.

    64 * grid.x + 31 * ((x.shape[0] - 1) // 32) + 5

The numbers of `gpux.sizes`: a launch evaluates them before it starts (`runtime/facts.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Term(NamedTuple):
    """`(number + added) // divisor`; the number is that of a parameter (its scalar, or the size of
    an axis of its array) or, below zero, of the grid or the block along an axis."""

    parameter: int
    axis: int
    added: int = 0
    divisor: int = 1

    @property
    def is_shape(self) -> bool:
        """Whether it is of the grid or the block."""
        return self.parameter < 0


@dataclass(frozen=True)
class LaunchNumber:
    """`number` and a sum of terms, each times its factor, which is not 0."""

    number: int = 0
    terms: tuple[tuple[Term, int], ...] = ()  # in order
    exact: bool = True  # that very number, and not just no less

    def plus(self, other: LaunchNumber, factor: int = 1) -> LaunchNumber:
        """`self + factor * other`."""
        factors = dict(self.terms)
        for term, count in other.terms:
            factors[term] = factors.get(term, 0) + factor * count
        terms = tuple(sorted((term, count) for term, count in factors.items() if count))
        exact = self.exact and other.exact
        return LaunchNumber(self.number + factor * other.number, terms, exact)

    def shifted(self, number: int) -> LaunchNumber:
        """`self + number`."""
        return LaunchNumber(self.number + number, self.terms, self.exact)

    def times(self, factor: int) -> LaunchNumber:
        """`factor * self`."""
        return NOTHING.plus(self, factor)

    def divided(self, divisor: int) -> LaunchNumber | None:
        """`self // divisor` for a positive one, where that is such a sum too."""
        whole = LaunchNumber(exact=self.exact)
        rest = LaunchNumber(self.number, exact=self.exact)
        for term, count in self.terms:
            one = LaunchNumber(0, ((term, count if count % divisor else count // divisor),))
            if count % divisor:
                rest = rest.plus(one)
            else:
                whole = whole.plus(one)
        if not rest.terms:
            return whole.shifted(rest.number // divisor)
        (term, count), *others = rest.terms
        if others or count != 1:
            return None
        # (v + a) // m + n, divided by d, is (v + a + n * m) // (m * d).
        added = term.added + rest.number * term.divisor
        inside = Term(term.parameter, term.axis, added, term.divisor * divisor)
        return whole.plus(LaunchNumber(0, ((inside, 1),)))

    def is_never_above_zero(self) -> bool:
        """Whether it is at most 0 in every launch, by its form: `m * ((v - 1) // m) - v`."""
        factors = dict(self.terms)
        most = self.number
        for term, count in self.terms:
            plain = Term(term.parameter, term.axis)
            if term.divisor > 1 and count > 0 and count % term.divisor == 0:
                # at most (v + a) * count / m
                factors[plain] = factors.get(plain, 0) + count // term.divisor
                most += term.added * (count // term.divisor)
                del factors[term]
        return most <= 0 and not any(factors.values())

    def slack(self) -> int:
        """What is asked above the sum of the terms with positive factors, taken without `//`."""
        return self.number + sum(
            term.added * count // term.divisor for term, count in self.terms if count > 0
        )


NOTHING = LaunchNumber()


def best_of(numbers: Iterable[LaunchNumber], most: int) -> list[LaunchNumber]:
    """Those that no other is never above: first those without shapes, and of few terms."""
    found: list[LaunchNumber] = []
    for one in numbers:
        if not any(_is_below(other, one) for other in found):
            found = [other for other in found if not _is_below(one, other)]
            found.append(one)
    return sorted(found, key=_preference)[:most]


def _is_below(one: LaunchNumber, other: LaunchNumber) -> bool:
    """Whether it is no greater, and differs only in what is added."""
    return (
        len(one.terms) == len(other.terms)
        and one.number <= other.number
        and (one.exact or not other.exact)
        and all(
            count == other_count
            and term._replace(added=0) == other_term._replace(added=0)
            and (term.added - other_term.added) * count <= 0
            for (term, count), (other_term, other_count) in zip(one.terms, other.terms, strict=True)
        )
    )


def _preference(one: LaunchNumber) -> tuple[bool, bool, int]:
    shapes = any(term.is_shape for term, _ in one.terms)
    return shapes, not one.terms, len(one.terms)
