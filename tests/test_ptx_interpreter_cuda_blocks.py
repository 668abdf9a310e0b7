"""The PTX interpreter on what nvcc makes of our CUDA C kernels, against NumPy: threads together."""

from __future__ import annotations

import numpy as np
import pytest
from oracles import nvcc

LEVELS = pytest.mark.parametrize("level", ["O3", "O0"])
# With the warps in reverse order a missing barrier would show.
ORDERS = pytest.mark.parametrize("backwards", [False, True])


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


@LEVELS
@ORDERS
def test_reduction(level: str, backwards: bool) -> None:
    x, out = np.arange(1000, dtype=np.float32), np.zeros(1, np.float32)
    module = nvcc.load("blocks", level)
    module.launch("reduce", (1,), (128,), [x, out, np.int32(1000)], backwards=backwards)
    assert out[0] == 499500


@LEVELS
@ORDERS
def test_transpose(level: str, backwards: bool, random: np.random.Generator) -> None:
    x = random.standard_normal((20, 35)).astype(np.float32)
    y = np.zeros((35, 20), np.float32)
    args = [x, y, np.int32(20), np.int32(35)]
    nvcc.load("blocks", level).launch("transpose", (3, 2), (16, 16), args, backwards=backwards)
    assert (y == x.T).all()


@LEVELS
def test_dynamic_shared_memory(level: str) -> None:
    x = np.arange(96, dtype=np.int32)
    nvcc.load("blocks", level).launch("reverse", (1,), (96,), [x], shared_bytes=96 * 4)
    assert (x == np.arange(96)[::-1]).all()


@LEVELS
@ORDERS
def test_histogram_with_shared_atomics(
    level: str, backwards: bool, random: np.random.Generator
) -> None:
    x = random.integers(0, 256, 300, np.uint8)
    counts = np.zeros(64, np.uint32)
    args = [x, counts, np.int32(300)]
    nvcc.load("blocks", level).launch("histogram", (2,), (64,), args, backwards=backwards)
    assert (counts == np.bincount(x & 63, minlength=64)).all()


@LEVELS
@ORDERS
def test_scan(level: str, backwards: bool, random: np.random.Generator) -> None:
    x = random.integers(-9, 9, 128, np.int32)
    expected = np.cumsum(x)
    nvcc.load("blocks", level).launch("scan", (1,), (128,), [x], backwards=backwards)
    assert (x == expected).all()


@LEVELS
def test_tiled_matmul(level: str, random: np.random.Generator) -> None:
    a, b = random.integers(-4, 5, (2, 16, 16)).astype(np.float32)
    c = np.zeros((16, 16), np.float32)
    args = [a, b, c, np.int32(16)]
    nvcc.load("blocks", level).launch("matmul", (2, 2), (8, 8), args)
    assert (c == a @ b).all()


@LEVELS
@ORDERS
def test_bitonic_sort(level: str, backwards: bool, random: np.random.Generator) -> None:
    x = random.integers(0, 1000, 64, np.int32)
    expected = np.sort(x)
    nvcc.load("blocks", level).launch("bitonic", (1,), (64,), [x], backwards=backwards)
    assert (x == expected).all()


@LEVELS
def test_barriers_with_reductions(level: str) -> None:
    x, out = np.arange(-10, 54, dtype=np.int32), np.zeros(3, np.int32)
    nvcc.load("blocks", level).launch("block_votes", (1,), (64,), [x, out])
    assert out.tolist() == [53, 0, 1]


@LEVELS
def test_asynchronous_copies(level: str) -> None:
    x, y = np.arange(512, dtype=np.int32).reshape(128, 4), np.zeros(64, np.int32)
    nvcc.load("blocks", level).launch("copy_async", (1,), (64,), [x, y])
    assert (y == x[63::-1, 0] + 10 * x[:63:-1, 3]).all()


