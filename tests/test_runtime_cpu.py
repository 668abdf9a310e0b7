"""The CPU device: loading, launching, spreading over threads, and reporting."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtime_kernels import (
    COUNT,
    DEVICE,
    EMPTY,
    SPIN,
    artifact,
    fail_at,
    kernel,
    llvm,
    packed,
    print_all,
)

import stepwell as sw
from stepwell.lowering.emit.archive import archive
from stepwell.runtime.artifact import Artifact, Form, Site
from stepwell.runtime.cpu import CpuDevice
from stepwell.runtime.cpu_archs import CPU_ARCHS
from stepwell.runtime.cpu_code import why_unfit
from stepwell.runtime.cpu_kernel import CpuKernel
from stepwell.runtime.cpu_pool import pool
from stepwell.runtime.errors import (
    ArtifactError,
    DeviceError,
    KernelError,
    LaunchError,
    OutOfBounds,
)
from stepwell.runtime.launch_shape import LaunchOptions
from stepwell.runtime.object_files import object_files

BOUNDS = Site("bounds", "index {} of {}", ("index", "index"), __file__, 3, 5, "k")
PRINT = Site("print", "block {} has {}", ("index", "i32"))
ONE = (1, 1, 1)


@pytest.fixture(autouse=True)
def interruptible() -> Generator[None]:
    """Ctrl-C raises also where the tests run in the background, with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def four_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_NUM_THREADS", "4")


def counts(number: int) -> np.ndarray[Any, Any]:
    return np.zeros(number, np.int64)


@pytest.mark.parametrize("grid", [(1, 1, 1), (7, 1, 1), (3, 5, 7), (1000, 1, 1)])
def test_every_block_runs_once(grid: tuple[int, int, int]) -> None:
    number = grid[0] * grid[1] * grid[2]
    seen, launch = counts(number + 1), kernel().launcher(grid, (4, 2, 1))
    for times in range(1, 20):
        launch(packed(seen))
        assert (seen[:-1] == times).all()
    assert seen[-1] == 0


@pytest.mark.usefixtures("four_threads")
def test_long_launches_run_every_block_once_on_several_threads() -> None:
    seen, spin = counts(500), kernel(SPIN)
    launch = spin.launcher((500, 1, 1), ONE)
    for times in range(1, 6):
        launch(packed(seen, 3000))
        assert (seen == times).all()
    workers = [t for t in threading.enumerate() if t.name.startswith("stepwell-worker")]
    assert 1 <= len(workers) <= 3
    assert spin.thread_ns > 1000


@pytest.mark.usefixtures("four_threads")
def test_short_launches_stay_on_their_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    shared: list[int] = []

    def run(entry: int, packed: bytes, launch: int, helpers: int, *more: int) -> tuple[bool, int]:
        shared.append(helpers)
        return share(entry, packed, launch, helpers, *more)

    share = pool.run
    monkeypatch.setattr(pool, "run", run)
    seen, launch = counts(64), kernel().launcher((64, 1, 1), ONE)
    for _ in range(1000):
        launch(packed(seen))
    assert (seen == 1000).all()
    assert len(shared) < 50  # a busy machine may make some of them look long


@pytest.mark.usefixtures("four_threads")
def test_an_estimate_that_was_wrong_is_corrected() -> None:
    seen, spin = counts(400), kernel(SPIN)
    launch = spin.launcher((400, 1, 1), ONE)
    launch(packed(seen, 1))
    small = spin.thread_ns
    launch(packed(seen, 20000))
    launch(packed(seen, 20000))
    assert spin.thread_ns > 100 * small
    assert (seen == 3).all()


def test_no_blocks_launch_nothing() -> None:
    seen = counts(4)
    kernel().launcher((0, 4, 1), ONE)(packed(seen))
    assert not seen.any()


@pytest.mark.parametrize(
    ("grid", "block", "shared", "message"),
    [
        (ONE, (1025, 1, 1), 0, "1025 threads; cpu:0 takes up to 1024"),
        (ONE, (32, 33, 1), 0, "1056 threads"),
        (ONE, (0, 1, 1), 0, "is empty"),
        ((2**31, 1, 1), ONE, 0, "over what cpu:0 takes"),
        (ONE, ONE, 300_000, "300000 bytes of shared memory"),
        (ONE, ONE, -1, "shared memory"),
    ],
)
def test_launches_over_the_limits_are_refused(
    grid: Any, block: Any, shared: int, message: str
) -> None:
    with pytest.raises(LaunchError, match=message):
        kernel().launcher(grid, block, shared)


