"""Runs LLVM-lit tests in one process: a test takes 6 ms, starting Python for it 0.2 s."""
