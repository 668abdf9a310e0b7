"""Random whole kernels: launches of one to three axes, arrays of any layout, names for one array.

Each thread changes elements of its own only (`PLACES` says which), so that Python, one thread at a
time, gives what every device must give. What is only read is read anywhere: near, clamped, by
remainders, and where the sizes that a launch draws may be too small. All arrays lie in larger
memory (`Memory`), so that a test sees what is written around them and between their elements.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.whole_expressions import HELPERS, read
from conformance.whole_parts import PLACES, Draw, Parameter, Program, indented
from conformance.whole_statements import statements
from hypothesis import strategies as st

TYPES = ("i32", "f32", "u8", "f64", "i16", "i64", "f16", "bf16", "u32", "i8", "u64", "u16")
CLASS = """\
@dataclasses.dataclass
class Pair:
    a: sw.{}
    b: sw.{}


"""


@st.composite
def whole_programs(draw: Draw, of: Sequence[str]) -> Program:
    """A kernel of up to six arrays of these types and the number `n`."""
    rank = draw(st.sampled_from((2, 1, 2, 3)))
    types = draw(st.lists(st.sampled_from(of), min_size=1, max_size=2, unique=True))
    places = st.sampled_from([*PLACES] if rank < 3 else [name for name in PLACES if name != "row"])
    arrays = [Parameter("y0", types[0], "ids")]
    arrays += [Parameter(f"y{n}", dtype, draw(places)) for n, dtype in enumerate(types, 1)]
    arrays += [Parameter(f"x{n}", dtype) for n, dtype in enumerate(types)]
    if draw(st.booleans()):
        first = draw(st.sampled_from(arrays[: 1 + len(types)]))
        arrays.append(Parameter("z", first.dtype, first.place, alias=first.name))
    both = types[0], types[-1]
    if draw(st.integers(0, 2)) == 0:
        arrays.append(Parameter("s", ",".join(both), "ids"))
    program = Program(rank, arrays, guarded=draw(st.booleans()))
    lines = [f"v_{dtype} = {read(draw, program, dtype)}" for dtype in types]
    program.variables = {dtype: f"v_{dtype}" for dtype in types}
    program.pairs = {"p": both, "t": both}
    first, second = (program.variables[dtype] for dtype in both)
    lines += [f"p = Pair({first}, {second})", f"t = {first}, {second}"]
    lines += statements(draw, program, 0)
    if program.guarded:
        inside = [f"{name} < y0.shape[{axis}]" for axis, name in enumerate(program.ids)]
        lines = [f"if {' and '.join(inside)}:", *indented(lines)]
    head = [f"{name} = sw.global_id({axis})" for axis, name in enumerate(program.ids)]
    names = ", ".join(array.name for array in arrays)
    kernel = [f"def kernel({names}, n):", *indented([*head, *lines]), ""]
    program.text = CLASS.format(*both) + HELPERS + "\n".join(kernel)
    return program
