"""Math functions as arithmetic: the same polynomials on every device that has no library."""
