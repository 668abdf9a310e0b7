"""NVIDIA GPUs, through the driver API as cuda.bindings has it."""
