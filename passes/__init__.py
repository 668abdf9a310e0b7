"""Passes that keep their level: one file per pass, named by a verb phrase.

`analyses` has what they find out about a program, `utils` what they rewrite with: LLVM's words.
"""
