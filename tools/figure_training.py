"""Draws validation loss against function evaluations for several meta-trainings.

    motionfit train --config configs/compare-pes.json --out out/pes      (and the others)
    python3 tools/figure_training.py out/backprop out/curriculum out/nres out/pes \
        docs/figures/training.png                                      (needs matplotlib)

Prints, for every run, the lowest loss and the evaluations needed to reach the lowest of the last.
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

RUNS, OUT = sys.argv[1:-1], sys.argv[-1]


def curve(run):
    """Evaluations spent and validation loss, at every validation."""
    lines = pathlib.Path(run, "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line) for line in lines]
    return [(s["evaluations"], s["validation"]) for s in steps if "validation" in s]


def main():
    curves = {pathlib.Path(run).name: curve(run) for run in RUNS}
    target = min(loss for _, loss in list(curves.values())[-1])
    figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for name, points in curves.items():
        axes.plot(*zip(*points), label=name, linewidth=1.4)
        reached = next((spent for spent, loss in points if loss <= target), None)
        lowest = min(loss for _, loss in points)
        print(f"{name}: {points[-1][0]} evaluations, lowest {lowest:.3f}, target after {reached}")
    axes.set_xscale("log")
    axes.set_xlabel("evaluations of inner problems")
    axes.set_ylabel("validation loss\nmean log₁₀ of the best value found")
    axes.grid(alpha=0.25, linewidth=0.5)
    axes.legend(frameon=False)
    figure.savefig(OUT, dpi=130)


main()
