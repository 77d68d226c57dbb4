"""Times whole runs of verify, from starting the process to its end.

    python3 scripts/start_time.py [RUNS] -- FLAGS OF VERIFY
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

VERIFY = Path(__file__).resolve().parent.parent / "target/release/verify"


def main() -> None:
    split = sys.argv.index("--")
    runs = int(sys.argv[1]) if split > 1 else 50
    command = [str(VERIFY), *sys.argv[split + 1 :]]
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
        times.append(1e3 * (time.perf_counter() - start))
        if code not in (0, 1):
            raise SystemExit(f"exit code {code}")
    times.sort()
    print(
        f"{runs} runs: best {times[0]:.1f} ms, median {statistics.median(times):.1f} ms, "
        f"19 of 20 below {times[int(0.95 * (runs - 1))]:.1f} ms, worst {times[-1]:.1f} ms"
    )


if __name__ == "__main__":
    main()
