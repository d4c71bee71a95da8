"""Times `motionfit reconstruct` on one and more threads, fits the serial share, and draws seconds per second of motion
against cores.

    python3 tools/figure_cores.py MOTIONFIT CORES SECONDS docs/figures/cores.png CLIP...     (needs matplotlib)

Every clip's first SECONDS are reconstructed three times on 1, 2, 4, ... threads up to CORES; the median of the three
counts. The model is Amdahl's: T(n) = T(1) (s + (1 - s) / n), with one s for all clips, by least squares.
"""

import pathlib
import sys
import tempfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from timed_runs import run

PROGRAM, CORES, SECONDS, OUT, *CLIPS = sys.argv[1:]


def main():
    counts = [1]
    while 2 * counts[-1] <= int(CORES):
        counts.append(2 * counts[-1])
    with tempfile.TemporaryDirectory() as directory:
        measured = {clip: [run(PROGRAM, clip, SECONDS, directory, n)[0] for n in counts] for clip in CLIPS}
    # T(n) / T(1) - 1 / n = s (1 - 1 / n)
    pairs = [
        (1 - 1 / n, times[i] / times[0] - 1 / n)
        for times in measured.values()
        for i, n in enumerate(counts)
        if n > 1
    ]
    share = sum(a * b for a, b in pairs) / sum(a * a for a, _ in pairs)
    figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    cores = [1, 2, 4, 8, 16, 32, 64]
    for clip, times in measured.items():
        name = pathlib.Path(clip).stem
        model = [times[0] * (share + (1 - share) / n) for n in cores]
        (line,) = axes.plot(cores, model, "--", linewidth=1.0)
        axes.plot(counts, times, "o", color=line.get_color(), label=name)
        shown = ", ".join(f"{n}: {t:.2f}" for n, t in zip(counts, times))
        print(f"{name}: measured {shown}; model on 4: {model[2]:.2f}, 64: {model[-1]:.2f}")
    print(f"serial share {share:.2f}")
    axes.axhline(1.0, color="gray", linewidth=0.8)
    axes.set_xscale("log", base=2)
    axes.set_xticks(cores, [str(n) for n in cores])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("cores (points measured, lines by the model)")
    axes.set_ylabel("seconds per second of motion")
    axes.legend()
    figure.savefig(OUT, dpi=120)


main()
