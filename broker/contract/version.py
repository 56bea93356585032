"""The version of the whole distribution; `--version` of each command prints it."""

__version__ = "0.1.0"
