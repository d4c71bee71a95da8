#!/usr/bin/env python3
"""Clips at other frame rates, sizes and lengths: how much the errors change.

    tools/robustness.py MOTIONFIT WORK CLIP.npy ...      prints a Markdown table

Every clip is (T, 17, 3), m, 50 fps, z up, with its JSON beside it; its first 2 s are used. Frame rates by cubic splines
through the given frames; sizes by scaling to a stature (the one that motionfit finds), with time scaled by its square
root, as free fall is; lengths are the first 1 s and, for clips that are as long, 20 s.
"""
import json
import os
import subprocess
import sys

import numpy as np
from scipy.interpolate import CubicSpline

SECONDS = 2.0


def resampled(joints, fps, rate):
    times = np.arange(len(joints)) / fps
    wanted = np.arange(0, times[-1] + 1e-9, 1 / rate)
    return CubicSpline(times, joints)(wanted)


def run(motionfit, work, variant, clips):
    """Reconstructs clips {name: (joints, fps)}; returns their rows of clips.json."""
    folder = os.path.join(work, variant)
    os.makedirs(folder, exist_ok=True)
    for name, (joints, fps) in clips.items():
        np.save(os.path.join(folder, name + ".npy"), joints.astype(np.float32))
        with open(os.path.join(folder, name + ".json"), "w") as file:
            json.dump({"fps": fps, "up": "z", "units": "m"}, file)
    out = os.path.join(work, variant + "_out")
    command = [motionfit, "-q", "evaluate", "--motions", folder, "--out", out, "--force", "--threads", "1"]
    subprocess.run(command, check=True)
    with open(os.path.join(out, "clips.json")) as file:
        rows = json.load(file)
    return {row["clip"]: row for row in rows}


def main(motionfit, work, paths):
    clips, lengths = {}, {}
    for path in paths:
        name = os.path.splitext(os.path.basename(path))[0]
        with open(os.path.splitext(path)[0] + ".json") as file:
            fps = json.load(file)["fps"]
        joints = np.load(path).astype(float)
        clips[name] = (joints[: round(SECONDS * fps) + 1], fps)
        lengths[name] = joints
    base = run(motionfit, work, "base", clips)
    variants = {}
    for rate in (25, 60, 120):
        variants["%d fps" % rate] = {
            name: (resampled(joints, fps, rate), rate) for name, (joints, fps) in clips.items()}
    for stature in (1.2, 2.0):
        scaled = {}
        for name, (joints, fps) in clips.items():
            scale = stature / base[name]["stature_m"]
            scaled[name] = (joints * scale, fps / np.sqrt(scale))
        variants["%.1f m tall" % stature] = scaled
    variants["1 s"] = {name: (joints[: round(fps) + 1], fps) for name, (joints, fps) in clips.items()}
    long = {name: (lengths[name][: round(20 * fps) + 1], fps) for name, (_, fps) in clips.items()
            if len(lengths[name]) >= 20 * fps}
    if long:
        variants["20 s"] = long
    print("| | clips | failed | MPJPE-G, mm | of its length | relative to the original |")
    print("|---|---|---|---|---|---|")
    for variant, made in {"2 s at 50 fps": clips, **variants}.items():
        rows = base if made is clips else run(motionfit, work, variant.replace(" ", "_"), made)
        error = np.mean([row["mpjpe_global_mm"] for row in rows.values()])
        shares = [row["mpjpe_global_mm"] / row["stature_m"] / 1e3 for row in rows.values()]
        before = [base[name]["mpjpe_global_mm"] / base[name]["stature_m"] / 1e3 for name in rows]
        failed = sum(row["failed"] for row in rows.values())
        print("| %s | %d | %d | %.1f | %.2f %% | %.2f |"
              % (variant, len(rows), failed, error, 100 * np.mean(shares), np.mean(shares) / np.mean(before)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
