"""Runs of `motionfit reconstruct` that are timed, for the figures of time."""

import json
import pathlib
import statistics
import subprocess

TRIALS = 3


def run(program, clip, end, directory, threads=1, options=()):
    """Reconstructs the first `end` seconds of `clip` several times, into the folder `run` of `directory`.

    Returns the median of the seconds of computing per second of motion, and the metrics.
    """
    out = pathlib.Path(directory, "run")
    command = [program, "-q", "reconstruct", clip, "--end", end, "--threads", str(threads), *options]
    times = []
    for _ in range(TRIALS):
        subprocess.run([*command, "--out", out, "--force"], check=True)
        metrics = json.loads((out / "metrics.json").read_text())
        times.append(metrics["seconds"] / float(end))
    return statistics.median(times), metrics
