"""The ops of the nvvm dialect, a row each: text, LLVM intrinsic or PTX, least architecture."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import Float32Type, f32, i1, i32, i64
from xdsl.ir import Attribute

from ..llvm.types import PointerType, StructType
from ..traits import PURE
from .base import Needs, Row
from .bulk import BULK_ROWS
from .matrix import MATRIX_ROWS
from .wgmma import WGMMA_ROWS
from .wmma import WMMA_ROWS

GENERIC, GLOBAL, SHARED = PointerType(), PointerType(1), PointerType(3)
HOPPER = Needs(90, 80)
AMPERE = Needs(80, 70)
ANY = Needs()
ACCELERATED = ("90a", "100a", "101a", "103a", "120a", "121a")

_XYZ = ("x", "y", "z")
_RANGED = tuple(f"{name}.{d}" for name in ("tid", "ntid", "ctaid", "nctaid") for d in _XYZ)
_CLUSTER = (
    *(
        f"{name}.{d}"
        for name in ("clusterid", "nclusterid", "cluster.ctaid", "cluster.nctaid")
        for d in _XYZ
    ),
    *("cluster.ctarank", "cluster.nctarank"),
)
_PLAIN = (
    *("laneid", "warpid", "nwarpid", "smid", "nsmid", "gridid", "warpsize", "dynamic_smem_size"),
    *(f"lanemask.{name}" for name in ("eq", "le", "lt", "ge", "gt")),
)


def _registers() -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for name in (*_RANGED, *_PLAIN):
        rows[f"read.ptx.sreg.{name}"] = _register(name, i32, PURE)
    for name in _CLUSTER:
        rows[f"read.ptx.sreg.{name}"] = _register(name, i32, PURE, HOPPER)
    for name, kind in (("clock", i32), ("clock64", i64), ("globaltimer", i64)):
        rows[f"read.ptx.sreg.{name}"] = _register(name, kind)
    return rows


def _register(name: str, kind: Attribute, traits: Any = None, needs: Needs = ANY) -> Row:
    row = Row(
        f"The special register %{name}.",
        "{} : R",
        f"read.ptx.sreg.{name}",
        (),
        (kind,),
        needs,
    )
    return row if traits is None else row._replace(traits=traits)


# --- barriers -------------------------------------------------------------------------------------


def _barrier(op: Any) -> str:
    return ("all", "all", "count")[len(op.operands)]


def _barrier_target(op: Any) -> str:
    return f"barrier.cta.sync.aligned.{_barrier(op)}"


def _barrier_zero(op: Any) -> str:
    return "i32 0"


def _barrier_zero_or_given(op: Any) -> str:
    return "" if op.operands else "i32 0"


def _all_i32(op: Any) -> str | None:
    bad = next((value.type for value in op.operands if value.type != i32), None)
    return None if bad is None else f"expected operands of type i32, got {bad}"


def _cluster(word: str) -> Any:
    def target(op: Any) -> str:
        aligned = ".aligned" if op.flag("aligned") else ""
        return f"barrier.cluster.{word}{aligned}"

    return target


_BARRIERS = {
    "barrier0": Row(
        "All threads of the block wait.",
        "{}",
        "barrier.cta.sync.aligned.all",
        (),
        (),
        first=_barrier_zero,
    ),
    "barrier": Row(
        "Barrier `id` (0 without one); of so many threads, a multiple of 32, or of all.",
        "(? id = $0 ?) (? number_of_threads = $1 ?) {}",
        _barrier_target,
        None,
        (),
        first=_barrier_zero_or_given,
        check=_all_i32,
    ),
    "barrier.arrive": Row(
        "Arrives at a barrier without waiting for the others.",
        "id = $0 number_of_threads = $1 {}",
        "barrier.cta.arrive.aligned.count",
        (i32, i32),
        (),
    ),
    "bar.warp.sync": Row(
        "The lanes of the mask wait for each other.", "$0 {} : T0", "bar.warp.sync", (i32,), ()
    ),
    "cluster.arrive": Row(
        "Arrives at the cluster's barrier.", "{}", _cluster("arrive"), (), (), HOPPER
    ),
    "cluster.arrive.relaxed": Row(
        "The same, without ordering memory.", "{}", _cluster("arrive.relaxed"), (), (), HOPPER
    ),
    "cluster.wait": Row(
        "Waits for all threads of the cluster.", "{}", _cluster("wait"), (), (), HOPPER
    ),
}


# --- between lanes --------------------------------------------------------------------------------


def _shuffle_target(op: Any) -> str:
    kind = {"bfly": "bfly", "up": "up", "down": "down", "idx": "idx"}[op.text_property("kind")]
    register = "f32" if isinstance(op.operands[1].type, Float32Type) else "i32"
    return f"shfl.sync.{kind}.{register}{'p' if op.flag('return_value_and_is_valid') else ''}"


def _shuffle_check(op: Any) -> str | None:
    if len(op.operands) != 4 or len(op.results) != 1:
        return "expected mask, value, offset and clamp, and one result"
    kind = op.operands[1].type
    if kind not in (i32, f32):
        return f"expected a value of type i32 or f32, got {kind}"
    valid = op.flag("return_value_and_is_valid")
    expected = StructType([kind, i1]) if valid else kind
    found = op.results[0].type
    return None if found == expected else f"expected a result of type {expected}, got {found}"


def _match_any(op: Any) -> str:
    return f"match.any.sync.{op.operands[1].type}"


def _match_all(op: Any) -> str:
    return f"match.all.sync.{op.operands[1].type}p"


def _match_check(op: Any) -> str | None:
    kinds = [value.type for value in op.operands]
    if len(kinds) == 2 and kinds[0] == i32 and kinds[1] in (i32, i64):
        return None
    return f"expected a mask of type i32 and a value of type i32 or i64, got {kinds}"


def _redux_target(op: Any) -> str:
    return f"redux.sync.{op.text_property('kind')}"


_REDUCTIONS = ("add", "and", "max", "min", "or", "umax", "umin", "xor")
_LANES = {
    "shfl.sync": Row(
        "Another lane's value, and whether it was in range.",
        "@kind $* {} : T1 -> R",
        _shuffle_target,
        keywords=(("kind", ("bfly", "up", "down", "idx")),),
        check=_shuffle_check,
    ),
    "vote.ballot.sync": Row(
        "The predicate of each lane of the mask, as bits.",
        "$* {} : R",
        "vote.ballot.sync",
        (i32, i1),
        (i32,),
    ),
    "vote.all.sync": Row(
        "Whether the predicate holds in all lanes of the mask.",
        "$* {} : R",
        "vote.all.sync",
        (i32, i1),
        (i1,),
    ),
    "vote.any.sync": Row(
        "Whether the predicate holds in a lane of the mask.",
        "$* {} : R",
        "vote.any.sync",
        (i32, i1),
        (i1,),
    ),
    "vote.uni.sync": Row(
        "Whether the predicate is the same in all lanes of the mask.",
        "$* {} : R",
        "vote.uni.sync",
        (i32, i1),
        (i1,),
    ),
    "match.any.sync": Row(
        "The lanes of the mask that have the same value.",
        "$* {} : T1 -> R",
        _match_any,
        None,
        (i32,),
        check=_match_check,
    ),
    "match.all.sync": Row(
        "The mask and whether all its lanes have the same value.",
        "$* {} : T1 -> R",
        _match_all,
        None,
        (StructType([i32, i1]),),
        check=_match_check,
    ),
    "activemask": Row("The lanes that run together now.", "{} : R", "activemask", (), (i32,)),
    "redux.sync": Row(
        "The values of the mask's lanes combined.",
        "@kind $* {} : T0 -> R",
        _redux_target,
        (i32, i32),
        (i32,),
        AMPERE,
        keywords=(("kind", _REDUCTIONS),),
    ),
    "elect.sync": Row(
        "True in one lane.",
        "{} -> R",
        "ptx:elect.sync _|$0, 0xffffffff;",
        (),
        (i1,),
        HOPPER,
    ),
}


# --- order of memory, registers, time -------------------------------------------------------------


def _proxy_target(op: Any) -> str:
    kind = _word(op, "kind")
    space = _word(op, "space")
    suffix = {"cta": "::cta", "cluster": "::cluster"}.get(space, "")
    return f"ptx:fence.proxy.{kind}{suffix};"


def _word(op: Any, name: str) -> str:
    value = op.properties.get(name)
    return str(value.data) if value is not None else ""


def _proxy_check(op: Any) -> str | None:
    kind, space = _word(op, "kind"), _word(op, "space")
    if kind not in ("alias", "async", "async.global", "async.shared"):
        return f"kind is {kind or 'missing'}, expected alias, async, async.global or async.shared"
    if (kind == "async.shared") != bool(space):
        return "space is given for async.shared, and only for it"
    return None


def _proxy_needs(op: Any) -> Needs:
    return Needs(75, 75) if _word(op, "kind") == "alias" else HOPPER


def _registers_target(op: Any) -> str:
    return f"setmaxnreg.{op.text_property('action')[:3]}.sync.aligned.u32"


def _register_count(op: Any) -> str | None:
    count = op.int_property("regCount")
    if 24 <= count <= 256 and count % 8 == 0:
        return None
    return f"regCount is {count}, expected a multiple of 8 from 24 to 256"


_ORDER = {
    "membar.cta": Row("Orders memory for the block.", "{}", "membar.cta", (), ()),
    "membar.gl": Row("Orders memory for the device.", "{}", "membar.gl", (), ()),
    "membar.sys": Row("Orders memory for the system.", "{}", "membar.sys", (), ()),
    "mapa": Row(
        "The address of the same place in the shared memory of another block of the cluster.",
        "$* {} : T0 -> R",
        "mapa",
        (GENERIC, i32),
        (GENERIC,),
        HOPPER,
        PURE,
    ),
    "fence.sc.cluster": Row(
        "Orders memory for the cluster, in one order for all.",
        "{}",
        "fence.sc.cluster",
        (),
        (),
        HOPPER,
    ),
    "fence.mbarrier.init": Row(
        "Makes initialised mbarriers seen in the cluster.",
        "{}",
        "ptx:fence.mbarrier_init.release.cluster;",
        (),
        (),
        HOPPER,
    ),
    "fence.proxy": Row(
        "Orders accesses of different proxies.",
        "{}",
        _proxy_target,
        (),
        (),
        _proxy_needs,
        check=_proxy_check,
    ),
    "setmaxregister": Row(
        "Gives or takes registers of the warpgroup's threads.",
        "@action #regCount {}",
        _registers_target,
        (),
        (),
        Needs(90, 80, ACCELERATED),
        keywords=(("action", ("increase", "decrease")),),
        immediates=("regCount",),
        check=_register_count,
    ),
    "griddepcontrol.wait": Row(
        "Waits for the grids that this one depends on.",
        "{}",
        "griddepcontrol.wait",
        (),
        (),
        HOPPER,
    ),
    "griddepcontrol.launch.dependents": Row(
        "Lets the grids that depend on this one start.",
        "{}",
        "griddepcontrol.launch.dependents",
        (),
        (),
        HOPPER,
    ),
    "nanosleep": Row("Sleeps about so many nanoseconds.", "$0 {} : T0", "nanosleep", (i32,), ()),
    "rcp.approx.ftz.f": Row(
        "1 / x, nearly.", "$0 {} : R", "rcp.approx.ftz.f", (f32,), (f32,), traits=PURE
    ),
    "exit": Row("The thread ends.", "{}", "exit", (), ()),
    "trap": Row("The launch fails.", "{}", "ptx:trap;", (), ()),
}


# --- asynchronous copies --------------------------------------------------------------------------


def _copy_check(op: Any) -> str | None:
    size, modifier = op.int_property("size"), op.text_property("modifier")
    if size not in (4, 8, 16):
        return f"size is {size}, expected 4, 8 or 16"
    if modifier == "cg" and size != 16:
        return f"size is {size}, expected 16 for cache = cg"
    kinds = tuple(value.type for value in op.operands)
    if kinds[:2] != (SHARED, GLOBAL) or kinds[2:] not in ((), (i32,)):
        return "expected a shared pointer, a global pointer and maybe an i32"
    return None


def _copy_target(op: Any) -> str:
    size, modifier = op.int_property("size"), op.text_property("modifier")
    suffix = ".s" if len(op.operands) == 3 else ""
    return f"cp.async.{modifier}.shared.global.{size}{suffix}"


def _bulk_wait_target(op: Any) -> str:
    return "cp.async.bulk.wait.group" + (".read" if op.flag("read") else "")


_COPIES = {
    "cp.async.shared.global": Row(
        "Starts a copy of 4, 8 or 16 bytes; with a third operand, so many and zeros after them.",
        "$0 , $1 , #size , cache = @modifier (? , $2 ?) {} : T*",
        _copy_target,
        None,
        (),
        AMPERE,
        keywords=(("modifier", ("ca", "cg")),),
        check=_copy_check,
    ),
    "cp.async.commit.group": Row(
        "The copies so far are a group.", "{}", "cp.async.commit.group", (), (), AMPERE
    ),
    "cp.async.wait.group": Row(
        "Waits until at most so many groups are under way.",
        "#n {}",
        "cp.async.wait.group",
        (),
        (),
        AMPERE,
        immediates=("n",),
    ),
    "cp.async.mbarrier.arrive.shared": Row(
        "The mbarrier is arrived at when the thread's copies are done.",
        "$0 {} : T*",
        "cp.async.mbarrier.arrive.shared",
        (SHARED,),
        (),
        AMPERE,
    ),
    "cp.async.bulk.commit.group": Row(
        "The bulk copies so far are a group.", "{}", "cp.async.bulk.commit.group", (), (), HOPPER
    ),
    "cp.async.bulk.wait_group": Row(
        "Waits until at most so many groups of bulk copies are under way (or have been read).",
        "#group {}",
        _bulk_wait_target,
        (),
        (),
        HOPPER,
        immediates=("group",),
    ),
}


def _inline_target(op: Any) -> str:
    return f"ptx:{op.text_property('ptxCode')}"


def _inline_check(op: Any) -> str | None:
    tied = op.int_property("tied")
    if not tied:
        return None
    kinds = [result.type for result in op.results]
    if len(kinds) == 1 and isinstance(kinds[0], StructType):
        kinds = list(kinds[0].fields.data)
    found = [value.type for value in op.operands[:tied]]
    if len(kinds) >= tied and found == kinds[:tied]:
        return None
    return f"expected the first {tied} operands to have the types of the results"


def _inline_needs(op: Any) -> Needs:
    return Needs(op.int_property("sm", 75), op.int_property("ptx", 63))


_INLINE = {
    "inline_ptx": Row(
        "PTX as it is, with $0, $1 … for results, then operands; `tied` ones are in its results. "
        "`sm` and `ptx` (84 for version 8.4) are what it needs.",
        "@@ptxCode ($*) {} : F",
        _inline_target,
        needs=_inline_needs,
        check=_inline_check,
    ),
}

TABLE: dict[str, Row] = {
    **_registers(),
    **_BARRIERS,
    **_LANES,
    **_ORDER,
    **_COPIES,
    **WGMMA_ROWS,
    **WMMA_ROWS,
    **MATRIX_ROWS,
    **BULK_ROWS,
    **_INLINE,
}
