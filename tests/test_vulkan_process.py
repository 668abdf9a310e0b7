"""Vulkan in processes of their own: start, validation, watchdog, interrupts, exit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from ctypes.util import find_library
from pathlib import Path

import pytest
from vulkan_devices import driver_file, open_device
from vulkan_kernels import GLSLANG, artifact

from stepwell.runtime.arguments import make_packer
from stepwell.runtime.cache import Cache
from stepwell.runtime.vulkan.find import GPU_FILES

DRIVERS = ("lavapipe", "swiftshader")
SETUP = """
import sys
import numpy as np
from vulkan_kernels import GLSLANG, artifact
from stepwell.runtime.arguments import make_packer
from stepwell.runtime.devices import device
def prepared(body, grid=1, **fields):
    made = artifact("bda", body, words=("amount",), **fields)
    array = device("vulkan").zeros(64, "u32")
    run = device("vulkan").load(made).launcher((grid, 1, 1), (64, 1, 1))
    pack = make_packer(made.manifest, [array, 1])
    return array, lambda amount: run(pack([array, amount]))
ADD = "BUFFER0(linear_id()) += P.amount.x;"
ENDLESS = "while (atomicAdd(BUFFER0(0), 0u) == 0u) { }"
"""


@contextmanager
def started(code: str, driver: str, **environment: str) -> Generator[subprocess.Popen[str]]:
    """A process that is gone afterwards, whatever it is at."""
    if GLSLANG is None or find_library("vulkan") is None:
        pytest.skip("needs glslangValidator (glslang-tools) and the Vulkan loader (libvulkan1)")
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "STEPWELL_CACHE_DIR": os.environ["STEPWELL_CACHE_DIR"],
        "VK_DRIVER_FILES": driver_file(driver) if driver in DRIVERS else driver,
        "STEPWELL_VALIDATE": "1",
        **environment,
    }
    command = [sys.executable, "-c", SETUP + code]
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run(code: str, driver: str, **environment: str) -> tuple[str, str]:
    with started(code, driver, **environment) as process:
        out, err = process.communicate(timeout=60)
    need_layer(err)
    return out, err


def need_layer(err: str) -> None:
    if "vulkan-validationlayers" in err:
        pytest.skip("needs the validation layer (vulkan-validationlayers)")


@pytest.mark.parametrize("driver", DRIVERS)
def test_work_that_nobody_waited_for_is_done_and_all_is_released_at_exit(driver: str) -> None:
    code = """
array, launch = prepared(ADD)
stream, event = device("vulkan").stream(), device("vulkan").event()
event.record(stream)
for _ in range(10):
    launch(1)
"""
    assert run(code, driver) == ("", "")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_failed_check_that_nobody_waited_for_is_told_at_exit(driver: str) -> None:
    code = """
from stepwell.runtime.artifact import Site
site = Site("assert", "amount is {} {}", ("u32", "u32"))
array, launch = prepared("if (linear_id() == 5u) report(0u, P.amount.x, 1u);", sites=(site,))
launch(77)
"""
    _, err = run(code, driver)
    assert "AssertionFailed: amount is 77 1" in err


def test_an_endless_kernel_ends_in_an_error_after_the_timeout() -> None:
    code = """
from stepwell.runtime.errors import DeviceLost
array, launch = prepared(ENDLESS)
launch(1)
try:
    array.numpy()
except DeviceLost as error:
    print(error)
"""
    # lavapipe ends every loop after 65535 rounds
    out, err = run(code, "swiftshader", STEPWELL_TIMEOUT="1")
    assert "ends with kernel k did not finish within 1 s (STEPWELL_TIMEOUT)" in out
    assert err == ""


def test_ctrl_c_is_heard_while_waiting() -> None:
    code = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
array, launch = prepared(ENDLESS)
launch(1)
try:
    print("launched", flush=True)  # in here: the signal may come before the wait
    device("vulkan").synchronize()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    with started(code, "swiftshader") as process:
        assert process.stdout is not None, "it is a pipe"
        if process.stdout.readline() != "launched\n":
            _, err = process.communicate()
            need_layer(err)
            pytest.fail(err)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - sent < 1
        assert process.communicate(timeout=20) == ("", "")  # at exit it does not wait for it


def test_a_message_of_the_validation_layer_is_raised_by_the_launch() -> None:
    code = """
