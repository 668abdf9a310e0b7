"""Functions of modules, kernels and launches."""

# ruff: noqa: N802, N803

from __future__ import annotations

from typing import Any

from oracles.cuda_driver.calls import Calls
from oracles.cuda_driver.gpu import ATTRIBUTES
from oracles.cuda_driver.kernels import Code, Function, run_kernel
from oracles.cuda_driver.results import Refused, refuse_if
from oracles.ptx.errors import PtxError
from oracles.ptx.module import Module

from stepwell.runtime.cuda.table import ENUMERATIONS


class KernelCalls(Calls):
    """See the head of the file."""

    def cuModuleLoadDataEx(
        self, image: bytes, numOptions: int, options: list[int], optionValues: list[Any]
    ) -> int:
        assert image.endswith(b"\0"), "PTX ends in a zero"
        assert numOptions == len(options) == len(optionValues)
        given = {int(option): value for option, value in zip(options, optionValues, strict=True)}
        body = image[:-1]
        self.loaded.append(body)
        text = self.machine_code.get(body)
        refuse_if(text is None and body.startswith(b"\x7fELF"), "ERROR_NO_BINARY_FOR_GPU")
        try:
            module = Module(text or body.decode(), self._here.gpu.memory.simulated)
        except (PtxError, UnicodeDecodeError) as error:
            log = given.get(ENUMERATIONS["CUjit_option"].members["ERROR_LOG_BUFFER"])
            if log is not None:
                said = str(error).encode()[: len(log) - 1] + b"\0"
                log[: len(said)] = said
            raise Refused("ERROR_INVALID_PTX") from error
        return self._new(Code(self._here, module, body))

    def cuModuleGetFunction(self, hmod: int, name: bytes) -> int:
        code: Code = self._get(hmod, Code)
        refuse_if(name.decode() not in code.module.entries, "ERROR_NOT_FOUND")
        return self._new(Function(code, name.decode()))

    def cuModuleUnload(self, hmod: int) -> None:
        self._drop(hmod, Code)

    def cuFuncGetAttribute(self, attrib: int, hfunc: int) -> int:
        function: Function = self._get(hfunc, Function)
        members = ENUMERATIONS["CUfunction_attribute"].members
        name = next(name for name, value in members.items() if value == attrib)
        known = {"NUM_REGS": 32, "LOCAL_SIZE_BYTES": 0}
        known["MAX_THREADS_PER_BLOCK"] = function.most_threads
        return known[name]

    def cuFuncSetAttribute(self, hfunc: int, attrib: int, value: int) -> None:
        function: Function = self._get(hfunc, Function)
        members = ENUMERATIONS["CUfunction_attribute"].members
        name = next(name for name, number in members.items() if number == attrib)
        limit = ATTRIBUTES["MAX_SHARED_MEMORY_PER_BLOCK_OPTIN"]
        refuse_if(value + function.static_shared > limit, "ERROR_INVALID_VALUE")
        function.attributes[name] = value

    def cuOccupancyMaxActiveBlocksPerMultiprocessor(
        self, func: int, blockSize: int, dynamicSMemSize: int
    ) -> int:
        function: Function = self._get(func, Function)
        return blocks_at_once(function, blockSize, dynamicSMemSize)

    def cuOccupancyMaxActiveClusters(self, func: int, config: Any) -> int:
        self._get(func, Function)
        [blocks] = [cluster_blocks(a.value) for a in config.attrs if a.id == 4]
        refuse_if(blocks > 8, "ERROR_INVALID_CLUSTER_SIZE")
        return ATTRIBUTES["MULTIPROCESSOR_COUNT"] // blocks

    def cuLaunchKernel(
        self,
        f: int,
        gridDimX: int,
        gridDimY: int,
        gridDimZ: int,
        blockDimX: int,
        blockDimY: int,
        blockDimZ: int,
        sharedMemBytes: int,
        hStream: int,
        kernelParams: int,
        extra: int,
    ) -> None:
        grid, block = (gridDimX, gridDimY, gridDimZ), (blockDimX, blockDimY, blockDimZ)
        self._launch(f, grid, block, sharedMemBytes, hStream, kernelParams)

    def cuLaunchKernelEx(self, config: Any, f: int, kernelParams: int, extra: int) -> None:
        c = config
        assert c.numAttrs == len(c.attrs), "all attributes count"
        grid, block = (c.gridDimX, c.gridDimY, c.gridDimZ), (c.blockDimX, c.blockDimY, c.blockDimZ)
        for attribute in c.attrs:
            self._check_attribute(attribute, grid, block, self._get(f, Function), c.sharedMemBytes)
        self._launch(f, grid, block, c.sharedMemBytes, c.hStream, kernelParams)

    def _check_attribute(
        self, attribute: Any, grid: Any, block: Any, function: Function, shared: int
    ) -> None:
        members = ENUMERATIONS["CUlaunchAttributeID"].members
        value = attribute.value
        if attribute.id == members["COOPERATIVE"]:
            assert value.cooperative == 1, "it is asked for"
            fit = blocks_at_once(function, block[0] * block[1] * block[2], shared)
            most = fit * ATTRIBUTES["MULTIPROCESSOR_COUNT"]
            blocks = grid[0] * grid[1] * grid[2]
            refuse_if(blocks > most, "ERROR_COOPERATIVE_LAUNCH_TOO_LARGE")
        elif attribute.id == members["CLUSTER_DIMENSION"]:
            sizes = value.clusterDim.x, value.clusterDim.y, value.clusterDim.z
            uneven = any(n % size for n, size in zip(grid, sizes, strict=True))
            refuse_if(uneven or cluster_blocks(value) > 8, "ERROR_INVALID_CLUSTER_SIZE")
        else:
            assert attribute.id == members["PROGRAMMATIC_STREAM_SERIALIZATION"], "the others"
            assert value.programmaticStreamSerializationAllowed == 1, "it is asked for"

    def _launch(
        self,
        f: int,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        shared_bytes: int,
        stream: int,
        place: int,
    ) -> None:
        function: Function = self._get(f, Function)
        refuse_if(function.code.context is not self._here, "ERROR_INVALID_HANDLE")
        refuse_if(min(*grid, *block) < 1 or max(grid[1:]) > 65535, "ERROR_INVALID_VALUE")
        refuse_if(block[0] * block[1] * block[2] > 1024, "ERROR_INVALID_VALUE")
        function.check_shared(shared_bytes, ATTRIBUTES["MAX_SHARED_MEMORY_PER_BLOCK_OPTIN"])
        parameters = function.read_parameters(place)
        memory, queue = self._here.gpu.memory, self._stream(stream)

        def work() -> None:
            if not run_kernel(function, memory, grid, block, parameters, shared_bytes):
                queue.stuck = True

        self._put(stream, work)


def blocks_at_once(function: Function, threads: int, shared_bytes: int) -> int:
    """Blocks on a multiprocessor, by threads and shared memory alone."""
    shared = max(1024, function.static_shared + shared_bytes)
    return min(2048 // threads, 32, ATTRIBUTES["MAX_SHARED_MEMORY_PER_BLOCK_OPTIN"] // shared)


def cluster_blocks(value: Any) -> int:
    """Blocks of a cluster."""
    return value.clusterDim.x * value.clusterDim.y * value.clusterDim.z