def test_options_that_the_device_has_not_are_refused() -> None:
    with pytest.raises(LaunchError, match="needs cooperative_launch; cpu:0 has not"):
        kernel().launcher(ONE, ONE, options=LaunchOptions(cooperative=True))


def test_a_kernel_with_a_fixed_block_takes_no_other() -> None:
    with pytest.raises(LaunchError, match=r"compiled for blocks of \(64, 1, 1\), got \(32, 1, 1\)"):
        kernel(known_block=(64, 1, 1)).launcher(ONE, (32, 1, 1))


def test_a_block_may_have_no_more_threads_than_the_code_has_room_for() -> None:
    kernel(most_threads=64).launcher(ONE, (8, 8, 1))
    with pytest.raises(LaunchError, match="65 threads; its code has room for 64"):
        kernel(most_threads=64).launcher(ONE, (65, 1, 1))


def test_a_kernel_of_another_device_is_refused() -> None:
    with pytest.raises(DeviceError, match="is loaded on"):
        CpuDevice().launch(kernel(), ONE, ONE, packed(counts(1)))
    seen = counts(1)
    DEVICE.launch(kernel(), ONE, ONE, packed(seen))
    assert seen[0] == 1


@pytest.mark.parametrize("blocks", [1, 10, 5000])
@pytest.mark.usefixtures("four_threads")
def test_a_failed_check_raises_and_the_next_launch_is_clean(blocks: int) -> None:
    failing = kernel(fail_at(blocks - 1), (BOUNDS,))
    launch = failing.launcher((blocks, 1, 1), ONE)
    for _ in range(30):
        with pytest.raises(OutOfBounds, match=f"index {blocks - 1} of 10") as caught:
            launch(packed(counts(1)))
        assert caught.value.block == (blocks - 1, 0, 0)
        assert caught.value.thread == (1, 2, 3)
        assert caught.value.more == 0
    failing.launcher((blocks - 1, 1, 1), ONE)(packed(counts(1)))


def test_prints_arrive_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    launch = kernel(print_all(), (PRINT,)).launcher((5, 1, 1), ONE)
    for _ in range(2):
        launch(packed(counts(1)))
        lines = [f"block {block} has 7" for block in range(5)]
        assert capsys.readouterr().out.splitlines() == lines


def test_printing_is_no_work_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def print_slowly(*what: object) -> None:
        time.sleep(0.02)

    run: Any = kernel(print_all(), (PRINT,)).launcher(ONE, ONE)
    launcher = run.__self__
    monkeypatch.setattr("builtins.print", print_slowly)
    for _ in range(3):  # the first launches only see what a block costs
        launcher.block_ns = 100.0
        run(packed(counts(1)))
    assert launcher.block_ns < 20e6


def test_a_full_report_buffer_counts_what_is_lost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPWELL_REPORT_WORDS", "40")
    launch = kernel(print_all(), (PRINT,)).launcher((10, 1, 1), ONE)
    for _ in range(2):
        launch(packed(counts(1)))
        out, err = capsys.readouterr()
        assert out.count("\n") == 2
        assert "at least 8 printed lines were lost" in err


def test_a_failure_without_room_for_its_report_still_raises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STEPWELL_REPORT_WORDS", "5")
    with pytest.raises(KernelError, match="STEPWELL_REPORT_WORDS"):
        kernel(fail_at(0), (BOUNDS,)).launcher(ONE, ONE)(packed(counts(1)))


