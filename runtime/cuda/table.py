"""What is used of the CUDA driver API, as facts: functions, enumerators, error codes.

Functions are listed with their parameters as `cuda.bindings.driver` names them; one written
"name:Enum" takes a member of that enumeration, which callers give by its short name. Tests hold the
table against the bindings that are installed, and against what stands for a driver in tests.
"""

from __future__ import annotations

from typing import NamedTuple

FUNCTIONS: dict[str, tuple[str, ...]] = {
    "cuInit": ("Flags",),
    "cuDriverGetVersion": (),
    "cuGetProcAddress": ("symbol", "cudaVersion", "flags"),
    "cuDeviceGetCount": (),
    "cuDeviceGet": ("ordinal",),
    "cuDeviceGetName": ("length", "dev"),
    "cuDeviceTotalMem": ("dev",),
    "cuDeviceGetAttribute": ("attrib:CUdevice_attribute", "dev"),
    "cuDevicePrimaryCtxRetain": ("dev",),
    "cuDevicePrimaryCtxRelease": ("dev",),
    "cuCtxGetCurrent": (),
    "cuCtxSetCurrent": ("ctx",),
    "cuStreamCreate": ("Flags",),
    "cuStreamDestroy": ("hStream",),
    "cuStreamGetCtx": ("hStream",),
    "cuStreamWaitEvent": ("hStream", "hEvent", "Flags"),
    "cuStreamBeginCapture": ("hStream", "mode:CUstreamCaptureMode"),
    "cuStreamEndCapture": ("hStream",),
    "cuGraphInstantiate": ("hGraph", "flags"),
    "cuGraphLaunch": ("hGraphExec", "hStream"),
    "cuGraphExecDestroy": ("hGraphExec",),
    "cuGraphDestroy": ("hGraph",),
    "cuEventCreate": ("Flags",),
    "cuEventRecord": ("hEvent", "hStream"),
    "cuEventQuery": ("hEvent",),
    "cuEventElapsedTime": ("hStart", "hEnd"),
    "cuEventDestroy": ("hEvent",),
    "cuMemPoolCreate": ("poolProps",),
    "cuMemPoolSetAttribute": ("pool", "attr:CUmemPool_attribute", "value"),
    "cuMemPoolTrimTo": ("pool", "minBytesToKeep"),
    "cuMemAllocFromPoolAsync": ("bytesize", "pool", "hStream"),
    "cuMemFreeAsync": ("dptr", "hStream"),
    "cuMemAlloc": ("bytesize",),
    "cuMemFree": ("dptr",),
    "cuMemGetInfo": (),
    "cuMemHostAlloc": ("bytesize", "Flags"),
    "cuMemHostGetDevicePointer": ("p", "Flags"),
    "cuMemcpyHtoDAsync": ("dstDevice", "srcHost", "ByteCount", "hStream"),
    "cuMemcpyDtoHAsync": ("dstHost", "srcDevice", "ByteCount", "hStream"),
    "cuMemcpyDtoDAsync": ("dstDevice", "srcDevice", "ByteCount", "hStream"),
    "cuMemsetD8Async": ("dstDevice", "uc", "N", "hStream"),
    "cuMemsetD16Async": ("dstDevice", "us", "N", "hStream"),
    "cuMemsetD32Async": ("dstDevice", "ui", "N", "hStream"),
    "cuPointerGetAttribute": ("attribute:CUpointer_attribute", "ptr"),
    "cuModuleLoadDataEx": ("image", "numOptions", "options:CUjit_option*", "optionValues"),
    "cuModuleGetFunction": ("hmod", "name"),
    "cuModuleUnload": ("hmod",),
    "cuFuncGetAttribute": ("attrib:CUfunction_attribute", "hfunc"),
    "cuFuncSetAttribute": ("hfunc", "attrib:CUfunction_attribute", "value"),
    "cuOccupancyMaxActiveBlocksPerMultiprocessor": ("func", "blockSize", "dynamicSMemSize"),
    "cuOccupancyMaxActiveClusters": ("func", "config"),
    "cuLaunchKernel": (
        "f", "gridDimX", "gridDimY", "gridDimZ", "blockDimX", "blockDimY", "blockDimZ",
        "sharedMemBytes", "hStream", "kernelParams", "extra",
    ),
    "cuLaunchKernelEx": ("config", "f", "kernelParams", "extra"),
}  # fmt: skip