@LEVELS
@ORDERS
def test_named_barrier_of_two_warps(level: str, backwards: bool) -> None:
    x, y = np.arange(32, dtype=np.int32), np.zeros(32, np.int32)
    module = nvcc.load("blocks", level)
    module.launch("producer_consumer", (1,), (64,), [x, y], backwards=backwards)
    assert (y == 3 * x[::-1]).all()


@LEVELS
def test_atomics(level: str) -> None:
    a = np.array([0, 0, -1, 0, 0, 0, 5, 1, 0], np.int32)
    f, d = np.zeros(2, np.float32), np.zeros(1)
    wide, seen = np.array([0, -1000], np.int64), np.zeros(64, np.uint32)
    nvcc.load("blocks", level).launch("atomics", (1,), (64,), [a, f, d, wide, seen])
    assert f.tolist() == [16, 16]
    assert d[0] == 16
    assert a[:5].tolist() == [-7, 63, -1 << 16, -1, 0]
    assert a[5] == 64 % 11
    assert sorted(seen.tolist()) == sorted([i % 11 for i in range(64)])
    down = 5
    up = 1
    for _ in range(64):
        down = 10 if down == 0 else down - 1
        up = up * 3 + 1
    assert a[6] == down
    assert a[7].view(np.uint32) == up % 2**32
    assert a[8] == 42
    assert wide.tolist() == [64 << 33, -37]


@LEVELS
def test_shuffles(level: str) -> None:
    x = np.arange(64, dtype=np.int32)
    nvcc.load("warps", level).launch("warp_scan", (1,), (64,), [x])
    assert (x == np.cumsum(np.arange(64).reshape(2, 32), axis=1).reshape(-1)).all()


