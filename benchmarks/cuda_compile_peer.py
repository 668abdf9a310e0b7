"""One contender of `cuda_compile.py`: compiles a kernel each time it is told its name.

    python benchmarks/cuda_compile_peer.py stepwell|numba|triton

A process of its own, since the compilers need not live in one environment. Says what it is and
which kernels it has in one line of JSON, then answers each line on standard input (the name of a
kernel) by a line of JSON: seconds and the PTX's length, or an error. Standard output holds nothing
else.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from time import perf_counter

# No contender may take a result from disk.
os.environ["STEPWELL_CACHE"] = "0"
os.environ["TRITON_ALWAYS_COMPILE"] = "1"

Compile = Callable[[str], tuple[float, str]]
# How to compile, versions, names of kernels.
Contender = tuple[Compile, dict[str, str], list[str]]


def stepwell() -> Contender:
    """`sw.compile` for one form of launch, checks on as by default; the artifact's payload is PTX.

    A kernel is made anew each time, so that nothing of it is known.
    """
    from cuda_kernels import SUBJECTS

    import stepwell as sw

    subjects = {subject.name: subject for subject in SUBJECTS}

    def compile(name: str) -> tuple[float, str]:
        subject = subjects[name]
        start = perf_counter()
        made = subject.kernel()
        bundle = sw.compile(made, subject.types, target="cuda:sm_90", over=None)
        taken = perf_counter() - start
        return taken, bundle.artifacts[0].payload.decode()

    return compile, {"stepwell": sw.__version__}, list(subjects)


def numba() -> Contender:
    """`cuda.compile_ptx`, which keeps nothing of the kernel itself."""
    from cuda_compile_numba import KERNELS
    from numba import cuda

    def compile(name: str) -> tuple[float, str]:
        function, types = KERNELS[name]
        start = perf_counter()
        text, _ = cuda.compile_ptx(function, types, cc=(9, 0))
        return perf_counter() - start, text

    found = {"numba": version("numba"), "numba-cuda": version("numba-cuda")}
    return compile, found, list(KERNELS)


def triton() -> Contender:
    """`triton.compile` up to PTX: the stages after it (ptxas) are taken off, by its own clock."""
    import triton
    from cuda_compile_triton import SOURCES
    from triton.backends.compiler import GPUTarget

    after: list[float] = []

    def seen(*, times: object, **_: object) -> None:
        stages = dict(times.lowering_stages)  # type: ignore[attr-defined]
        after.append((stages["cubin"] + times.store_results) / 1e6)  # type: ignore[attr-defined]

    triton.knobs.compilation.listener = seen

    def compile(name: str) -> tuple[float, str]:
        start = perf_counter()
        made = triton.compile(SOURCES[name](), target=GPUTarget("cuda", 90, 32))
        taken = perf_counter() - start
        return taken - after[-1], made.asm["ptx"]

    return compile, {"triton": version("triton")}, list(SOURCES)


def main() -> int:
    """Serve."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(**values: object) -> None:
        print(json.dumps(values), file=answers, flush=True)

    try:
        start = {"stepwell": stepwell, "numba": numba, "triton": triton}[sys.argv[1]]
        compile, versions, kernels = start()
    except ImportError as error:
        say(error=f"cannot be imported: {error}")
        return 1
    say(versions=versions, kernels=kernels)
    for line in sys.stdin:
        try:
            seconds, text = compile(line.strip())
        except Exception as error:
            say(error=f"{type(error).__name__}: {str(error).strip().splitlines()[-1:]}")
        else:
            say(seconds=seconds, length=len(text), correct=".entry" in text and "sm_90" in text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
