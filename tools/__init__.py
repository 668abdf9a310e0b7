"""What a user types: the command line and what stands behind each command."""
