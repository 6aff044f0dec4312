"""Memory of a program that frees and takes large tensors again and again."""

import subprocess
import sys

PROGRAM = """
import resource, sys
from saddle.runs import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
import numpy
def faults():
    for _ in range(20):
        numpy.ones(2**23)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
first = faults()
print(faults() - first)
"""


def test_kept_memory_is_not_faulted_in_again():
    # 64 MiB twenty times are 327,680 pages of 4 KiB; kept memory is there already.
    given_back, kept = (
        int(subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, check=True).stdout)
        for how in ("give back", "keep")
    )
    assert kept * 10 < given_back
