"""`saddle` in processes of its own."""

import subprocess
import sys
from pathlib import Path


def start(folder: Path, *words: object) -> subprocess.Popen[str]:
    """Start `saddle WORDS` in `folder`, in a session of its own: a signal reaches it alone."""
    return subprocess.Popen(
        [sys.executable, "-c", "from saddle.cli import main; main()", *map(str, words)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
