"""The exit statuses of every command; 0: it holds."""

REFUTED = 1
"""A claim is refuted, or the guest program raised."""
NO_VERDICT = 2
"""Bad usage or input, a part that could not run, or a defect."""
INTERRUPTED = 130
"""Control-C."""
READER_GONE = 141
"""Standard output is a pipe that is not read any more, as behind `| head`: what a shell says of a process that SIGPIPE has ended."""
