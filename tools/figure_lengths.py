"""Times `motionfit reconstruct` with windows of several lengths, and its evaluations against the links in contact.

    python3 tools/figure_lengths.py MOTIONFIT SECONDS docs/figures/lengths.png CLIP...     (needs numpy, matplotlib)

Left: seconds per second of motion against the frames of a window, each clip's first SECONDS. Right: milliseconds of an
evaluation against the number of links that touch something, mean over frames, with the default windows. One thread; the
median of three runs counts.
"""

import json
import pathlib
import sys
import tempfile

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from timed_runs import run

PROGRAM, SECONDS, OUT, *CLIPS = sys.argv[1:]
LENGTHS = [20, 25, 30, 40, 50]
DEFAULT = 30


def measure(clip, frames, directory):
    """Seconds per second of motion, evaluations and links in contact (mean over frames) of a run."""
    config = pathlib.Path(directory, "config.json")
    config.write_text(json.dumps({"reconstruction": {"window_frames": frames}}))
    seconds, metrics = run(PROGRAM, clip, SECONDS, directory, options=["--config", config])
    forces = np.load(pathlib.Path(directory, "run", "motion.npz"))["link_contact_forces"]
    contacts = (np.linalg.norm(forces, axis=-1) > 0).sum(axis=1).mean()
    return seconds, metrics["evaluations"], contacts


def main():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8), layout="constrained")
    for clip in CLIPS:
        name = pathlib.Path(clip).stem
        with tempfile.TemporaryDirectory() as directory:
            runs = {frames: measure(clip, frames, directory) for frames in LENGTHS}
        times = [seconds for seconds, _, _ in runs.values()]
        seconds, evaluations, contacts = runs[DEFAULT]
        milliseconds = 1e3 * seconds * float(SECONDS) / evaluations
        (line,) = left.plot(LENGTHS, times, "o-", linewidth=1.0, label=name)
        right.plot(contacts, milliseconds, "o", color=line.get_color())
        right.annotate(name, (contacts, milliseconds), xytext=(4, 4), textcoords="offset points", fontsize=8)
        shown = ", ".join(f"{frames}: {time:.2f}" for frames, time in zip(LENGTHS, times))
        print(f"{name}: {shown} s/s; {contacts:.2f} links in contact, {milliseconds:.1f} ms per evaluation")
    left.set_xlabel("frames of a window")
    left.set_ylabel("seconds per second of motion")
    left.set_ylim(bottom=0)
    left.legend(fontsize=8)
    right.set_xlabel("links in contact, mean over frames")
    right.set_ylabel("ms per evaluation")
    right.margins(0.2, 0.15)
    right.set_ylim(bottom=0)
    figure.savefig(OUT, dpi=120)


main()
