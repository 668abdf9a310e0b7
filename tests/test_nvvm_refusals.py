"""What a GPU or an architecture does not have is a located error, before LLVM sees it."""

# pyright: basic

from __future__ import annotations

import pytest

from stepwell.compiler import lower_and_print
from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.emit.ptx import assemble_cubin, assemble_ptx, emit, find_tool
from stepwell.lowering.parse import parse_module
from stepwell.lowering.verify import verify
from stepwell.targets import find_target

ROW_COL = "layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>"
HEAD = (
    "llvm.func ptx_kernelcc @f(%m: i32, %x: f32, %p: i1, %s: !llvm.ptr<3>, %g: !llvm.ptr<1>, "
    "%gg: !llvm.ptr, %h: vector<2xf16>, %l: i64, %d: f64, %b: i8, %w: i128) {\n"
)


def mma(shape: tuple[int, int, int], kinds: str, a: str, b: str, c: str, extra: str = "") -> str:
    m, n, k = shape
    text = f"shape = #nvvm.shape<m = {m}, n = {n}, k = {k}>"
    one, two, three = kinds.split(",")
    count = c.count("%")
    result = f"!llvm.struct<({', '.join([three] * count)})>"
    types = f"({one}, {two}, {three}) -> {result}"
    return f"%r = nvvm.mma.sync A[{a}] B[{b}] C[{c}] {{{ROW_COL}, {text}{extra}}} : {types}"


BF16 = ", multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>"
FP8 = ", multiplicandAPtxType = #nvvm.mma_type<e4m3>, multiplicandBPtxType = #nvvm.mma_type<e4m3>"
H = "vector<2xf16>,vector<2xf16>,vector<2xf16>"


def wgmma(kind: str) -> str:
    sums = "!llvm.struct<(f32, f32, f32, f32)>"
    parts = f"D[<f32>, <one>], A[<{kind}>, <one>, <row>], B[<{kind}>, <one>, <col>]"
    return (
        f"%u = llvm.mlir.undef : {sums} %r = nvvm.wgmma.mma_async %l, %l, %u, "
        f"<m = 64, n = 8, k = 16>, {parts} : {sums} -> {sums}"
    )


def wmma_load(kind: str, shape: tuple[int, int, int], count: int) -> str:
    m, n, k = shape
    return (
        f"%r = nvvm.wmma.load %s, %m {{eltype = #nvvm.mma_type<{kind}>, frag = #nvvm.mma_frag<a>, "
        f"layout = #nvvm.mma_layout<row>, m = {m} : i32, n = {n} : i32, k = {k} : i32}} : "
        f"(!llvm.ptr<3>) -> !llvm.struct<({', '.join(['i32'] * count)})>"
    )


