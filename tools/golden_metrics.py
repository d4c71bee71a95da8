#!/usr/bin/env python3
"""Writes tests/golden/metrics.json: the metrics of src/metrics.rs, computed with NumPy.

    python3 tools/golden_metrics.py > tests/golden/metrics.json

The inputs come from a portable generator (`draws`) that tests/metrics.rs repeats, so only results
are stored. Frame 5 of the estimate is mirrored, to exercise the reflection guard.
"""
import json

import numpy as np

T, K, FPS = 40, 17, 50.0


def draws():
    """Uniform numbers in [0, 1) from the 64-bit generator of Knuth's MMIX, top 53 bits."""
    state = 2023
    while True:
        state = (6364136223846793005 * state + 1442695040888963407) % 2**64
        yield (state >> 11) / 2.0**53


def inputs():
    u = draws()
    take = lambda *shape: np.array([next(u) for _ in range(int(np.prod(shape)))]).reshape(shape)
    body = take(K, 3)
    steps = np.cumsum(take(T, 1, 3) * 0.04, axis=0)
    reference = body + steps + 0.05 * take(T, K, 3)
    estimate = 0.9 * reference[..., [1, 2, 0]] + 0.1 * take(T, K, 3)
    estimate[5, :, 1] *= -1
    heights = take(2, T) * 0.012 - 0.004
    ankles = np.cumsum(take(2, T, 3) * 0.02, axis=1)
    return reference, estimate, heights, ankles


def mpjpe(a, b):
    return np.linalg.norm(a - b, axis=-1).mean()


def procrustes(a, b):
    """VideoPose3D's p_mpjpe for one frame: a aligned to b."""
    mu_x, mu_y = b.mean(0), a.mean(0)
    x0, y0 = b - mu_x, a - mu_y
    norm_x, norm_y = np.linalg.norm(x0), np.linalg.norm(y0)
    u, s, vt = np.linalg.svd((x0 / norm_x).T @ (y0 / norm_y))
    v = vt.T
    sign = np.sign(np.linalg.det(v @ u.T))
    v[:, -1] *= sign
    s[-1] *= sign
    r = v @ u.T
    scale = s.sum() * norm_x / norm_y
    return scale * a @ r + mu_x - scale * mu_y @ r


def skate(heights, ankles, contact, speed):
    low = np.maximum(heights[:, 1:], heights[:, :-1]) <= contact
    moved = np.linalg.norm(np.diff(ankles, axis=1)[..., :2], axis=-1) > speed / FPS
    slides = low & moved
    return slides.any(0).mean(), slides.mean(1).sum()


def main():
    reference, estimate, heights, ankles = inputs()
    centers = {
        "root": lambda j: j[:, :1],
        "centroid": lambda j: j.mean(1, keepdims=True),
        "hips": lambda j: (j[:, 1:2] + j[:, 4:5]) / 2,
    }
    third = np.linalg.norm(np.diff(estimate, 3, axis=0), axis=-1)
    feet_z = reference[:, [3, 6], 2].T
    standing = np.quantile(feet_z, 0.05, axis=1, keepdims=True)
    standing = np.where(standing > standing.min() + 0.03, standing.min(), standing)  # never stood
    feet = reference[:, [3, 6]].transpose(1, 0, 2)
    below = [-h[h < 0] for h in heights.T]
    out = {
        "mpjpe_global": mpjpe(estimate, reference),
        "max_frame_error": np.linalg.norm(estimate - reference, axis=-1).mean(1).max(),
        "mpjpe_procrustes": np.mean([mpjpe(procrustes(a, b), b) for a, b in zip(estimate, reference)]),
        "acceleration_tv": third.sum() / T,
        "jitter": third.mean() * FPS**3,
        "foot_skate": skate(heights, ankles, 0.005, 0.5),
        "observed_foot_skate": skate(feet_z - standing, feet, 0.025, 0.5),
        "penetration": np.mean([b.mean() if len(b) else 0.0 for b in below]),
        "ground_distance": np.abs(estimate[:, [3, 6], 2] - reference[:, [3, 6], 2]).mean(),
    }
    for name, center in centers.items():
        out["mpjpe_" + name] = mpjpe(estimate - center(estimate), reference - center(reference))
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
