"""The optimized interpreter: machine code generated from typed, restricted Python (Linux x86-64)."""