# (op, architecture, what the error says)
REFUSED: list[tuple[str, str, str]] = [
    ("%r = nvvm.redux.sync add %m, %m : i32 -> i32", "sm_75", "needs sm_80"),
    ("%r = nvvm.elect.sync -> i1", "sm_80", "needs sm_90"),
    ("nvvm.cluster.arrive {aligned}", "sm_89", "needs sm_90"),
    ("nvvm.cluster.arrive.relaxed", "sm_80", "needs sm_90"),
    ("nvvm.cluster.wait {aligned}", "sm_80", "needs sm_90"),
    ("nvvm.fence.sc.cluster", "sm_86", "needs sm_90"),
    ("nvvm.fence.mbarrier.init", "sm_80", "needs sm_90"),
    ("nvvm.fence.proxy {kind = #nvvm.proxy_kind<async>}", "sm_80", "needs sm_90"),
    ("nvvm.setmaxregister increase 128", "sm_90", "needs sm_90a or sm_100a"),
    ("nvvm.setmaxregister decrease 40", "sm_120", "needs sm_90a or"),
    ("nvvm.wgmma.fence.aligned", "sm_90", "needs sm_90a, not sm_90"),
    ("nvvm.wgmma.commit.group.sync.aligned", "sm_100a", "needs sm_90a, not sm_100a"),
    ("nvvm.wgmma.wait.group.sync.aligned 1", "sm_80", "needs sm_90a"),
    ("nvvm.griddepcontrol.wait", "sm_80", "needs sm_90"),
    ("nvvm.griddepcontrol.launch.dependents", "sm_75", "needs sm_90"),
    ("%r = nvvm.read.ptx.sreg.cluster.ctaid.x : i32", "sm_89", "needs sm_90"),
    ("%r = nvvm.read.ptx.sreg.clusterid.z : i32", "sm_75", "needs sm_90"),
    (
        "nvvm.cp.async.shared.global %s, %g, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>",
        "sm_75",
        "needs sm_80",
    ),
    ("nvvm.cp.async.commit.group", "sm_75", "needs sm_80"),
    ("nvvm.cp.async.wait.group 0", "sm_75", "needs sm_80"),
    ("nvvm.cp.async.bulk.commit.group", "sm_80", "needs sm_90"),
    ("nvvm.cp.async.bulk.wait_group 0", "sm_80", "needs sm_90"),
    ("nvvm.cp.async.bulk.prefetch %g, %m : !llvm.ptr<1>", "sm_89", "needs sm_90"),
    ("nvvm.mbarrier.init.shared %s, %m : !llvm.ptr<3>, i32", "sm_75", "needs sm_80"),
    (
        "nvvm.mbarrier.arrive.expect_tx.shared %s, %m : !llvm.ptr<3>, i32",
        "sm_80",
        "needs sm_90",
    ),
    (
        "nvvm.stmatrix %s, %m {layout = #nvvm.mma_layout<row>} : !llvm.ptr<3>, i32",
        "sm_80",
        "needs sm_90",
    ),
    ("nvvm.prefetch.tensormap %gg : !llvm.ptr", "sm_80", "needs sm_90"),
    (
        "nvvm.cp.async.bulk.tensor.shared.cluster.global %s, %gg, %s, box[%m] : "
        "!llvm.ptr<3>, !llvm.ptr",
        "sm_80",
        "needs sm_90",
    ),
    (mma((16, 8, 16), H, "%h, %h, %h, %h", "%h, %h", "%h, %h"), "sm_75", "needs sm_80"),
    (
        mma((16, 8, 16), "i32,i32,f32", "%m, %m, %m, %m", "%m, %m", "%x, %x, %x, %x", BF16),
        "sm_75",
        "needs sm_80",
    ),
    (
        mma((16, 8, 32), "i32,i32,f32", "%m, %m, %m, %m", "%m, %m", "%x, %x, %x, %x", FP8),
        "sm_80",
        "needs sm_89",
    ),
    ("%r = nvvm.mapa %gg, %m : !llvm.ptr -> !llvm.ptr", "sm_89", "needs sm_90"),
    (
        "nvvm.cp.async.bulk.shared.cluster.global %s, %g, %s, %m : !llvm.ptr<3>, !llvm.ptr<1>",
        "sm_80",
        "needs sm_90",
    ),
    (
        "nvvm.cp.async.bulk.global.shared.cta %g, %s, %m : !llvm.ptr<1>, !llvm.ptr<3>",
        "sm_86",
        "needs sm_90",
    ),
    ("nvvm.cp.async.bulk.tensor.prefetch %gg, box[%m] : !llvm.ptr", "sm_80", "needs sm_90"),
    (wgmma("f16"), "sm_90", "needs sm_90a, not sm_90"),
    (wgmma("f16"), "sm_120a", "needs sm_90a, not sm_120a"),
    (wmma_load("bf16", (16, 16, 16), 4), "sm_75", "needs sm_80"),
    (wmma_load("tf32", (16, 16, 8), 4), "sm_75", "needs sm_80"),
    # What no architecture has.
    (wgmma("f64"), "sm_90a", "there is no wgmma of f64"),
    (wmma_load("f16", (16, 16, 8), 4), "sm_80", "there is no wmma of shape m16n16k8 for f16"),
    (wmma_load("bf16", (16, 16, 16), 3), "sm_80", "expected a result of type !llvm.struct<(i32,"),
    (mma((16, 8, 4), H, "%h, %h", "%h", "%h, %h"), "sm_80", "no mma.sync of shape m16n8k4 for f16"),
    (mma((16, 8, 16), H, "%h, %h, %h", "%h, %h", "%h, %h"), "sm_80", "expected 4 registers of A"),
    (
        "%r = nvvm.ldmatrix %s {num = 3 : i32, layout = #nvvm.mma_layout<row>} : "
        "(!llvm.ptr<3>) -> i32",
        "sm_80",
        "num is 3, expected 1, 2 or 4",
    ),
    ("nvvm.setmaxregister increase 129", "sm_90a", "regCount is 129, expected a multiple of 8"),
    (
        "nvvm.cp.async.shared.global %s, %g, 12, cache = ca : !llvm.ptr<3>, !llvm.ptr<1>",
        "sm_80",
        "size is 12, expected 4, 8 or 16",
    ),
    (
        "nvvm.cp.async.shared.global %s, %g, 8, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>",
        "sm_80",
        "expected 16 for cache = cg",
    ),
    (
        "%r = nvvm.shfl.sync bfly %m, %l, %m, %m : i64 -> i64",
        "sm_80",
        "expected a value of type i32 or f32, got i64",
    ),
    ("%r = nvvm.redux.sync mul %m, %m : i32 -> i32", "sm_80", "kind is 'mul', expected one of"),
    ("%r = nvvm.match.any.sync %m, %x : f32 -> i32", "sm_80", "expected a mask of type i32"),
    ("nvvm.fence.proxy {kind = #nvvm.proxy_kind<other>}", "sm_90", "kind is other"),
    # Libraries and registers.
    ("%r = llvm.intr.exp(%x) : (f32) -> f32", "sm_80", "llvm.exp of f32 needs a library"),
    ("%r = llvm.intr.log2(%d) : (f64) -> f64", "sm_80", "llvm.log2 of f64 needs a library"),
    (
        "%r = llvm.intr.log2(%x) {fastmathFlags = #llvm.fastmath<afn>} : (f32) -> f32",
        "sm_80",
        "llvm.log2 of f32 needs a library",
    ),
    ("%r = llvm.intr.sin(%x) : (f32) -> f32", "sm_80", "llvm.sin of f32 needs a library"),
    (
        '%r = llvm.call_intrinsic "llvm.tanh.f32"(%x) : (f32) -> f32',
        "sm_80",
        "llvm.tanh of f32 needs a library",
    ),
    (
        '%r = nvvm.inline_ptx "mov.b128 $0, $1;" (%w) : (i128) -> i128',
        "sm_80",
        "a value of type i128 has no register",
    ),
    (
        '%r = llvm.inline_asm "mov.b32 $0, $1;", "=r,l" %m : (i32) -> i32',
        "sm_80",
        "inline PTX has the constraints =r,l, its values need =r,r",
    ),
    # What would end the process.
    (
        'llvm.call_intrinsic "llvm.nvvm.tcgen05.wait.ld"() : () -> ()',
        "sm_80",
        "llvm.nvvm.tcgen05.wait.ld is none of those that are known to work",
    ),
    (
        '%r = llvm.call_intrinsic "llvm.amdgcn.workitem.id.x"() : () -> i32',
        "sm_80",
        "llvm.amdgcn.workitem.id.x is none of those",
    ),
    (
        '%r = nvvm.inline_ptx "mov.b32 $0, $7;" () : () -> i32',
        "sm_80",
        "inline PTX names $7, and has the operands $0 to $0",
    ),
    (
        '%r = nvvm.inline_ptx "mov.b32 $0, ${x;" () : () -> i32',
        "sm_80",
        "inline PTX has '${x;', expected the number of an operand",
    ),
    (
        'llvm.inline_asm has_side_effects "trap; // $9", "r" %m : (i32) -> ()',
        "sm_80",
        "inline PTX names $9, and has the operands $0 to $0",
    ),
    ("%r = llvm.sitofp %w : i128 to f32", "sm_80", "i128 cannot be converted from or to a float"),
    ("%r = llvm.fptoui %x : f32 to i128", "sm_80", "i128 cannot be converted from or to a float"),
    ("%r = llvm.intr.bswap(%b) : (i8) -> i8", "sm_80", "llvm.bswap of i8, expected an even"),
    (
        "%r = llvm.atomicrmw add %g, %w monotonic : !llvm.ptr<1>, i128",
        "sm_90",
        "i128 cannot be accessed atomically, 64 bits are the most",
    ),
    (
        "%r = llvm.load %g atomic seq_cst {alignment = 16 : i64} : !llvm.ptr<1> -> i128",
        "sm_80",
        "i128 cannot be accessed atomically",
    ),
]


