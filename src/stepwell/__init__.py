"""One kernel, many levels, every device."""
