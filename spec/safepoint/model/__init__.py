"""The protocol's text as a transition system: compiled, explored, judged."""