def compiled(line: str, arch: str) -> str:
    """The PTX of a function that holds one op."""
    module = parse_module(f"{HEAD}  {line}\n  llvm.return\n}}", "<test>")
    verify(module)
    return assemble_ptx(emit(module, arch), arch).ptx


def test_there_are_enough_cases():
    assert len(REFUSED) >= 30


@pytest.mark.parametrize(("line", "arch", "message"), REFUSED, ids=[r[0][:60] for r in REFUSED])
def test_refused(line: str, arch: str, message: str):
    with pytest.raises(CompileError) as caught:
        compiled(line, arch)
    assert message in str(caught.value)
    assert "<test>:2:" in str(caught.value)


ACCEPTED = [
    ("%r = nvvm.redux.sync add %m, %m : i32 -> i32", "sm_80"),
    ("nvvm.setmaxregister increase 128", "sm_90a"),
    ("nvvm.wgmma.wait.group.sync.aligned 1", "sm_90a"),
    ("nvvm.griddepcontrol.wait", "sm_90"),
    ("nvvm.mbarrier.try_wait.parity.shared %s, %m, %m : !llvm.ptr<3>, i32, i32", "sm_90"),
    (mma((16, 8, 16), H, "%h, %h, %h, %h", "%h, %h", "%h, %h"), "sm_80"),
    (mma((16, 8, 8), H, "%h, %h", "%h", "%h, %h"), "sm_75"),
    (mma((16, 8, 16), "i32,i32,f32", "%m, %m, %m, %m", "%m, %m", "%x, %x, %x, %x", BF16), "sm_80"),
    (mma((16, 8, 32), "i32,i32,f32", "%m, %m, %m, %m", "%m, %m", "%x, %x, %x, %x", FP8), "sm_90"),
    (mma((8, 8, 4), "f64,f64,f64", "%d", "%d", "%d, %d"), "sm_80"),
    (mma((16, 8, 16), "f64,f64,f64", "%d" + ", %d" * 7, "%d" + ", %d" * 3, "%d" + ", %d" * 3),
     "sm_90"),
    ("%r = llvm.intr.sin(%x) {fastmathFlags = #llvm.fastmath<afn>} : (f32) -> f32", "sm_80"),
    ('%r = nvvm.inline_ptx "mad.lo.u32 $0, $1, $2, $1;" (%m, %m) : (i32, i32) -> i32', "sm_75"),
    ("nvvm.cp.async.bulk.tensor.global.shared.cta %gg, %s, box[%m, %m] : !llvm.ptr, !llvm.ptr<3>, "
     "i32, i32", "sm_90"),
    ("nvvm.cp.async.bulk.tensor.reduce %gg, %s, box[%m, %m] {redKind = #nvvm.tma_redux_kind<xor>} "
     ": !llvm.ptr, !llvm.ptr<3>, i32, i32", "sm_90"),
    ("nvvm.cp.async.bulk.shared.cluster.shared.cta %s, %s, %s, %m : !llvm.ptr<3>, !llvm.ptr<3>",
     "sm_90"),
    ("nvvm.cp.async.bulk.prefetch %g, %m : !llvm.ptr<1>", "sm_90"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "arch"), ACCEPTED, ids=[row[0][:60] for row in ACCEPTED])
