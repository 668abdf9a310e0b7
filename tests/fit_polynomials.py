"""Writes lowering/math/coefficients.py: near-minimax polynomials of the math functions.

    python tests/fit_polynomials.py > lowering/math/coefficients.py

Each is a Chebyshev interpolation in 60 digits; `terms` are for f32 and f64. Where an error has a
weight, it is a least-squares fit at Chebyshev's points.
"""

# pyright: basic, reportAttributeAccessIssue=false, reportCallIssue=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpmath import mp

SMALL = "1e-12"


def near_zero(function: Callable[[Any], Any], term: Callable[[int], Any]) -> Callable[[Any], Any]:
    """The function, by its series where the difference of equal numbers would be left."""

    def value(z: Any) -> Any:
        if abs(z) < mp.mpf(SMALL):
            return sum(term(k) * z**k for k in range(6))
        return function(z)

    return value


def root(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function of the square root of its argument."""
    return lambda z: function(mp.sqrt(z))


def log_erfc(middle: Any) -> Callable[[Any], Any]:
    """log(erfc(x)) + x**2 in x - middle."""
    return lambda u: mp.log(mp.erfc(u + middle)) + (u + middle) ** 2


# For each polynomial: meaning, function, range, terms for f32 and f64.
Fits = dict[str, tuple[str, Callable[[Any], Any], Any, Any, int, int]]


def exponentials() -> Fits:
    """Of e and 2 to a power."""
    half_ln2 = mp.log(2) / 2
    exp2_tail = near_zero(
        lambda r: (mp.power(2, r) - 1 - r * mp.log(2)) / r**2,
        lambda k: mp.log(2) ** (k + 2) / mp.factorial(k + 2),
    )
    return {
        "EXP": (
            "(exp(r) - 1 - r) / r**2, |r| <= ln(2) / 2",
            near_zero(lambda r: (mp.expm1(r) - r) / r**2, lambda k: 1 / mp.factorial(k + 2)),
            *(-half_ln2, half_ln2, 5, 11),
        ),
        "EXP_WIDE": (
            "(exp(r) - 1 - r) / r**2, |r| <= ln(2), weighted by r**2 / exp(r)",
            near_zero(lambda r: (mp.expm1(r) - r) / r**2, lambda k: 1 / mp.factorial(k + 2)),
            *(-2 * half_ln2, 2 * half_ln2, 6, 12),
        ),
        "EXP_FAST": (
            "(exp(r) - 1 - r) / r**2, |r| <= ln(2) / 2, weighted by r**2 / exp(r)",
            near_zero(lambda r: (mp.expm1(r) - r) / r**2, lambda k: 1 / mp.factorial(k + 2)),
            *(-half_ln2, half_ln2, 4, 9),
        ),
        "EXP2_WIDE": (
            "(2**r - 1 - r ln(2)) / r**2, |r| <= 1, weighted by r**2 / 2**r",
            *(exp2_tail, mp.mpf(-1), mp.mpf(1), 6, 12),
        ),
        "EXP2_FAST": (
            "(2**r - 1 - r ln(2)) / r**2, |r| <= 1 / 2, weighted by r**2 / 2**r",
            *(exp2_tail, mp.mpf("-0.5"), mp.mpf("0.5"), 4, 9),
        ),
    }


def logarithms() -> Fits:
    """Of logarithms, and of tanh."""
    small = mp.mpf("0.02944")
    log_tail = near_zero(
        lambda f: (mp.log(1 + f) - f + f**2 / 2) / f**3, lambda k: (-1) ** k / mp.mpf(k + 3)
    )
    return {
        "LOG_FAST": (
            "(log(1 + f) - f + f**2 / 2) / f**3, sqrt(1/2) <= 1 + f <= sqrt(2)",
            log_tail,
            *(mp.sqrt(0.5) - 1, mp.sqrt(2) - 1, 7, 0),
        ),
        "LOG_WIDE": (
            "(log(1 + f) - f + f**2 / 2) / f**3, sqrt(1/2) <= 1 + f <= sqrt(2)",
            log_tail,
            *(mp.sqrt(0.5) - 1, mp.sqrt(2) - 1, 9, 0),
        ),
        "TANH_FAST": (
            "(tanh(x) / x - 1) / x**2 in x**2, 0 <= x <= 0.6",
            near_zero(
                root(lambda x: (mp.tanh(x) / x - 1) / x**2),
                lambda k: (-mp.mpf(1) / 3, mp.mpf(2) / 15, -mp.mpf(17) / 315, 0, 0, 0)[k],
            ),
            *(0, mp.mpf("0.36"), 5, 11),
        ),
        "LOG": (
            "(2 * atanh(s) / s - 2) / z, z = s**2, 0 <= z <= 0.02944",
            near_zero(
                root(lambda s: (2 * mp.atanh(s) / s - 2) / s**2), lambda k: mp.mpf(2) / (2 * k + 3)
            ),
            *(0, small, 4, 7),
        ),
        "LOG_TAIL": (
            "(2 * atanh(s) / s - 2 - 2 / 3 * z) / z**2, 0 <= z <= 0.02944",
            near_zero(
                root(lambda s: (2 * mp.atanh(s) / s - 2 - 2 * s**2 / 3) / s**4),
                lambda k: mp.mpf(2) / (2 * k + 5),
            ),
            *(0, small, 4, 8),
        ),
    }


def circular() -> Fits:
    """Of sine, cosine and their inverses."""
    quarter = mp.pi / 4
    return {
        "SIN": (
            "(sin(r) - r) / r**3 in r**2, |r| <= pi / 4",
            near_zero(
                root(lambda r: (mp.sin(r) - r) / r**3),
                lambda k: mp.mpf((-1) ** (k + 1)) / mp.factorial(2 * k + 3),
            ),
            *(0, quarter**2, 4, 7),
        ),
        "COS": (
            "(cos(r) - 1 + r**2 / 2) / r**4 in r**2, |r| <= pi / 4",
            near_zero(
                root(lambda r: (mp.cos(r) - 1 + r**2 / 2) / r**4),
                lambda k: mp.mpf((-1) ** k) / mp.factorial(2 * k + 4),
            ),
            *(0, quarter**2, 4, 7),
        ),
        "ASIN": (
            "(asin(s) / s - 1) / z, z = s**2, 0 <= z <= 0.25",
            near_zero(
                root(lambda s: (mp.asin(s) / s - 1) / s**2),
                lambda k: mp.binomial(2 * k + 2, k + 1) / mp.mpf(4) ** (k + 1) / (2 * k + 3),
            ),
            *(0, mp.mpf("0.25"), 6, 14),
        ),
        "ATAN": (
            "(atan(t) / t - 1) / z, z = t**2, 0 <= t <= tan(pi / 8)",
            near_zero(
                root(lambda t: (mp.atan(t) / t - 1) / t**2),
                lambda k: mp.mpf((-1) ** (k + 1)) / (2 * k + 3),
            ),
            *(0, mp.tan(mp.pi / 8) ** 2 * mp.mpf("1.0001"), 5, 13),
        ),
    }


def error_functions() -> Fits:
    """Of erf near zero, and of the logarithm of erfc elsewhere."""
    return {
        "ERF": (
            "erf(x) / x in x**2, 0 <= x <= 1",
            near_zero(
                root(lambda x: mp.erf(x) / x),
                lambda k: 2 / mp.sqrt(mp.pi) * (-1) ** k / mp.factorial(k) / (2 * k + 1),
            ),
            *(0, 1, 8, 14),
        ),
        "ERFC_1": (
            "log(erfc(x)) + x**2 in x - 1.5, 1 <= x <= 2",
            *(log_erfc(mp.mpf("1.5")), mp.mpf("-0.5"), mp.mpf("0.5"), 6, 15),
        ),
        "ERFC_2": (
            "log(erfc(x)) + x**2 in x - 3, 2 <= x <= 4",
            *(log_erfc(mp.mpf(3)), -1, 1, 7, 15),
        ),
        "ERFC_4": (
            "log(erfc(x)) + x**2 in x - 5, 4 <= x <= 6",
            *(log_erfc(mp.mpf(5)), -1, 1, 3, 9),
        ),
    }


def fits() -> Fits:
    """All polynomials, in the order of the file."""
    return {**exponentials(), **logarithms(), **circular(), **error_functions()}


WEIGHTS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("EXP_WIDE", "EXP_FAST"), lambda r: r**2 / mp.exp(r)),
    **dict.fromkeys(("EXP2_WIDE", "EXP2_FAST"), lambda r: r**2 / mp.power(2, r)),
}


def weighted_fit(
    function: Callable[[Any], Any], weight: Callable[[Any], Any], low: Any, high: Any, terms: int
) -> tuple[list[Any], Any]:
    """Coefficients, highest power first, and the greatest weighted error."""
    count = 32 * terms
    middle, reach = (low + high) / 2, (high - low) / 2
    places = [middle + reach * mp.cos(mp.pi * (2 * k + 1) / (2 * count)) for k in range(count)]
    rows = mp.matrix([[weight(x) * x**power for power in range(terms)] for x in places])
    wanted = mp.matrix([weight(x) * function(x) for x in places])
    found = list(mp.lu_solve(rows, wanted))[::-1]
    error = max(abs(weight(x) * (function(x) - mp.polyval(found, x))) for x in places)
    return found, error


def main() -> None:
    """Prints the file."""
    mp.dps = 60
    print(
        '"""Polynomials of the math functions, from tests/fit_polynomials.py; lowest power first.\n'
    )
    print('`NAME[0]` is for f32, `NAME[1]` for f64.\n"""\n')
    print("from __future__ import annotations\n")
    print("Polynomials = tuple[tuple[float, ...], tuple[float, ...]]\n")
    for name, (meaning, function, low, high, single, double) in fits().items():
        print(f"{name}: Polynomials = (")
        for terms in (single, double):
            if not terms:
                print("    (),")
                continue
            if name in WEIGHTS:
                coefficients, error = weighted_fit(function, WEIGHTS[name], low, high, terms)
            else:
                coefficients, error = mp.chebyfit(function, [low, high], terms, error=True)
            print(f"    (  # error 2**{float(mp.log(error, 2)):.1f}")
            for number in coefficients[::-1]:
                print(f"        {float(number)!r},")
            print("    ),")
        print(f')\n"""{meaning}."""\n')


if __name__ == "__main__":
    main()
