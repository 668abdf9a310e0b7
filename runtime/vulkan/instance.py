"""The loader of the system and one VkInstance for the process, made when a device is looked for.

With STEPWELL_VALIDATE=1 the validation layer is on; see `validation.py`.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

from ..process import is_validating
from .api import Functions, NoVulkan, S, api_version, chain, listed, names, version
from .table import ENUMERATE_PORTABILITY, RESULTS
from .validation import DEBUG_UTILS, Validation

PORTABILITY = "VK_KHR_portability_enumeration"
HIGHEST_VERSION = (1, 3)  # that we know
LIBRARIES = {
    "linux": ("libvulkan.so.1", "libvulkan.so"),
    "darwin": ("libvulkan.1.dylib", "libvulkan.dylib", "libMoltenVK.dylib"),
    "win32": ("vulkan-1.dll",),
}
LOADER_ADVICE = {
    "linux": "install the Vulkan loader and a driver: sudo apt-get install libvulkan1 "
    "mesa-vulkan-drivers (they also bring a device that is the CPU)",
    "darwin": "install MoltenVK: brew install molten-vk vulkan-loader",
    "win32": "install the driver of your GPU, which brings the Vulkan loader",
}


class Instance:
    """A VkInstance; its `functions` are those of instances and physical devices."""

    def __init__(self) -> None:
        self.library = _load_library()
        self.address_of: Any = self.library.vkGetInstanceProcAddr
        self.address_of.restype = ctypes.c_void_p
        self.address_of.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        loader = Functions(lambda name: self.address_of(None, name))
        self.version = _loader_version(loader)
        self.validation = Validation(loader) if is_validating() else None
        self.handle = self._create(loader)
        self.functions = Functions(lambda name: self.address_of(self.handle, name))
        if self.validation is not None:
            self.validation.attach(self)

    def _create(self, loader: Functions) -> int:
        offered = {
            row.extensionName.decode()
            for row in listed(
                lambda *arguments: loader.EnumerateInstanceExtensionProperties(None, *arguments),
                S.ExtensionProperties,
            )
        }
        extensions = [PORTABILITY] if PORTABILITY in offered else []
        flags = ENUMERATE_PORTABILITY if extensions else 0
        layers = self.validation.layers if self.validation is not None else ()
        if self.validation is not None:
            extensions.append(DEBUG_UTILS)
        application = S.ApplicationInfo(pApplicationName=b"stepwell", apiVersion=self.version)
        extension_names, layer_names = names(extensions), names(layers)
        create = S.InstanceCreateInfo(
            flags=flags,
            pApplicationInfo=ctypes.addressof(application),
            enabledExtensionCount=len(extensions),
            ppEnabledExtensionNames=ctypes.addressof(extension_names),
            enabledLayerCount=len(layers),
            ppEnabledLayerNames=ctypes.addressof(layer_names),
        )
        if self.validation is not None:
            chain(create, *self.validation.create_infos())
        handle = ctypes.c_void_p()
        result = loader.CreateInstance(ctypes.byref(create), None, ctypes.byref(handle))
        if result:
            reason = RESULTS.get(result, f"result {result}")
            raise NoVulkan(f"no Vulkan driver works ({reason}); {advice()}")
        assert handle.value is not None, "vkCreateInstance succeeded"
        return handle.value

    def physical_devices(self) -> list[int]:
        """Handles of what the drivers offer."""
        enumerate_devices = self.functions.EnumeratePhysicalDevices
        return listed(enumerate_devices, ctypes.c_void_p, self.handle)

    def close(self) -> None:
        """Destroy the instance; its devices are gone already."""
        if self.validation is not None:
            self.validation.detach(self)
        self.functions.DestroyInstance(self.handle, None)


_made: list[Instance] = []


def instance() -> Instance:
    """The instance of this process; NoVulkan if there is none."""
    if not _made:
        _made.append(Instance())
    return _made[0]


def close_instance() -> None:
    """Destroy the instance if there is one."""
    if _made:
        _made.pop().close()


def advice() -> str:
    """What to install on this system."""
    return LOADER_ADVICE.get(sys.platform, LOADER_ADVICE["linux"])


def _load_library() -> Any:
    wanted = LIBRARIES.get(sys.platform, LIBRARIES["linux"])
    for name in wanted:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue  # under another name, or not at all: said below
    raise NoVulkan(f"there is no Vulkan loader ({wanted[0]}); {advice()}")


def _loader_version(loader: Functions) -> int:
    found = ctypes.c_uint32(api_version(1, 0))
    try:
        loader.EnumerateInstanceVersion(ctypes.byref(found))
    except AttributeError:
        raise NoVulkan(f"the Vulkan loader is of version 1.0, needed is 1.1; {advice()}") from None
    return api_version(*min(version(found.value), HIGHEST_VERSION))


def device_override() -> str:
    """STEPWELL_VULKAN_DEVICE: part of a name, or a UUID."""
    return os.environ.get("STEPWELL_VULKAN_DEVICE", "").strip()
