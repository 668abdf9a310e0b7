"""Vulkan devices, through a ctypes layer of our own over the loader that the system has."""
