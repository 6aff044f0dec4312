"""The command line: thin functions over the configurations of the rooms below."""

from saddle.cli.main import main

__all__ = ["main"]
