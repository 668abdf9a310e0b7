"""Passes that keep their level: one file per pass, named by a verb phrase."""
