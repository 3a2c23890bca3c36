"""The composition root: configuration, the process tree and the command line."""

__version__ = "0.1.0"
