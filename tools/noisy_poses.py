#!/usr/bin/env python3
"""Reconstructs a motion from poses with noise, and compares with the poses without it.

    tools/noisy_poses.py MOTIONFIT WORK CLIP.npy ...      prints a Markdown table

Every clip is (T, 17, 3), m, 50 fps; its first 1.5 s are used. Gaussian noise of 3, 10 and 30 mm is
added along each axis to every joint in every frame, without correlation.
"""
import os
import subprocess
import sys

import numpy as np

FRAMES = 76
NOISE_MM = (3, 10, 30)


def mean_distance_mm(a, b):
    return 1e3 * np.linalg.norm(a - b, axis=-1).mean()


def variation(joints):
    """TV of the acceleration, m per frame², as in metrics.json."""
    return np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1).sum() / len(joints)


def main(motionfit, work, clips):
    os.makedirs(work, exist_ok=True)
    print("| clip | noise, mm | MPJPE-G of the input, mm | of the simulation | TV of the input | of the simulation | of the truth |")
    print("|---|---|---|---|---|---|---|")
    for clip in clips:
        name = os.path.splitext(os.path.basename(clip))[0]
        truth = np.load(clip).astype(float)[:FRAMES]
        for noise in NOISE_MM:
            given = truth + np.random.default_rng(noise).normal(0, noise * 1e-3, truth.shape)
            poses = os.path.join(work, "%s_%d.npy" % (name, noise))
            out = os.path.join(work, "%s_%d" % (name, noise))
            np.save(poses, given.astype(np.float32))
            subprocess.run([motionfit, "-q", "reconstruct", poses, "--fps", "50", "--out", out, "--force"], check=True)
            found = np.load(os.path.join(out, "motion.npz"))["joints"]
            print("| %s | %d | %.1f | %.1f | %.2f | %.3f | %.3f |" % (
                name, noise, mean_distance_mm(given, truth), mean_distance_mm(found, truth),
                variation(given), variation(found), variation(truth)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
