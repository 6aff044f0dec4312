"""`python -m saddle`, for launchers that take a module: `torchrun --nproc-per-node 2 -m saddle train …`."""

import sys

from saddle.cli import main

if __name__ == "__main__":
    sys.exit(main())
