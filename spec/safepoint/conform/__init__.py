"""The judge: what a VM must offer, what is claimed of it, and the pytest plugin that holds it to that."""
