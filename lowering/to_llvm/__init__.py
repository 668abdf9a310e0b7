"""From structured IR to the llvm dialect, shared by every LLVM target."""
