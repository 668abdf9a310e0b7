"""What a program can say at each level: one file per dialect."""
