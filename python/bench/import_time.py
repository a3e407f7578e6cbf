"""Print how long ``import unroll`` takes beyond ``import numpy``: the least of several processes."""

import re
import subprocess
import sys


def milliseconds() -> tuple[float, float]:
    """Return the times of numpy, and of unroll beyond it, in a new process."""
    done = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-c", "import numpy, unroll"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = {name: int(time) / 1000 for time, name in re.findall(r"(\d+) \| (numpy|unroll)\n", done.stderr)}
    return found["numpy"], found["unroll"]


def main() -> None:
    """Print the least times of ten processes."""
    runs = [milliseconds() for _ in range(10)]
    print(f"numpy {min(n for n, _ in runs):.1f} ms, unroll beyond it {min(u for _, u in runs):.1f} ms")


if __name__ == "__main__":
    main()