@pytest.mark.usefixtures("four_threads")
def test_many_python_threads_launch_at_once() -> None:
    spin, failing = kernel(SPIN), kernel(fail_at(3), (BOUNDS,))
    launch, launch_failing = spin.launcher((64, 1, 1), ONE), failing.launcher((8, 1, 1), ONE)
    errors: list[BaseException] = []

    def work(rounds: int) -> None:
        try:
            seen = counts(64)
            for times in range(1, 40):
                launch(packed(seen, rounds))
                assert (seen == times).all()
                with pytest.raises(OutOfBounds):
                    launch_failing(packed(seen))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(rounds,)) for rounds in (10, 500, 3000, 3000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.usefixtures("four_threads")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_launches_on_threads_of_its_own() -> None:
    seen, spin = counts(200), kernel(SPIN)
    launch = spin.launcher((200, 1, 1), ONE)
    launch(packed(seen, 5000))
    launch(packed(seen, 5000))
    child = os.fork()
    if child == 0:  # no pytest in here: report by the exit status
        before = threading.active_count()
        launch(packed(seen, 5000))
        launch(packed(seen, 5000))
        os._exit(0 if (seen == 4).all() and threading.active_count() > before else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    launch(packed(seen, 5000))
    assert (seen == 3).all()


@pytest.mark.usefixtures("four_threads")
def test_an_interrupt_waits_for_the_workers_and_spoils_nothing() -> None:
    seen, spin = counts(400), kernel(SPIN)
    launch = spin.launcher((400, 1, 1), ONE)
    launch(packed(seen, 20000))
    interrupted = 0
    for delay in (0.001, 0.004, 0.008, 0.012, 0.016):
        seen[:] = 0
        timer = threading.Timer(delay, signal.raise_signal, (signal.SIGINT,))
        try:
            timer.start()  # in here: on a busy machine the signal comes before the launch
            launch(packed(seen, 20000))
            timer.join()
        except KeyboardInterrupt:
            interrupted += 1
        after = seen.copy()
        time.sleep(0.005)
        assert (seen == after).all()
        assert after.max() <= 1
    assert interrupted
    seen[:] = 0
    launch(packed(seen, 20000))
    assert (seen == 1).all()


@pytest.mark.parametrize("threads", ["1", "4"])
def test_a_long_launch_can_be_interrupted(monkeypatch: pytest.MonkeyPatch, threads: str) -> None:
    monkeypatch.setenv("STEPWELL_NUM_THREADS", threads)
    seen, spin = counts(100_000), kernel(SPIN)
    launch = spin.launcher((100_000, 1, 1), ONE)

    def interrupt() -> None:
        """Once the launch has begun, however busy the machine is."""
        end = time.monotonic() + 20
        while not seen.any() and time.monotonic() < end:
            time.sleep(0.001)
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        launch(packed(seen, 100_000))
    assert 0 < seen.sum() < 100_000


def test_reports_that_were_read_are_cleared() -> None:
    launch: Any = kernel(fail_at(0), (BOUNDS,)).launcher(ONE, ONE)
    with pytest.raises(OutOfBounds):
        launch(packed(counts(1)))
    (state,) = launch.__self__._free
    assert state.report[0] == 0
    assert not state.report[4:].any()


def test_ten_thousand_launches_need_no_more_memory() -> None:
    launches = [
        kernel().launcher((2, 1, 1), ONE),
        kernel(EMPTY, (BOUNDS,)).launcher((2, 1, 1), ONE),
        kernel(EMPTY, (PRINT,)).launcher(ONE, ONE),
    ]
    arguments = packed(seen := counts(2))

    def launch_all(times: int) -> None:
        for _ in range(times):
            for launch in launches:
                launch(arguments)

    launch_all(1000)
    gc.collect()
    before = resident_bytes()
    launch_all(10_000)
    assert resident_bytes() - before < 1 << 20
    assert seen.tolist() == [11_000, 11_000]


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_artifacts_for_other_machines_are_refused() -> None:
    good = artifact()

    def load(**fields: Any) -> None:
        changed = Artifact(good.manifest._replace(**fields), good.payload)
        assert fields.keys() == {"entry"} or not DEVICE.accepts(changed.manifest)
        DEVICE.load(changed)

    assert DEVICE.accepts(good.manifest)
    with pytest.raises(ArtifactError, match="is for 'cuda', not for 'cpu'"):
        load(target="cuda")
    with pytest.raises(ArtifactError, match="is for riscv64 processors"):
        load(triple="riscv64-unknown-linux-gnu")
    with pytest.raises(ArtifactError, match="needs the CPU features warp9, which this"):
        load(features=("+warp9", "-avx512f"))
    with pytest.raises(ArtifactError, match="is for i386, this processor is"):
        load(cpu="i386")
    with pytest.raises(ArtifactError, match="has no entry 'other'"):
        load(entry="other")


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"garbage", b"\x7fELF\x02\x01\x01" + b"\xff" * 100, b"\x7fELF"),
        *(b"!<arch>\n", b"!<arch>\ngarbage", archive([("k.o", b"\x7fELF")])),
    ],
)
def test_a_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(ArtifactError):
        DEVICE.load(artifact()._replace(payload=payload))


