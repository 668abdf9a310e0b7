"""Undecorated functions of another module, which kernels call."""

OFFSET = 40


def twice(x):
    return x + x


def plus_offset(x):
    return twice(x) + OFFSET
