"""`@kernel`, and what a user does with one: launch it, look at it.

A `Kernel` is compiled when it is called. The compiler, and with it xDSL, is loaded when no cache
has the artifact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, overload

from .dialects.diagnostics import CompileError
from .language.options import Hints, Options
from .launch import Program
from .registry import near_matches
from .runtime.artifact import Form
from .runtime.device import Device
from .runtime.devices import device as find_device
from .runtime.errors import ArrayError, LaunchError
from .runtime.launch_shape import dim3
from .specialise import Specialiser, aligned_types
from .tracebacks import tells_in_short

if TYPE_CHECKING:
    from .runtime.artifact import Artifact

ANY_GRID = Form()


class Kernel(Program):
    """A Python function that runs on devices; made by `@kernel`.

    `checks=False` leaves out the checks of indices, divisors and asserts. `fastmath` says in what
    float operations need not be exact, by LLVM's names: "contract" (a product and a sum are rounded
    once, and exp may differ between devices in its last bit), "reassoc", "nnan", "ninf", "nsz",
    "arcp" (a reciprocal may be multiplied by), "afn" (functions may be approximate); one, several,
    or True for all.
    `block` is the block of every launch, threads of x, y and z: code is made for it (a GPU gives
    each thread as many registers as so many threads leave it), and another one is a LaunchError.

    The rest is for NVIDIA GPUs. `min_blocks_per_sm`: so many blocks fit a multiprocessor together,
    `max_registers`: a thread takes at most so many; other devices have no use for these.
    `cluster`: so many neighbouring blocks of x, y and z run together and reach each other's shared
    memory (sm_90 or later; a CompileError elsewhere); the grid is a multiple of it.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        checks: bool,
        fastmath: bool | str | Sequence[str],
        block: int | Sequence[int] | None,
        hints: Hints,
    ):
        super().__init__()
        hints.check()
        self.block = None if block is None else dim3(block, "block")
        self.cluster = hints.cluster
        self.options = Options(checks, fast_math_flags(fastmath), self.block, hints)
        update_wrapper(self, function)
        self.function = function
        self._specialiser = Specialiser(function)
        self.parameter_names = self._specialiser.parameter_names
        self.key = self._key_at_first

    def _key_at_first(self, arguments: Sequence[Any]) -> Any:
        """Annotations are looked at when the kernel is first called, not when it is defined."""
        self.key = self._specialiser.key
        return self.key(arguments)

    if TYPE_CHECKING:
        # To checkers, which find calls with arguments so, and still take it for a function.
        def __call__(self) -> None: ...
    else:

        def __call__(self, *arguments: Any, **keywords: Any) -> Any:
            raise LaunchError(
                f"kernel {self.__name__} needs the shape of its launch: write "
                f"{self.__name__}.over(n)(…) or {self.__name__}[grid, block](…)"
            )

    def artifact_for(self, arguments: Sequence[Any], form: Form, on: Device) -> Artifact:
        """Compile for the types of the arguments, or take what a cache has."""
        types = self._specialiser.types_of(arguments)
        if form.disjoint:  # else nothing is known of arrays
            types = aligned_types(types, arguments)
        return self.compile(types, target=on.target + on.variant(arguments), form=form)

    def parameter_types(self, types: Sequence[Any]) -> tuple[Any, ...]:
        """Types (or sample arguments) held against the kernel's annotations."""
        if len(types) != len(self.parameter_names):
            raise ArrayError(
                f"kernel {self.__name__} has {len(self.parameter_names)} parameters "
                f"({', '.join(self.parameter_names)}), got {len(types)} types"
            )
        return self._specialiser.types_of(types)

    def compile(
        self, types: Sequence[Any], *, target: str = "cpu", form: Form = ANY_GRID
    ) -> Artifact:
        """The artifact for these parameter types, from the disk cache where it has one."""
        from .caching import cached_artifact

        return cached_artifact(self, tuple(types), target, form)

    def arrange(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """See `Program.arrange`."""
        return self._specialiser.arrange(arguments, keywords)

    @tells_in_short
    def ir(
        self,
        level: str,
        *arguments: Any,
        over: int | Sequence[int] | None = None,
        target: str = "cpu",
        small: bool = False,
        disjoint: bool = False,
        sizes: bool = False,
        streams: bool = False,
    ) -> str:
        """The kernel as text at a level: "simt", "gpu", "cpu", "llvm" or "asm", or as LLVM's "ll".

        Other targets have their own levels, such as "nvvm" and "ptx", or "shader" and "spvasm".
        The arguments are those of a call (or their types); `over` is the rank of an `over` launch,
        or its shape, and without it the code is that of grids of blocks of any shape; `small` and
        `disjoint` are as in `compile`; with `sizes` it is the code of launches on GPUs that are
        held to sizes of arrays, without the checks that these make needless; `streams` is for
        launches that write more than the caches of a CPU hold.
        """
        from .compiler import print_level

        types = self._specialiser.types_of(self.arrange(arguments, {}))
        form = Form(over_rank(over), small=small, disjoint=disjoint, sizes=sizes, streams=streams)
        return print_level(self, types, level, target=target, form=form)

    @tells_in_short
    def explain(
        self,
        *arguments: Any,
        over: int | Sequence[int] | None = None,
        device: str | Device | None = None,
        uniformity: bool = False,
        streams: bool = False,
    ) -> str:
        """What the compiler makes of the kernel for a device, in words.

        Says which checks remain, what memory a block needs, and everything that stands for
        something that the device lacks; with `uniformity`, also which branches and accesses
        differ between the lanes of a subgroup; with `streams`, of launches that write more than the
        caches of a CPU hold. The arguments are those of a call (or their types).
        """
        from .explain import explain

        types = self._specialiser.types_of(self.arrange(arguments, {}))
        target = find_device(device).target
        return explain(
            self, types, target, Form(over_rank(over), streams=streams), uniformity=uniformity
        )

    def __repr__(self) -> str:
        return f"<kernel {self.__name__}({', '.join(self.parameter_names)})>"


@overload
def kernel(function: Callable[..., Any], /) -> Kernel: ...
@overload
def kernel(
    *,
    checks: bool = True,
    fastmath: bool | str | Sequence[str] = False,
    block: int | Sequence[int] | None = None,
    min_blocks_per_sm: int | None = None,
    max_registers: int | None = None,
    cluster: int | Sequence[int] | None = None,
) -> Callable[[Callable[..., Any]], Kernel]: ...
def kernel(
    function: Callable[..., Any] | None = None,
    /,
    *,
    checks: bool = True,
    fastmath: bool | str | Sequence[str] = False,
    block: int | Sequence[int] | None = None,
    min_blocks_per_sm: int | None = None,
    max_registers: int | None = None,
    cluster: int | Sequence[int] | None = None,
) -> Kernel | Callable[[Callable[..., Any]], Kernel]:
    """Make a Python function a kernel; see `Kernel` for the options."""
    blocks = None if cluster is None else dim3(cluster, "cluster")
    hints = Hints(min_blocks_per_sm, max_registers, blocks)

    def make(function: Callable[..., Any]) -> Kernel:
        return Kernel(function, checks=checks, fastmath=fastmath, block=block, hints=hints)

    return make if function is None else make(function)


_FLAGS = ("reassoc", "nnan", "ninf", "nsz", "arcp", "contract", "afn")


def fast_math_flags(given: bool | str | Sequence[str]) -> tuple[str, ...]:
    """The flags in LLVM's order; CompileError for others."""
    if isinstance(given, bool):
        return _FLAGS if given else ()
    asked = (given,) if isinstance(given, str) else tuple(given)
    for flag in asked:
        if flag not in _FLAGS:
            raise CompileError(
                f"fastmath= has the flag {flag!r}", hint=near_matches(flag, list(_FLAGS))
            )
    return tuple(flag for flag in _FLAGS if flag in asked)


def over_rank(over: int | Sequence[int] | None) -> int | None:
    """The rank of an `over` launch that is given by its rank or by its shape."""
    rank = len(over) if isinstance(over, Sequence) else over
    if isinstance(over, str) or rank not in (None, 1, 2, 3):
        hint = "a number of items is a shape of rank 1: over=(n,)"
        raise CompileError(
            f"over={over!r}, expected the rank of an over() launch (1 to 3) or its shape", hint=hint
        )
    return rank
