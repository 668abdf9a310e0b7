"""What is used of the CUDA driver is what cuda.bindings has, and what the tests' driver has."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cuda_devices import library_of, simulated
from oracles.cuda_driver.device import open_simulated
from oracles.cuda_driver.library import Library

from stepwell.runtime.cuda import driver, find
from stepwell.runtime.cuda.device import open_devices
from stepwell.runtime.cuda.driver import CudaError, Driver, NoCuda, open_driver
from stepwell.runtime.cuda.properties import read_properties, why_unusable
from stepwell.runtime.cuda.table import ENUMERATIONS, FUNCTIONS, STICKY, STRUCTURES


@pytest.fixture(scope="module")
def bindings() -> Any:
    return pytest.importorskip("cuda.bindings.driver", reason="needs cuda-bindings")


def _give(library: Library) -> Any:
    """In place of `import_module`."""

    def importing(name: str) -> Library:
        return library

    return importing


def plain(parameters: tuple[str, ...]) -> list[str]:
    return [parameter.partition(":")[0] for parameter in parameters]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_take_what_the_bindings_take(bindings: Any, name: str) -> None:
    """By the first line of a function's text: `cuMemAlloc(size_t bytesize)`."""
    head = getattr(bindings, name).__doc__.strip().split("\n")[0]
    inside = re.sub(r"\[[^()]*?\](?=[,)]|$)", "", head[head.index("(") + 1 : head.rindex(")")])
    found = [part.split(":")[0].split()[-1].lstrip("*") for part in inside.split(", ") if part]
    assert found == plain(FUNCTIONS[name])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_the_tests_take_the_same(name: str) -> None:
    assert list(inspect.signature(getattr(Library, name)).parameters)[1:] == plain(FUNCTIONS[name])


@pytest.mark.parametrize("name", ENUMERATIONS)
def test_enumerators_have_the_numbers_of_the_bindings(bindings: Any, name: str) -> None:
    row = ENUMERATIONS[name]
    found = {m: int(getattr(getattr(bindings, name), row.prefix + m)) for m in row.members}
    assert found == row.members


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_have_the_fields_that_are_set(bindings: Any, name: str) -> None:
    made = getattr(bindings, name)()
    assert all(hasattr(made, field) for field in STRUCTURES[name])


def test_a_driver_takes_the_bindings_as_they_are(bindings: Any) -> None:
    made = Driver(bindings)
    cluster = made.structure("CUlaunchAttributeValue")
    cluster.clusterDim.x, cluster.clusterDim.y, cluster.clusterDim.z = 2, 3, 1
    kind = made.member("CUlaunchAttributeID", "CLUSTER_DIMENSION")
    attribute = made.structure("CUlaunchAttribute", id=kind, value=cluster)
    config = made.structure("CUlaunchConfig", gridDimX=6, attrs=[attribute], numAttrs=1)
    assert config.gridDimX == 6
    assert (config.attrs[0].value.clusterDim.x, config.attrs[0].value.clusterDim.y) == (2, 3)
    assert int(made.value("CUstream", 1)) == 1


def test_a_call_gives_what_the_function_gives_or_an_error() -> None:
    made = Driver(Library())
    assert made.call("cuInit", 0) is None
    assert made.call("cuDeviceGetCount") == 1
    with pytest.raises(CudaError, match=r"cuDeviceGet failed: CUDA_ERROR_INVALID_DEVICE"):
        made.call("cuDeviceGet", 5)
    with pytest.raises(CudaError, match="CUDA_ERROR_INVALID_CONTEXT"):
        made.call("cuEventCreate", 0)


def test_what_the_tests_do_not_have_is_an_error() -> None:
    with pytest.raises(AttributeError):
        Driver(Library()).value("cuMemcpy2D", 0)


def test_sticky_results_are_those_after_which_nothing_works() -> None:
    names = {name for name, code in ENUMERATIONS["CUresult"].members.items() if code in STICKY}
    assert "ERROR_ILLEGAL_ADDRESS" in names
    assert "ERROR_OUT_OF_MEMORY" not in names
    assert "ERROR_LAUNCH_OUT_OF_RESOURCES" not in names


@pytest.mark.parametrize(
    ("library", "said"),
    [
        (Library(gpus=0), "finds no GPU"),
        (Library(version=12040), r"is for CUDA 12\.4, needed is 13\.0 \(R580\)"),
    ],
)
def test_a_driver_that_cannot_be_used_says_why(
    monkeypatch: pytest.MonkeyPatch, library: Library, said: str
) -> None:
    monkeypatch.setattr(driver, "import_module", _give(library))
    assert find.find() == []
    assert re.search(said, find.why_missing() or "")


def test_without_libcuda_the_reason_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Library):
        def cuInit(self, Flags: int) -> None:  # noqa: N802, N803
            raise RuntimeError("Failed to dlopen libcuda.so.1")

    monkeypatch.setattr(driver, "import_module", _give(Broken()))
    with pytest.raises(NoCuda, match=r"Failed to dlopen libcuda.so.1.*install NVIDIA's driver"):
        open_driver()


def test_bindings_without_a_function_are_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    old = Library()
    del vars(old)["CUstreamCaptureMode"]
    monkeypatch.setattr(driver, "import_module", _give(old))
    with pytest.raises(NoCuda, match=r"cuda.bindings are too old.*CUstreamCaptureMode"):
        open_driver()


def test_without_the_bindings_the_reason_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    monkeypatch.delitem(sys.modules, "cuda.bindings.driver", raising=False)
    with pytest.raises(NoCuda, match=r"pip install 'stepwell\[cuda\]'"):
        open_driver()


@pytest.mark.parametrize(
    ("capability", "arch"),
    [((7, 5), "sm_75"), ((8, 6), "sm_86"), ((9, 0), "sm_90a"), ((12, 1), "sm_121a"),
     ((8, 8), "sm_87"), ((13, 0), "sm_121")],
)  # fmt: skip
def test_code_is_compiled_for_the_gpu_or_the_last_before_it(
    capability: tuple[int, int], arch: str
) -> None:
    assert open_simulated(Library(capability=capability)).target == f"cuda:{arch}"


def test_gpus_of_before_turing_are_refused() -> None:
    found, reasons = open_devices(Driver(Library(capability=(7, 0))))
    assert found == []
    assert "is sm_70, needed is sm_75" in reasons[0]


def test_features_are_those_of_the_gpu() -> None:
    older = Driver(Library(capability=(8, 0)))
    newer = Driver(Library(capability=(9, 0)))
    hopper = {"clusters", "tensor_maps", "overlapped_launch"}
    assert not hopper & read_properties(older, 0).features
    assert hopper <= read_properties(newer, 0).features
    assert why_unusable(read_properties(newer, 0)) is None


def test_a_device_asks_for_nothing_before_it_is_used() -> None:
    with simulated() as device:
        calls = library_of(device).calls
        assert "cuDevicePrimaryCtxRetain" not in calls
        device.empty(4)
        assert calls.count("cuDevicePrimaryCtxRetain") == 1


def test_the_runtime_works_through_the_real_bindings() -> None:
    """In a process of its own, over the driver of the tests as a shared library."""
    script = Path(__file__).with_name("cuda_through_bindings.py")
    environment = {key: text for key, text in os.environ.items() if key != "STEPWELL_VALIDATE"}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=300
    )
    if done.returncode == 77:
        pytest.skip(done.stdout.strip())
    assert (done.returncode, done.stdout) == (0, "all right\n"), done.stderr
