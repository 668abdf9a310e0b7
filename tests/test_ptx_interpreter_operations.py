"""Single PTX instructions whose results are known, mostly forms that compilers emit rarely."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from oracles.ptx.module import Module


def module(body: str) -> Module:
    """A kernel `k(out)`; %rd1 is the address of out, %r1 the thread."""
    return Module(f""".version 8.6
.target sm_100a
.address_size 64
.visible .entry k(.param .u64 out) {{
    .reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %r<20>; .reg .b64 %rd<20>;
    .reg .f32 %f<20>; .reg .f64 %fd<9>;
    ld.param.u64 %rd1, [out];
    mov.u32 %r1, %tid.x;
{body}
    ret;
}}""")


A, B = 0x89ABCDEF, 0x01234567
INTEGER_CASES = [
    ("bfe.u32 %r4, %r2, 8, 12;", 0xBCD),
    ("bfe.s32 %r4, %r2, 24, 20;", 0xFFFFFF89),
    ("bfe.s32 %r4, %r2, 40, 4;", 0xFFFFFFFF),
    ("bfe.u32 %r4, %r2, 0, 0;", 0),
    ("bfi.b32 %r4, %r3, %r2, 4, 8;", 0x89ABC67F),
    ("bfi.b32 %r4, %r3, %r2, 40, 8;", A),
    ("prmt.b32 %r4, %r2, %r3, 0x7083;", 0x01EFFF89),
    ("prmt.b32 %r4, %r2, %r9, 0x0123;", 0xEFCDAB89),  # %r9 is unwritten
    ("prmt.b32.f4e %r4, %r2, %r3, 2;", 0x456789AB),
    ("prmt.b32.b4e %r4, %r2, %r3, 1;", 0x2301EFCD),
    ("prmt.b32.rc16 %r4, %r2, %r3, 1;", 0x89AB89AB),
    ("shf.l.wrap.b32 %r4, %r2, %r3, 36;", 0x12345678),
    ("shf.r.clamp.b32 %r4, %r2, %r3, 36;", B),
    ("shl.b32 %r4, %r2, 32;", 0),
    ("shr.s32 %r4, %r2, 99;", 0xFFFFFFFF),
    ("szext.clamp.s32 %r4, %r2, 8;", 0xFFFFFFEF),
    ("bmsk.clamp.b32 %r4, 4, 8;", 0xFF0),
    ("bfind.u32 %r4, %r3;", 24),
    ("bfind.s32 %r4, %r2;", 30),
    ("bfind.shiftamt.u32 %r4, %r3;", 7),
    ("lop3.b32 %r4, %r2, %r3, -1, 0x6A;", (A & B) ^ 0xFFFFFFFF),
    ("sad.u32 %r4, %r2, %r3, 1;", A - B + 1),
    ("mul24.lo.u32 %r4, %r2, 2;", 0xABCDEF * 2),
    ("mul.hi.s32 %r4, %r2, %r3;", ((A - 2**32) * B >> 32) & 0xFFFFFFFF),
    ("mad.hi.u32 %r4, %r2, %r3, 1;", (A * B >> 32) + 1),
    ("add.sat.s32 %r4, 0x7FFFFFFF, 5;", 0x7FFFFFFF),
    ("dp2a.lo.s32.u32 %r4, %r2, %r3, 0;", -12817 * 0x67 - 30293 * 0x45),
    ("dp4a.u32.s32 %r4, %r2, %r3, 0;", 0xEF * 0x67 + 0xCD * 0x45 + 0xAB * 0x23 + 0x89),
    ("fns.b32 %r4, %r3, 0, 3;", 2),
    ("cnot.b32 %r4, %r2;", 0),
    ("rem.s32 %r4, -7, 3;", 0xFFFFFFFF),
    ("slct.u32.s32 %r4, %r2, %r3, -1;", B),
    ("cvt.u32.u8 %r4, %r2;", 0xEF),
    ("cvt.s32.s16 %r4, %r2;", 0xFFFFCDEF),
    ("cvt.sat.u8.s32 %r4, %r2;", 0),
    ("cvt.pack.sat.s16.s32 %r4, 100000, -3;", 0x7FFFFFFD),
    ("mov.b32 {%h1, %h2}, %r2; mov.b32 %r4, {%h2, %h1};", 0xCDEF89AB),
    ("add.u16x2 %r4, %r2, %r3;", 0x8ACE1356),
    ("mul.wide.s16 %r4, -3, 5;", 0xFFFFFFF1),
    ("clz.b64 %r4, 0x10;", 59),
    ("popc.b64 %r4, -1;", 64),
    ("brev.b32 %r4, %r3;", 0xE6A2C480),
    ("testp.notanumber.f32 %p1, 0f7FC00000; selp.b32 %r4, 1, 0, %p1;", 1),
    ("setp.ltu.f32 %p1, 0f7FC00000, 0f00000000; selp.b32 %r4, 1, 0, %p1;", 1),
    ("setp.ne.f32 %p1, 0f7FC00000, 0f00000000; selp.b32 %r4, 1, 0, %p1;", 0),
    ("set.gt.f32.s32 %r4, 3, 2;", 0x3F800000),
    ("copysign.f32 %r4, 0f80000000, 0f3F800000;", 0xBF800000),
    ("neg.f16x2 %r4, %r2;", A ^ 0x80008000),
    ("cvt.rna.tf32.f32 %r4, 0f3F801000;", 0x3F802000),
    ("cvt.rz.bf16x2.f32 %r4, 0f3F80FFFF, 0f40000000;", 0x3F804000),
    ("cvt.rn.satfinite.e4m3x2.f32 %h1, 0f3F800000, 0f461C4000; cvt.u32.u16 %r4, %h1;", 0x387E),
    ("mov.b16 %h1, 0x3840; cvt.rn.f16x2.e4m3x2 %r4, %h1;", 0x3C004000),
    ("ex2.approx.ftz.bf16x2 %r4, 0x40003F80;", 0x40804000),
    ("max.f16x2 %r4, 0x3C004000, 0x40003C00;", 0x40004000),
    ("fma.rn.bf16x2 %r4, 0x3F803F80, 0x40004000, 0x3F803F80;", 0x40404040),
    ("mov.b16 %h1, 0x3C00; add.rn.f32.f16 %r4, %h1, 0f40000000;", 0x40400000),
    ("mov.b16 %h1, 0x3F80; sub.rn.f32.bf16 %r4, %h1, 0f40000000;", 0xBF800000),
    ("mov.b16 %h1, 0x4000; fma.rn.f32.f16 %r4, %h1, %h1, 0f3F800000;", 0x40A00000),
    ("min.s32 %r4, %r2, %r3;", A),
    ("mov.u32 %r4, %ntid.x;", 32),
]


@pytest.mark.parametrize(("instructions", "expected"), INTEGER_CASES)
def test_result(instructions: str, expected: int) -> None:
    out = np.zeros(1, np.uint32)
    module(f"""mov.b32 %r2, {A:#x}; mov.b32 %r3, {B:#x};
    {instructions}
    st.global.u32 [%rd1], %r4;""").launch("k", (1,), (32,), [out])
    assert out[0] == expected % 2**32, hex(out[0])


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("add.rz.f64 %fd3, %fd1, %fd2;", 1.0),
        ("add.rp.f64 %fd3, %fd1, %fd2;", 1 + 2**-52),
        ("mul.rm.f64 %fd3, %fd2, 0d3FB999999999999A;", 2.0**-60 * 0.1),
        ("div.rm.f64 %fd3, %fd1, 0d4008000000000000;", 1 / 3),
        ("rcp.rp.f64 %fd3, 0d4008000000000000;", np.nextafter(1 / 3, 1)),
        ("fma.rm.f64 %fd3, %fd1, %fd1, 0dBC00000000000000;", np.nextafter(1, 0)),
        ("cvt.rz.f64.u64 %fd3, 0xFFFFFFFFFFFFFFFF;", float(2**64 - 2**11)),
        ("cvt.rn.f32.s64 %f1, 0x7FFFFFFFFFFFFFFF; cvt.f64.f32 %fd3, %f1;", 2.0**63),
        ("cvt.rni.s64.f64 %rd2, 0d4004000000000000; cvt.rn.f64.s64 %fd3, %rd2;", 2.0),
        ("min.f64 %fd3, 0d0000000000000000, 0d8000000000000000;", -0.0),
    ],
)
def test_f64_result(instruction: str, expected: float) -> None:
    out = np.array([1.0, 2.0**-60])
    module(f"""
    ld.global.v2.f64 {{%fd1, %fd2}}, [%rd1];
    {instruction}
    st.global.f64 [%rd1], %fd3;""").launch("k", (1,), (1,), [out])
    assert out[:1].view(np.int64)[0] == np.array(expected, np.float64).view(np.int64)


def test_pairs_of_f32() -> None:
    out = np.array([1, 2], np.float32)
    module("""ld.global.b64 %rd2, [%rd1];
    fma.rn.f32x2 %rd2, %rd2, %rd2, %rd2;
    st.global.b64 [%rd1], %rd2;""").launch("k", (1,), (1,), [out])
    assert out.tolist() == [2, 6]


def test_atomics_on_vectors_and_16_bits() -> None:
    out = np.zeros(4, np.float32)
    module("""mov.f32 %f1, 0f3F800000;
    red.global.add.v2.f32 [%rd1], {%f1, 0f40000000};
    cvt.u16.u32 %h1, %r1;
    atom.global.cas.b16 %h2, [%rd1+8], %h1, 7;
    atom.global.add.noftz.f16 %h3, [%rd1+12], 0x3C00;""").launch("k", (1,), (32,), [out])
    assert out[:2].tolist() == [32, 64]
    assert out[2:].view(np.uint16)[0] == 7
    assert out[3:].view(np.float16)[0] == 32


def test_matrices_stored_transposed_and_moved() -> None:
    out = np.arange(64, dtype=np.uint16)
    module("""
    .shared .align 16 .b8 s[128];
    mad.wide.u32 %rd2, %r1, 4, %rd1;
    ld.global.b32 %r2, [%rd2];
    movmatrix.sync.aligned.m8n8.trans.b16 %r2, %r2;
    mov.u32 %r3, s;
    mad.lo.u32 %r3, %r1, 16, %r3;
    stmatrix.sync.aligned.m8n8.x1.shared.b16 [%r3], {%r2};
    bar.warp.sync -1;
    mov.u32 %r3, s;
    mad.lo.u32 %r3, %r1, 4, %r3;
    ld.shared.b32 %r2, [%r3];
    st.global.b32 [%rd2], %r2;""").launch("k", (1,), (32,), [out])
    assert (out.reshape(8, 8) == np.arange(64).reshape(8, 8).T).all()


def test_mma_of_8_bit_floats_and_of_bits() -> None:
    kind = np.dtype(ml_dtypes.float8_e4m3fn)
    random = np.random.default_rng(5)
    a, b = (random.integers(-4, 5, (rows, 32)).astype(kind) for rows in (16, 8))
    out = np.zeros(128 + 128 + 64, np.float32)
    out[:128] = a.reshape(-1).view(np.float32)
    out[128:192] = b.reshape(-1).view(np.float32)
    # Lane 4g+t: word t of row g of A, of row g + 8, and both 4 words further; the same of B.
    module("""
    shr.u32 %r2, %r1, 2; and.b32 %r3, %r1, 3;
    mad.lo.u32 %r4, %r2, 8, %r3;
    mad.wide.u32 %rd2, %r4, 4, %rd1;
    ld.global.b32 %r5, [%rd2]; ld.global.b32 %r6, [%rd2+256];
    ld.global.b32 %r7, [%rd2+16]; ld.global.b32 %r8, [%rd2+272];
    ld.global.b32 %r9, [%rd2+512]; ld.global.b32 %r10, [%rd2+528];
    mov.f32 %f1, 0f00000000;
    mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32
        {%f1, %f2, %f3, %f4}, {%r5, %r6, %r7, %r8}, {%r9, %r10}, {%f1, %f1, %f1, %f1};
    mad.lo.u32 %r4, %r2, 8, %r3; add.u32 %r4, %r4, %r3;
    mad.wide.u32 %rd2, %r4, 4, %rd1;
    st.global.v2.f32 [%rd2+768], {%f1, %f2}; st.global.v2.f32 [%rd2+1024], {%f3, %f4};
    """).launch("k", (1,), (32,), [out])
    assert (out[192:].reshape(16, 8) == a.astype(np.float32) @ b.astype(np.float32).T).all()


def test_unspecified_forms_of_matrix_instructions_are_refused() -> None:
    from oracles.ptx.errors import UnknownInstruction

    with pytest.raises(UnknownInstruction, match="registers of f16"):
        module("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
               "{%f1,%f2,%f3,%f4}, {%r1,%r2}, {%r3,%r4}, {%f1,%f2,%f3,%f4};")  # fmt: skip
    with pytest.raises(UnknownInstruction, match="tcgen05"):
        module("tcgen05.wait::ld.sync.aligned;")
