"""From one thread of a block to one function that runs a whole block."""
