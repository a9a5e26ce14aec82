# The parts of llvmlite 0.50 that safepoint_vm calls; it ships no types of its own.
__version__: str
