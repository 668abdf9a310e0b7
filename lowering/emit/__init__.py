"""Emitters: the last dialect of a target to bytes or text."""