@pytest.mark.parametrize("cpu", ["", "generic", llvm.get_host_cpu_name()])
def test_code_for_this_cpu_is_accepted(cpu: str) -> None:
    assert DEVICE.accepts(artifact(cpu=cpu).manifest)


def test_the_levels_of_x86_are_sets_of_known_features() -> None:
    features = llvm.get_host_cpu_features()
    if "avx2" not in features:
        pytest.skip("not an x86 processor")
    for level in ("x86-64-v2", "x86-64-v3", "x86-64-v4"):
        manifest = artifact(cpu=level).manifest
        assert DEVICE.accepts(manifest) or "needs the CPU features" in str(why_unfit(manifest))
    assert all(name in features for name in CPU_ARCHS["x86-64-v4"].features)


def test_code_goes_when_its_kernel_goes() -> None:
    for _ in range(3):
        loaded = kernel()
        assert isinstance(loaded, CpuKernel)
        loaded.launcher(ONE, ONE)(packed(counts(1)))
        del loaded
        gc.collect()


def run(code: str, **environment: str) -> str:
    path = ":".join([str(Path(__file__).parent), *sys.path])
    env = {**os.environ, "PYTHONPATH": path, **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_the_number_of_threads_is_set_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = "from stepwell.runtime.cpu_pool import thread_count; print(thread_count())"
    assert run(code, STEPWELL_NUM_THREADS="7") == "7\n"
    assert "expected a number from 1" in run(code, STEPWELL_NUM_THREADS="0")
    pinned = f"import os; os.sched_setaffinity(0, [{min(os.sched_getaffinity(0))}]); {code}"
    monkeypatch.delenv("STEPWELL_NUM_THREADS", raising=False)
    assert run(pinned) == "1\n"


def next_element(x: Any, y: Any) -> None:
    i = sw.global_id(0)
    y[i] = x[i + 1]


def test_perf_is_told_of_each_function_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_PERF", "1")
    types = (sw.Array[sw.f32, 1], sw.Array[sw.f32, 1])
    made = sw.kernel(next_element).compile(types, form=Form(over=1))
    told = Path(f"/tmp/perf-{os.getpid()}.map")
    loaded = DEVICE.load(made)
    rows = [line.split() for line in told.read_text().splitlines()]
    told.unlink()
    names = {name for _, _, name in rows}
    expected = {"next_element", "next_element.cold0"}
    assert names == {f"stepwell::{name}" for name in expected}
    taken = sorted((int(start, 16), int(size, 16)) for start, size, _ in rows)
    assert isinstance(loaded, CpuKernel) and loaded.code.address in dict(taken)
    assert all(start + size <= after for (start, size), (after, _) in pairwise(taken))
    assert all(size > 10 for _, size in taken)


def test_code_in_two_object_files_is_an_archive_that_other_programs_read(tmp_path: Path) -> None:
    if (ar := shutil.which("ar")) is None:
        pytest.skip("needs ar")
    types = (sw.Array[sw.f32, 1], sw.Array[sw.f32, 1])
    payload = sw.kernel(next_element).compile(types, form=Form(over=1)).payload
    file = tmp_path / "next_element.a"
    file.write_bytes(payload)
    members = subprocess.run([ar, "t", file], capture_output=True, text=True, check=True).stdout
    assert members.split() == ["optimised.o", "as_it_is.o"]
    for member, content in zip(members.split(), object_files(payload), strict=True):
        read = subprocess.run([ar, "p", file, member], capture_output=True, check=True).stdout
        assert read == content


def test_the_hand_written_kernels_are_what_they_say() -> None:
    assert artifact(COUNT).payload.startswith(b"\x7fELF")
