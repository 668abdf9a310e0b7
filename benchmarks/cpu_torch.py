"""PyTorch's contenders of `cpu.py`: eager operations on tensors that share NumPy's memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from cpu_tasks import BINS, A

Prepared = tuple[Callable[[], Any], Any]
torch.set_grad_enabled(False)
half = float(A)


def _saxpy(given: dict[str, Any]) -> Prepared:
    x, y = torch.from_numpy(given["x"]), torch.from_numpy(given["y"])
    return lambda: y.add_(x, alpha=half), given["y"]


def _of(function: Callable[..., Any], *names: str) -> Callable[[dict[str, Any]], Prepared]:
    """An operation on tensors that gives a new one."""

    def prepare(given: dict[str, Any]) -> Prepared:
        tensors = [torch.from_numpy(given[name]) for name in names]
        kept: list[Any] = [None]

        def run() -> None:
            kept[0] = function(*tensors)

        return run, lambda: kept[0].numpy()

    return prepare


def _normal(x: Any) -> Any:
    k = 1 / (1 + 0.2316419 * x.abs())
    sums = 1.330274429 * k - 1.821255978
    for c in (1.781477937, -0.356563782, 0.319381530):
        sums = sums * k + c
    tail = torch.exp(-x * x * 0.5) * 0.3989422804014327 * sums * k
    return torch.where(x < 0, tail, 1 - tail)


def _black_scholes(s: Any, k: Any, t: Any) -> Any:
    root = 0.3 * t.sqrt()
    d1 = ((s / k).log() + 0.065 * t) / root
    return s * _normal(d1) - k * torch.exp(-0.02 * t) * _normal(d1 - root)


def _convolution(given: dict[str, Any]) -> Prepared:
    x, w = (torch.from_numpy(given[name])[None, None] for name in ("x", "w"))
    out = torch.zeros_like(x)

    def run() -> None:
        out[:, :, 1:-1, 1:-1] = torch.nn.functional.conv2d(x, w)

    return run, lambda: out[0, 0].numpy()


def _stencil(given: dict[str, Any]) -> Prepared:
    x = torch.from_numpy(given["x"])
    out = torch.zeros_like(x)

    def run() -> None:
        inner = out[1:-1, 1:-1]
        torch.add(x[:-2, 1:-1], x[2:, 1:-1], out=inner)
        inner += x[1:-1, :-2]
        inner += x[1:-1, 2:]
        inner *= 0.125
        inner.add_(x[1:-1, 1:-1], alpha=0.5)

    return run, lambda: out.numpy()


PREPARE = {
    "saxpy": _saxpy,
    "exp": _of(torch.exp, "x"),
    "stencil": _stencil,
    "softmax": _of(lambda x: torch.softmax(x, 1), "x"),
    "layernorm": _of(lambda x: torch.layer_norm(x, x.shape[1:]), "x"),
    "sum": _of(lambda x: x.sum(0, keepdim=True), "x"),
    "scan": _of(lambda x: x.cumsum(0), "x"),
    "histogram": _of(lambda x: torch.bincount(x, minlength=BINS), "x"),
    "transpose": _of(lambda x: x.t().contiguous(), "x"),
    "black-scholes": _of(_black_scholes, "price", "strike", "years"),
    "convolution": _convolution,
    "matmul": _of(torch.matmul, "a", "b"),
    "batched matmul": _of(torch.bmm, "a", "b"),
}
