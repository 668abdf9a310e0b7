"""From the gpu level to the nvvm and llvm dialects: kernels for NVIDIA GPUs."""
