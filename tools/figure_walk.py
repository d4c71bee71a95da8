"""Draws the README's picture from a finished run: stages of the simulated walk, the observed joints
and the ground forces.

    cargo run --release -- reconstruct --out out/walk
    python3 tools/figure_walk.py out/walk docs/figures/walk.png      (needs numpy and matplotlib)
"""

import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection

RUN, OUT = sys.argv[1:3]
BONES = [(0, 1), (1, 2), (2, 3), (0, 4), (4, 5), (5, 6), (0, 7), (7, 8), (8, 9), (9, 10),
         (8, 11), (11, 12), (12, 13), (8, 14), (14, 15), (15, 16)]


def rotate(q, v):
    """Rotates v by the quaternion q = (x, y, z, w)."""
    u, w = q[:3], q[3]
    return v + 2 * np.cross(u, np.cross(u, v) + w * v)


def main():
    run = np.load(f"{RUN}/motion.npz")
    body = json.load(open(f"{RUN}/body.json"))
    joints, observed, links = run["joints"], run["reference_joints"], run["links"]
    figure, axes = plt.subplots(2, 1, figsize=(10, 5.2), height_ratios=[3, 1], sharex=False)
    side = np.argmax(np.ptp(joints[:, 0, :2], axis=0))  # the horizontal axis of travel
    # One pixel scale for all radii: points per metre.
    span = np.ptp(joints[:, :, side]) + 0.8
    scale = 0.9 * 10 * 72 / span
    for i, t in enumerate(np.linspace(0, len(joints) - 1, 9).astype(int)):
        color = plt.cm.viridis(0.1 + 0.8 * i / 8)
        for link, pose in zip(body["links"], links[t]):
            for shape in link["shapes"]:
                capsule = shape["geometry"].get("capsule")
                if not capsule or shape["collides"]:
                    continue
                ends = [rotate(pose[3:], np.array(capsule[k])) + pose[:3] for k in "ab"]
                xs, zs = [e[side] for e in ends], [e[2] for e in ends]
                axes[0].plot(xs, zs, color=color, alpha=0.45, solid_capstyle="round",
                             linewidth=2 * capsule["radius"] * scale)
        lines = [[observed[t, a, [side, 2]], observed[t, b, [side, 2]]] for a, b in BONES]
        axes[0].add_collection(LineCollection(lines, colors="black", linewidths=0.8))
        for force, point in zip(run["contact_forces"][t], run["contact_points"][t]):
            if force[2] > 30:
                axes[0].annotate("", (point[side], force[2] / 1500), (point[side], 0),
                                 arrowprops={"arrowstyle": "->", "color": "crimson", "lw": 1.6})
    axes[0].axhline(0, color="grey", linewidth=1)
    axes[0].set(aspect="equal", ylim=(-0.05, 1.95), ylabel="height, m",
                title="simulated body (colour), observed joints (black), ground force (red)")
    seconds = np.arange(len(joints)) / float(run["fps"])
    for foot, name in enumerate(["right foot", "left foot"]):
        axes[1].plot(seconds, run["contact_forces"][:, foot, 2], label=name)
    weight = 9.80665 * sum(link["mass"] for link in body["links"])
    axes[1].axhline(weight, color="grey", linewidth=0.8, linestyle="--", label="body weight")
    axes[1].set(xlabel="time, s", ylabel="normal force, N", xlim=(0, seconds[-1]))
    axes[1].legend(loc="upper right", fontsize=8, ncols=3)
    figure.tight_layout()
    figure.savefig(OUT, dpi=110)


main()
