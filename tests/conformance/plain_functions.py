"""Undecorated functions of another module, which kernels call."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

OFFSET = 40


def twice(x):
    return x + x


def plus_offset(x):
    return twice(x) + OFFSET
