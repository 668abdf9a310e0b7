"""What passes rewrite with: edits of blocks, and rules of one pass that fill files of their own."""
