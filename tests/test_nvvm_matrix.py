"""Every shape and type of wgmma, wmma and mma.sync goes through LLVM and ptxas."""

# pyright: basic

from __future__ import annotations

import pytest

from stepwell.dialects.nvvm.matrix import FRAGMENTS
from stepwell.dialects.nvvm.wgmma import KINDS
from stepwell.dialects.nvvm.wmma import SUMS, TILES
from stepwell.lowering.emit.ptx import assemble_cubin, assemble_ptx, emit, find_tool
from stepwell.lowering.parse import parse_module
from stepwell.lowering.verify import verify


def assembled(text: str, arch: str) -> str:
    """The PTX of a function, which ptxas has taken."""
    module = parse_module(text, "<test>")
    verify(module)
    ptx = assemble_ptx(emit(module, arch), arch).ptx
    if find_tool("ptxas") is None:
        pytest.skip("ptxas is not installed")
    assert assemble_cubin(ptx, arch)[0]
    return ptx


def struct(kinds: list[str]) -> str:
    return kinds[0] if len(kinds) == 1 else f"!llvm.struct<({', '.join(kinds)})>"


WGMMA = [
    *((kind, kind, sums, n) for kind in KINDS for sums in KINDS[kind].sums for n in (8, 24, 256)),
    *(("e4m3", "e5m2", "f32", 64), ("e5m2", "e4m3", "f16", 64), ("s8", "u8", "s32", 64)),
]


@pytest.mark.parametrize(("a", "b", "sums", "n"), WGMMA)
def test_wgmma(a: str, b: str, sums: str, n: int):
    kind = KINDS[a]
    types = struct(["f32" if sums == "f32" else "i32"] * (n // 4 if sums == "f16" else n // 2))
    ptx = assembled(
        f"""llvm.func @f(%a: i64, %b: i64, %c: {types}) -> {types} {{
  %r = nvvm.wgmma.mma_async %a, %b, %c, <m = 64, n = {n}, k = {kind.k}>, D[<{sums}>, <one>],
    A[<{a}>, <one>, <row>], B[<{b}>, <one>, <col>] : {types} -> {types}
  llvm.return %r : {types}
}}""",
        "sm_90a",
    )
    assert f"wgmma.mma_async.sync.aligned.m64n{n}k{kind.k}.{sums}.{a}.{b} " in ptx


@pytest.mark.parametrize("space", [0, 1, 3])
@pytest.mark.parametrize(("shape", "kind"), TILES)
def test_wmma(shape: tuple[int, int, int], kind: str, space: int):
    row = TILES[shape, kind]
    (m, n, k), register = shape, str(row.register)
    where = f"m = {m} : i32, n = {n} : i32, k = {k} : i32"
    lines = [f"llvm.func @f(%p: !llvm.ptr<{space}>, %s: i32) {{"]
    lines[0] = lines[0].replace("<0>", "")
    pointer = f"!llvm.ptr<{space}>".replace("<0>", "")

    def load(name: str, count: int, of: str, register: str) -> list[str]:
        types = struct([register] * count)
        lines.append(
            f"%{name} = nvvm.wmma.load %p, %s {{eltype = #nvvm.mma_type<{of}>, "
            f"frag = #nvvm.mma_frag<{name[0]}>, layout = #nvvm.mma_layout<col>, {where}}} : "
            f"({pointer}) -> {types}"
        )
        return parts(name, count, types)

    def parts(name: str, count: int, types: str) -> list[str]:
        if count == 1:
            return [f"%{name}"]
        names = [f"%{name}_{i}" for i in range(count)]
        for i, part in enumerate(names):
            lines.append(f"{part} = llvm.extractvalue %{name}[{i}] : {types}")
        return names

    a, b = load("a", row.a, kind, register), load("b", row.b, kind, register)
    for sums in row.sums:
        count, total = SUMS[sums][0], str(SUMS[sums][1])
        c = load(f"c{sums}", count, sums, total)
        types = struct([total] * count)
        given = [register] * (row.a + row.b) + [total] * count
        lines.append(
            f"%d{sums} = nvvm.wmma.mma {', '.join(a + b + c)} {{eltypeA = #nvvm.mma_type<{kind}>, "
            f"eltypeB = #nvvm.mma_type<{sums}>, layoutA = #nvvm.mma_layout<row>, "
            f"layoutB = #nvvm.mma_layout<col>, {where}}} : ({', '.join(given)}) -> {types}"
        )
        d = parts(f"d{sums}", count, types)
        lines.append(
            f"nvvm.wmma.store %p, %s, {', '.join(d)} {{eltype = #nvvm.mma_type<{sums}>, "
            f"layout = #nvvm.mma_layout<row>, {where}}} : {pointer}, {', '.join([total] * count)}"
        )
    ptx = assembled("\n".join([*lines, "llvm.return", "}"]), f"sm_{row.needs.sm}")
    assert ptx.count("wmma.mma.sync") == len(row.sums)


@pytest.mark.parametrize(("shape", "kind"), FRAGMENTS)
def test_mma_sync(shape: str, kind: str):
    row = FRAGMENTS[shape, kind]
    m, n, k = (int(part) for part in shape[1:].replace("n", " ").replace("k", " ").split())
    register, total = str(row.register), str(row.sums[0])
    typed = (
        ""
        if kind in ("f16", "f64")
        else "".join(f", multiplicand{x}PtxType = #nvvm.mma_type<{kind}>" for x in "AB")
    )
    types = struct([total] * row.c)
    groups = [", ".join([name] * count) for name, count in (("%x", row.a), ("%x", row.b))]
    ptx = assembled(
        f"""llvm.func @f(%x: {register}, %c: {total}) -> {types} {{
  %r = nvvm.mma.sync A[{groups[0]}] B[{groups[1]}] C[{", ".join(["%c"] * row.c)}]
    {{layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>,
     shape = #nvvm.shape<m = {m}, n = {n}, k = {k}>{typed}}} :
    ({register}, {register}, {total}) -> {types}
  llvm.return %r : {types}
}}""",
        f"sm_{row.needs.sm}",
    )
    assert f"mma.sync.aligned.{shape}.row.col" in ptx