array, launch = prepared(ADD)
# A barrier after accesses that compute does not make: wrong, and harmless.
device("vulkan").core.default.commands._to_host.srcAccessMask = 4
launch(1)
"""
    _, err = run(code, "lavapipe")
    assert "DeviceError: the Vulkan validation layer objects to kernel k at <string>:" in err
    assert "VUID-vkCmdPipelineBarrier" in err
    assert 'File "<string>", line 19' in err


def test_two_drivers_are_two_devices_and_one_can_be_chosen() -> None:
    both = os.pathsep.join(map(driver_file, DRIVERS))
    code = """
from stepwell.runtime.devices import devices
for found in devices():
    print(found.name, found.description)
"""
    out, _ = run(code, both, STEPWELL_VALIDATE="0")
    assert [line.split()[0] for line in out.splitlines()] == ["cpu:0", "vulkan:0", "vulkan:1"]
    out, _ = run(code, both, STEPWELL_VALIDATE="0", STEPWELL_VULKAN_DEVICE="swiftshader")
    assert "SwiftShader" in out
    assert "vulkan:1" not in out
    out, err = run(code + "device('vulkan')", both, STEPWELL_VULKAN_DEVICE="abacus")
    assert "STEPWELL_VULKAN_DEVICE=abacus is none of: " in err
    uuid = err.partition("SwiftShader Device (Subzero) (")[2][:32]
    out, _ = run(code, both, STEPWELL_VALIDATE="0", STEPWELL_VULKAN_DEVICE=uuid)
    assert "SwiftShader" in out


def test_without_a_driver_the_error_says_what_to_install(tmp_path: Path) -> None:
    _, err = run("device('vulkan')", str(tmp_path / "none.json"), STEPWELL_VALIDATE="0")
    assert "there is no device 'vulkan': " in err
    assert "sudo apt-get install libvulkan1 mesa-vulkan-drivers" in err
    assert "there is cpu:0" in err


def test_a_capability_can_be_left_out() -> None:
    code = "print(device('vulkan').target); print(*sorted(device('vulkan').features))"
    out, _ = run(code, "lavapipe", STEPWELL_VULKAN_WITHOUT="bda,int64", STEPWELL_VALIDATE="0")
    profile, features = out.splitlines()
    assert profile.startswith("vulkan:1.6+sg8+exact_division+float32_atomic_add+")
    assert "int64" not in profile.replace("int64_atomics", "").split("+")
    assert "i64" in features.split(), "it is put together of words"
    assert "f64" not in features.split()
    _, err = run(code, "lavapipe", STEPWELL_VULKAN_WITHOUT="wings")
    assert "STEPWELL_VULKAN_WITHOUT names wings; capabilities are: bda, " in err


def test_importing_stepwell_loads_nothing_of_vulkan() -> None:
    code = """
import stepwell
stepwell.device()
print([name for name in sys.modules if "vulkan." in name and "find" not in name])
print("libvulkan" in open("/proc/self/maps").read())
"""
    if any(map(os.path.exists, GPU_FILES)):
        pytest.skip("there is a GPU here, which is looked at for the default device")
    command = [sys.executable, "-c", "import sys" + code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "False"]


def test_the_drivers_cache_of_pipelines_is_kept_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The drivers here store no more than a header, which is not kept otherwise.
    monkeypatch.setattr("stepwell.runtime.vulkan.pipelines.HEADER_BYTES", 0)
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path))
    made = artifact("bda", "BUFFER0(linear_id()) = 1u;")

    def use() -> bytes:
        with open_device("lavapipe") as device:
            array = device.zeros(64, "u32")
            pack = make_packer(made.manifest, [array])
            device.load(made).launcher((1, 1, 1), (64, 1, 1))(pack([array]))
            assert (array.numpy() == 1).all()
        (entry,) = tmp_path.glob("vulkan-*.swc")
        return entry.read_bytes()

    first = use()
    (entry,) = tmp_path.glob("vulkan-*.swc")
    changed = entry.stat().st_mtime_ns
    entry.write_bytes(first[:-1] + bytes([first[-1] ^ 1]))
    assert use() == first  # the damaged one was made anew
    assert entry.stat().st_mtime_ns > changed
    Cache().put(entry.stem, b"of another driver")
    assert use() == first
