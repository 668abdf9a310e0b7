"""The Python kernel language: parse, infer, build simt."""