def test_accepted_and_assembled(line: str, arch: str):
    ptx = compiled(line.replace("%w", "%l"), arch)
    if find_tool("ptxas") is None:
        pytest.skip("ptxas is not installed")
    assert assemble_cubin(ptx, arch)[0]


# Kernels of the waist that the lowering itself refuses.
KERNELS: list[tuple[str, str, str]] = [
    (
        "%c = arith.constant 0 : index\n%v = memref.load %x[%c] : VIEW\n"
        "%r = math.exp %v : f128\nmemref.store %r, %x[%c] : VIEW",
        "%x: VIEW",
        "math.exp of f128 has no instruction",
    ),
    (
        "%i = arith.constant 1 : i32\n%w, %ok = gpu.shuffle xor %i, %i, %i3 : i32",
        "%i3: i32",
        "shuffle over a value that is not constant lanes",
    ),
]


@pytest.mark.parametrize(("body", "parameters", "message"), KERNELS)
def test_kernel_refused(body: str, parameters: str, message: str):
    text = f"gpu.module @m {{ gpu.func @k({parameters}) kernel {{\n{body}\ngpu.return\n}} }}"
    text = text.replace("VIEW", "memref<?xf128, #gpu.address_space<global>>")
    module = parse_module(text, "<test>")
    verify(module)
    with pytest.raises(CompileError) as caught:
        lower_and_print(module, find_target("cuda"), "gpu", "ptx")
    assert message in str(caught.value)


def test_an_unknown_architecture_names_the_known_ones():
    with pytest.raises(CompileError, match="no architecture 'sm_60'"):
        find_target("cuda:sm_60")


def test_a_block_larger_than_any_device_takes_is_refused():
    text = (
        "gpu.module @m { gpu.func @k() kernel attributes "
        "{gpu.known_block_size = array<i32: 2048, 1, 1>} { gpu.return } }"
    )
    with pytest.raises(CompileError, match="a block of 2048 threads"):
        lower_and_print(parse_module(text, "<test>"), find_target("cuda"), "gpu", "ptx")