# Structures that the bindings make, with the fields that are set.
STRUCTURES: dict[str, tuple[str, ...]] = {
    "CUmemPoolProps": ("allocType", "location"),
    "CUmemLocation": ("type", "id"),
    "CUlaunchConfig": (
        "gridDimX", "gridDimY", "gridDimZ", "blockDimX", "blockDimY", "blockDimZ",
        "sharedMemBytes", "hStream", "attrs", "numAttrs",
    ),
    "CUlaunchAttribute": ("id", "value"),
    "CUlaunchAttributeValue": (
        "cooperative", "clusterDim", "programmaticStreamSerializationAllowed",
    ),
}  # fmt: skip


class Enumeration(NamedTuple):
    """Members of an enumeration by what follows `prefix` in their names."""

    prefix: str
    members: dict[str, int]


ENUMERATIONS: dict[str, Enumeration] = {
    "CUdevice_attribute": Enumeration(
        "CU_DEVICE_ATTRIBUTE_",
        {
            "MAX_THREADS_PER_BLOCK": 1,
            "MAX_BLOCK_DIM_X": 2,
            "MAX_BLOCK_DIM_Y": 3,
            "MAX_BLOCK_DIM_Z": 4,
            "MAX_GRID_DIM_X": 5,
            "MAX_GRID_DIM_Y": 6,
            "MAX_GRID_DIM_Z": 7,
            "WARP_SIZE": 10,
            "MULTIPROCESSOR_COUNT": 16,
            "COMPUTE_CAPABILITY_MAJOR": 75,
            "COMPUTE_CAPABILITY_MINOR": 76,
            "COOPERATIVE_LAUNCH": 95,
            "MAX_SHARED_MEMORY_PER_BLOCK_OPTIN": 97,
            "MEMORY_POOLS_SUPPORTED": 115,
            "CLUSTER_LAUNCH": 120,
            "TENSOR_MAP_ACCESS_SUPPORTED": 127,
        },
    ),
    "CUfunction_attribute": Enumeration(
        "CU_FUNC_ATTRIBUTE_",
        {
            "MAX_THREADS_PER_BLOCK": 0,
            "LOCAL_SIZE_BYTES": 3,
            "NUM_REGS": 4,
            "MAX_DYNAMIC_SHARED_SIZE_BYTES": 8,
            "NON_PORTABLE_CLUSTER_SIZE_ALLOWED": 14,
        },
    ),
    "CUjit_option": Enumeration(
        "CU_JIT_", {"ERROR_LOG_BUFFER": 5, "ERROR_LOG_BUFFER_SIZE_BYTES": 6}
    ),
    "CUlaunchAttributeID": Enumeration(
        "CU_LAUNCH_ATTRIBUTE_",
        {"COOPERATIVE": 2, "CLUSTER_DIMENSION": 4, "PROGRAMMATIC_STREAM_SERIALIZATION": 6},
    ),
    "CUmemAllocationType": Enumeration("CU_MEM_ALLOCATION_TYPE_", {"PINNED": 1}),
    "CUmemLocationType": Enumeration("CU_MEM_LOCATION_TYPE_", {"DEVICE": 1}),
    "CUmemPool_attribute": Enumeration("CU_MEMPOOL_ATTR_", {"RELEASE_THRESHOLD": 4}),
    "CUpointer_attribute": Enumeration("CU_POINTER_ATTRIBUTE_", {"DEVICE_ORDINAL": 9}),
    "CUstreamCaptureMode": Enumeration(
        "CU_STREAM_CAPTURE_MODE_", {"GLOBAL": 0, "THREAD_LOCAL": 1, "RELAXED": 2}
    ),
    "CUresult": Enumeration(
        "CUDA_",
        {
            "SUCCESS": 0,
            "ERROR_INVALID_VALUE": 1,
            "ERROR_OUT_OF_MEMORY": 2,
            "ERROR_NOT_INITIALIZED": 3,
            "ERROR_DEINITIALIZED": 4,
            "ERROR_NO_DEVICE": 100,
            "ERROR_INVALID_DEVICE": 101,
            "ERROR_INVALID_IMAGE": 200,
            "ERROR_INVALID_CONTEXT": 201,
            "ERROR_NO_BINARY_FOR_GPU": 209,
            "ERROR_ECC_UNCORRECTABLE": 214,
            "ERROR_INVALID_PTX": 218,
            "ERROR_JIT_COMPILER_NOT_FOUND": 221,
            "ERROR_UNSUPPORTED_PTX_VERSION": 222,
            "ERROR_INVALID_HANDLE": 400,
            "ERROR_NOT_FOUND": 500,
            "ERROR_NOT_READY": 600,
            "ERROR_ILLEGAL_ADDRESS": 700,
            "ERROR_LAUNCH_OUT_OF_RESOURCES": 701,
            "ERROR_LAUNCH_TIMEOUT": 702,
            "ERROR_CONTEXT_IS_DESTROYED": 709,
            "ERROR_ASSERT": 710,
            "ERROR_HARDWARE_STACK_ERROR": 714,
            "ERROR_ILLEGAL_INSTRUCTION": 715,
            "ERROR_MISALIGNED_ADDRESS": 716,
            "ERROR_INVALID_ADDRESS_SPACE": 717,
            "ERROR_INVALID_PC": 718,
            "ERROR_LAUNCH_FAILED": 719,
            "ERROR_COOPERATIVE_LAUNCH_TOO_LARGE": 720,
            "ERROR_NOT_SUPPORTED": 801,
            "ERROR_SYSTEM_DRIVER_MISMATCH": 803,
            "ERROR_STREAM_CAPTURE_UNSUPPORTED": 900,
            "ERROR_STREAM_CAPTURE_INVALIDATED": 901,
            "ERROR_STREAM_CAPTURE_MERGE": 902,
            "ERROR_STREAM_CAPTURE_UNJOINED": 904,
            "ERROR_STREAM_CAPTURE_ISOLATION": 905,
            "ERROR_STREAM_CAPTURE_IMPLICIT": 906,
            "ERROR_CAPTURED_EVENT": 907,
            "ERROR_STREAM_CAPTURE_WRONG_THREAD": 908,
            "ERROR_INVALID_CLUSTER_SIZE": 912,
            "ERROR_UNKNOWN": 999,
        },
    ),
}

RESULTS = ENUMERATIONS["CUresult"].members

# After one of these the context answers every call with the same error: nothing in it can be used
# again in this process.
STICKY = frozenset(
    RESULTS[f"ERROR_{name}"]
    for name in (
        *("ECC_UNCORRECTABLE", "ILLEGAL_ADDRESS", "LAUNCH_TIMEOUT", "CONTEXT_IS_DESTROYED"),
        *("ASSERT", "HARDWARE_STACK_ERROR", "ILLEGAL_INSTRUCTION", "MISALIGNED_ADDRESS"),
        *("INVALID_ADDRESS_SPACE", "INVALID_PC", "LAUNCH_FAILED"),
    )
)

STREAM_LEGACY = (
    1  # handle of the default stream that waits for all streams that are not "non-blocking"
)
STREAM_PER_THREAD = 2
STREAM_NON_BLOCKING = 1
EVENT_DISABLE_TIMING = 2
HOST_ALLOC_MAPPED = 2  # with PORTABLE: usable in every context
HOST_ALLOC_PORTABLE = 1