@LEVELS
def test_votes_matches_and_reductions(level: str) -> None:
    x, out = np.arange(32, dtype=np.int32) % 10, np.zeros((32, 8), np.uint32)
    nvcc.load("warps", level).launch("votes", (1,), (32,), [x, out])
    lane = np.arange(32)
    assert (out[:, 0] == sum(1 << i for i in range(32) if x[i] > 3)).all()
    assert (out[:, 1] == 3).all()
    assert out[:, 2].tolist() == [sum(1 << j for j in range(32) if x[j] == v) for v in x]
    assert (out[:, 3] == 0).all()
    assert (out[:, 4] == x.sum()).all()
    assert (out[:, 5] == 9).all()
    assert (out[:, 6] == x[lane // 8 * 8 + (lane + 5) % 8]).all()
    third = int(np.bitwise_xor.reduce(x[::3]))
    assert (out[:, 7] == np.where(lane % 3 == 0, 0x49249249 + third, 0)).all()


def _collatz(v: int) -> int:
    steps = 0
    while v != 1 and steps <= 200:
        v, steps = (3 * v + 1 if v % 2 else v // 2), steps + 1
    return steps


@LEVELS
def test_divergent_loops(level: str) -> None:
    x, y = np.arange(1, 41, dtype=np.int32), np.zeros(40, np.int32)
    nvcc.load("warps", level).launch("collatz", (2,), (32,), [x, y, np.int32(40)])
    assert y.tolist() == [_collatz(v) for v in x.tolist()]


@LEVELS
def test_recursive_calls(level: str) -> None:
    y = np.zeros(32, np.int32)
    nvcc.load("warps", level).launch("recursion", (1,), (32,), [y])
    assert y.tolist() == [[0, 1, 1, 2, 3, 5, 8][i % 7] for i in range(32)]


@LEVELS
def test_calls_through_pointers(level: str) -> None:
    x, y = np.arange(32, dtype=np.int32), np.zeros(32, np.int32)
    nvcc.load("warps", level).launch("pointers", (1,), (32,), [x, y])
    assert y.tolist() == [[2 * v, v * v, -v][v % 3] for v in range(32)]


@LEVELS
def test_arguments_by_value(level: str) -> None:
    x, y = np.arange(0, 60, 10, dtype=np.int32), np.zeros((8, 6), np.int32)
    nvcc.load("warps", level).launch("by_value", (1,), (8,), [x, y])
    assert y.tolist() == [[10 * ((i + t) % 6) + t for i in range(6)] for t in range(8)]


@LEVELS
def test_switch(level: str) -> None:
    x, y = np.arange(32, dtype=np.int32) % 10, np.zeros(64, np.int32)
    y[:2] = [1000, 2000]
    nvcc.load("warps", level).launch("switches", (1,), (32,), [x, y])
    cases = [7, 1999, 7 ^ 0x55, 3 ^ 0x55, -4, 80, 1000, 2, 99, 99]
    assert y[32:].tolist() == [cases[v] for v in x]


@LEVELS
def test_spin_lock_within_a_warp(level: str) -> None:
    lock, value = np.zeros(1, np.int32), np.zeros(1, np.int32)
    nvcc.load("warps", level).launch("spin_lock", (1,), (8,), [lock, value])
    assert value[0] == 28


@LEVELS
def test_printf(level: str) -> None:
    module = nvcc.load("warps", level)
    module.launch("prints", (1,), (32,), [np.float64(3.14159)])
    assert module.printed == [f"thread {i}:  3.14 text 1099511627776%\n" for i in range(2)]


@LEVELS
def test_wmma_of_f16(level: str, random: np.random.Generator) -> None:
    a, b = random.integers(-4, 5, (2, 16, 32)).astype(np.float16)
    c = np.zeros((16, 16), np.float32)
    nvcc.load("narrow", level).launch("wmma_half", (1,), (32,), [a, b, c])
    assert (c == 2 * (a.astype(np.float32) @ b.astype(np.float32).T + 1)).all()


@LEVELS
def test_wmma_of_bytes(level: str, random: np.random.Generator) -> None:
    a, b = random.integers(-128, 128, (2, 16, 16), np.int8)
    c = np.zeros((16, 16), np.int32)
    nvcc.load("narrow", level).launch("wmma_bytes", (1,), (32,), [a, b, c])
    assert (c == (a.astype(np.int32) @ b.astype(np.int32)).T).all()


@LEVELS
def test_ldmatrix_and_mma_of_f16(level: str, random: np.random.Generator) -> None:
    a, b = (random.integers(-4, 5, (16, k)).astype(np.float16) for k in (16, 8))
    d = np.zeros((16, 8), np.float32)
    nvcc.load("narrow", level).launch("mma_half", (1,), (32,), [a, b, d])
    assert (d == a.astype(np.float32) @ b.astype(np.float32)).all()


@LEVELS
def test_mma_of_f64_and_bytes(level: str, random: np.random.Generator) -> None:
    a, b = random.integers(-4, 5, (2, 32)).astype(np.float64)
    a, b = a.reshape(8, 4), b.reshape(4, 8)
    d, h = np.zeros((8, 8)), np.zeros((16, 8), np.int32)
    e, f = random.integers(-128, 128, (16, 32), np.int8), random.integers(0, 256, (8, 32), np.uint8)
    nvcc.load("narrow", level).launch("mma_others", (1,), (32,), [a, b, d, e, f, h])
    assert (d == a @ b).all()
    assert (h == e.astype(np.int32) @ f.astype(np.int32).T + 1).all()


@LEVELS
def test_mma_of_tf32(level: str, random: np.random.Generator) -> None:
    a, b = random.integers(-9, 9, (16, 8)).astype(np.float32), np.eye(8, dtype=np.float32) * 3
    d = np.zeros((16, 8), np.float32)
    a[0, 0] = 1 + 2**-11 + 2**-20
    nvcc.load("narrow", level).launch("mma_tf32", (1,), (32,), [a, b, d])
    a[0, 0] = 1 + 2**-10
    assert (d == a @ b).all()
