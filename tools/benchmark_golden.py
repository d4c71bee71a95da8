"""Extracts tests/golden/scipy_baselines.json from a recording of SciPy's BFGS and L-BFGS-B.

usage: python tools/benchmark_golden.py RECORDING.json

The recording holds, for each function, dimension and method, statistics of 64 runs of 200
iterations of scipy.optimize.minimize (analytic gradients, default options) from the initial points
of `--protocol paper`. Kept here: mean value at the initial points, mean and median best value, mean
iterations and function evaluations, and the mean best value after 100 iterations.
"""

import json
import pathlib
import sys

KEPT = ("f0_mean", "mean_best", "median_best", "mean_nit", "mean_nfev")


def main():
    recording = json.loads(pathlib.Path(sys.argv[1]).read_text())
    at_100 = recording["marks"].index(100)
    rows = [
        {
            "function": row["name"],
            "dimension": row["d"],
            "optimizer": {"BFGS": "bfgs", "L-BFGS-B": "l-bfgs"}[row["method"]],
            **{key: row[key] for key in KEPT},
            "mean_best_at_100": row["mean_best_at_marks"][at_100],
        }
        for row in recording["rows"]
        if row["dom"] == "paper"
    ]
    golden = {
        "source": "tools/benchmark_golden.py",
        "scipy": recording["scipy"],
        "numpy": recording["numpy"],
        "rows": rows,
    }
    target = pathlib.Path(__file__).parent.parent / "tests/golden/scipy_baselines.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    head = json.dumps({k: golden[k] for k in ("source", "scipy", "numpy")})[1:-1]
    target.write_text("{" + head + ', "rows": [\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
