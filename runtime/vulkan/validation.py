"""STEPWELL_VALIDATE=1: what the validation layer says becomes an exception.

The layer calls back from inside the call of Vulkan that it finds wrong; nothing can be raised
there, so messages are kept, and `check` raises them when the call is over: in the launch, the copy
or the wait that made it.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from ..errors import DeviceError
from .api import Functions, NoVulkan, S, array, listed
from .table import (
    ENABLE_SYNCHRONIZATION_VALIDATION,
    LAYER_SETTING_BOOL,
    MESSAGE_VALIDATION,
    SEVERITY_ERROR,
    SEVERITY_WARNING,
)

if TYPE_CHECKING:
    from .instance import Instance

LAYER = "VK_LAYER_KHRONOS_validation"
DEBUG_UTILS = "VK_EXT_debug_utils"
SETTINGS = "VK_EXT_layer_settings"
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p
)


class Validation:
    """The layer's messages that nobody was told yet."""

    layers = (LAYER,)

    def __init__(self, loader: Functions):
        offered = listed(loader.EnumerateInstanceLayerProperties, S.LayerProperties)
        if LAYER not in {row.layerName.decode() for row in offered}:
            raise NoVulkan(
                f"STEPWELL_VALIDATE=1 needs {LAYER}, which is not there: "
                "sudo apt-get install vulkan-validationlayers"
            )
        self.messages: list[str] = []
        self.extensions = _layer_extensions(loader)
        self._callback = _Callback(self._hear)
        self._create = S.DebugUtilsMessengerCreateInfoEXT(
            messageSeverity=SEVERITY_WARNING | SEVERITY_ERROR,
            messageType=MESSAGE_VALIDATION,
            pfnUserCallback=ctypes.cast(self._callback, ctypes.c_void_p),
        )
        self._messenger = ctypes.c_uint64()
        # Kept alive until the instance is made: what its chain points to.
        self._enabled = array(ctypes.c_uint32, [ENABLE_SYNCHRONIZATION_VALIDATION])
        self._true = ctypes.c_uint32(1)
        setting = S.LayerSettingEXT(
            LAYER.encode(),
            b"syncval_shader_accesses_heuristic",
            LAYER_SETTING_BOOL,
            1,
            ctypes.addressof(self._true),
        )
        self._settings = array(S.LayerSettingEXT, [setting])

    def create_infos(self) -> list[Any]:
        """What is chained to the instance's: the messenger, and synchronisation validation.

        Newer layers look for what shaders access only where a setting asks them to.
        """
        features = S.ValidationFeaturesEXT(
            enabledValidationFeatureCount=1,
            pEnabledValidationFeatures=ctypes.addressof(self._enabled),
        )
        settings = S.LayerSettingsCreateInfoEXT(
            settingCount=1, pSettings=ctypes.addressof(self._settings)
        )
        chained = [self._create, features]
        return [*chained, settings] if SETTINGS in self.extensions else chained

    def attach(self, instance: Instance) -> None:
        """Hear what is said after the instance was made."""
        self._create.pNext = None
        instance.functions.CreateDebugUtilsMessengerEXT(
            instance.handle, ctypes.byref(self._create), None, ctypes.byref(self._messenger)
        )

    def detach(self, instance: Instance) -> None:
        """The inverse of `attach`."""
        destroy = instance.functions.DestroyDebugUtilsMessengerEXT
        destroy(instance.handle, self._messenger.value, None)

    def check(self, during: str) -> None:
        """Raise what was said since the last check; DeviceError."""
        if self.messages:
            said, self.messages = self.messages, []
            text = "\n  ".join(said)
            raise DeviceError(f"the Vulkan validation layer objects to {during}:\n  {text}")

    def _hear(self, severity: int, kind: int, data: int, user: Any) -> int:
        message = S.DebugUtilsMessengerCallbackDataEXT.from_address(data)
        name = (message.pMessageIdName or b"").decode()
        self.messages.append(f"{name}: {(message.pMessage or b'').decode(errors='replace')}")
        return 0


def _layer_extensions(loader: Functions) -> set[str]:
    rows = listed(
        lambda *rest: loader.EnumerateInstanceExtensionProperties(LAYER.encode(), *rest),
        S.ExtensionProperties,
    )
    return {row.extensionName.decode() for row in rows}
