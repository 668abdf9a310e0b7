"""What devices with threads share: extents guarded before the ways to them part."""
