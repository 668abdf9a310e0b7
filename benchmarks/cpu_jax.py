"""JAX's contenders of `cpu.py`: jitted functions of arrays that are on its CPU device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from cpu_tasks import BINS, STEPS, A

Prepared = tuple[Callable[[], Any], Any]
half = jnp.float32(A)


def _of(function: Callable[..., Any], *names: str) -> Callable[[dict[str, Any]], Prepared]:
    made = jax.jit(function)

    def prepare(given: dict[str, Any]) -> Prepared:
        arrays = [jnp.asarray(given[name]) for name in names]
        kept: list[Any] = [None]

        def run() -> None:
            kept[0] = made(*arrays).block_until_ready()

        return run, lambda: np.asarray(kept[0])

    return prepare


def _stencil(x: Any) -> Any:
    around = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:]
    return jnp.zeros_like(x).at[1:-1, 1:-1].set(0.5 * x[1:-1, 1:-1] + 0.125 * around)


def _layernorm(x: Any) -> Any:
    mean, variance = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    return (x - mean) / jnp.sqrt(variance + 1e-5)


def _fractal(given: dict[str, Any]) -> Prepared:
    size, pixel = given["size"], given["pixel"]

    @jax.jit
    def made() -> Any:
        side = jnp.arange(size, dtype=jnp.float32) * pixel
        cx, cy = jnp.broadcast_to(-2.2 + side, (size, size)), (-1.5 + side)[:, None]
        cy = jnp.broadcast_to(cy, (size, size))

        def step(_: Any, state: Any) -> Any:
            x, y, count = state
            inside = x * x + y * y <= 4
            further = x * x - y * y + cx, 2 * x * y + cy
            x, y = (jnp.where(inside, new, old) for new, old in zip(further, (x, y), strict=True))
            return x, y, count + inside

        return jax.lax.fori_loop(0, STEPS, step, (cx, cy, jnp.zeros((size, size), jnp.int32)))[2]

    kept: list[Any] = [None]

    def run() -> None:
        kept[0] = made().block_until_ready()

    return run, lambda: np.asarray(kept[0])


def _normal(x: Any) -> Any:
    k = 1 / (1 + 0.2316419 * jnp.abs(x))
    sums = 1.330274429 * k - 1.821255978
    for c in (1.781477937, -0.356563782, 0.319381530):
        sums = sums * k + c
    tail = jnp.exp(-x * x * 0.5) * 0.3989422804014327 * sums * k
    return jnp.where(x < 0, tail, 1 - tail)


def _black_scholes(s: Any, k: Any, t: Any) -> Any:
    root = 0.3 * jnp.sqrt(t)
    d1 = (jnp.log(s / k) + 0.065 * t) / root
    return s * _normal(d1) - k * jnp.exp(-0.02 * t) * _normal(d1 - root)


def _convolution(x: Any, w: Any) -> Any:
    inner = jax.lax.conv(x[None, None], w[None, None], (1, 1), "VALID")[0, 0]
    return jnp.zeros_like(x).at[1:-1, 1:-1].set(inner)


PREPARE = {
    "saxpy": _of(lambda x, y: half * x + y, "x", "y"),
    "exp": _of(jnp.exp, "x"),
    "stencil": _of(_stencil, "x"),
    "softmax": _of(lambda x: jax.nn.softmax(x, 1), "x"),
    "layernorm": _of(_layernorm, "x"),
    "sum": _of(lambda x: x.sum(keepdims=True), "x"),
    "scan": _of(jnp.cumsum, "x"),
    "histogram": _of(lambda x: jnp.bincount(x, length=BINS), "x"),
    "transpose": _of(lambda x: x.T + jnp.float32(0), "x"),
    "fractal": _fractal,
    "black-scholes": _of(_black_scholes, "price", "strike", "years"),
    "convolution": _of(_convolution, "x", "w"),
    "matmul": _of(jnp.matmul, "a", "b"),
    "batched matmul": _of(jnp.matmul, "a", "b"),
}
