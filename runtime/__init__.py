"""Receives an artifact and runs it; knows nothing of the compiler."""
