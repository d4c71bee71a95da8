#!/usr/bin/env python3
"""Fits the skeleton of src/motion/files/smpl/body.rs: where the joints of a body of SMPL's topology are
in its rest pose, so that the poses of AIST++ (motions/*.pkl) bring them to the positions that AIST++
measured (keypoints3d/*.pkl, CC BY 4.0). No SMPL model file is read.

The joints' positions are linear in the offsets, which are found by least squares with Huber weights and
a weak pull (LAMBDA) to proportions of Winter 2009, fig. 4.1, for a stature of 1.7 m. The hips are
held at 0.085 m: keypoints of hips lie outside the joints (Bell et al. 1990: 14 % of the distance of
the anterior iliac spines, about 0.236 m, inside them).

    python3 tools/fit_smpl_skeleton.py AIST/annotation
"""
import glob
import os
import pickle
import sys

import numpy as np

PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]
PARTS = ("pelvis l_hip r_hip spine1 l_knee r_knee spine2 l_ankle r_ankle spine3 l_foot r_foot neck "
         "l_collar r_collar head l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist l_hand r_hand").split()
# COCO keypoint -> joint
SEEN = {5: 16, 6: 17, 7: 18, 8: 19, 9: 20, 10: 21, 11: 1, 12: 2, 13: 4, 14: 5, 15: 7, 16: 8}
PRIOR = {
    "pelvis": [0, -0.24, 0], "hip": [0.085, -0.08, 0], "knee": [0.02, -0.4, 0], "ankle": [0, -0.41, 0],
    "spine1": [0, 0.12, 0], "spine2": [0, 0.13, 0], "spine3": [0, 0.06, 0], "collar": [0.07, 0.1, 0],
    "shoulder": [0.11, 0.04, 0], "elbow": [0.27, 0, 0], "wrist": [0.25, 0, 0],
}
LAMBDA = 200.0
HELD = 1e9
HUBER = 0.03


def matrices(turns):
    angle = np.linalg.norm(turns, axis=-1)[..., None, None]
    axis = turns / np.maximum(angle[..., 0], 1e-12)
    cross = np.zeros(turns.shape[:-1] + (3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        cross[..., j, i], cross[..., i, j] = axis[..., k], -axis[..., k]
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def load(path):
    motion = pickle.load(open(path, "rb"))
    points = pickle.load(open(path.replace("motions", "keypoints3d"), "rb"))
    turns = matrices(motion["smpl_poses"].reshape(-1, 24, 3).astype(float))
    world = []
    for joint, parent in enumerate(PARENTS):
        world.append(turns[:, joint] if parent < 0 else world[parent] @ turns[:, joint])
    scale = motion["smpl_scaling"][0]
    return {"name": os.path.basename(path), "world": world, "scale": scale,
            "trans": motion["smpl_trans"] / scale, "points": points["keypoints3d_optim"] / scale}


COLUMNS = [(part, axis) for part in PRIOR for axis in range(3)]
# In the middle of the body x is 0; the width of the hips is given.
WEIGHT = np.array([HELD if (axis == 0 and part in ("pelvis", "spine1", "spine2", "spine3", "hip")) else LAMBDA
                   for part, axis in COLUMNS])


def design(clip, joint):
    rows = np.zeros((len(clip["trans"]), 3, len(COLUMNS)))
    while PARENTS[joint] >= 0:
        part = PARTS[joint].removeprefix("l_").removeprefix("r_")
        for axis in range(3):
            mirror = -1 if axis == 0 and PARTS[joint].startswith("r_") else 1
            rows[:, :, COLUMNS.index((part, axis))] += mirror * clip["world"][PARENTS[joint]][:, :, axis]
        joint = PARENTS[joint]
    rows[:, :, :3] += np.eye(3)  # the first joint is not turned
    return rows.reshape(-1, len(COLUMNS))


def fit(clips):
    a = np.concatenate([design(clip, joint) for clip in clips for joint in SEEN.values()])
    b = np.concatenate([(clip["points"][:, point] - clip["trans"]).ravel() for clip in clips for point in SEEN])
    prior, weights = np.array([PRIOR[part][axis] for part, axis in COLUMNS]), np.ones(len(b))
    for _ in range(20):
        weighted = a * weights[:, None]
        x = np.linalg.solve(weighted.T @ a + np.diag(WEIGHT), weighted.T @ b + WEIGHT * prior)
        distance = np.linalg.norm((b - a @ x).reshape(-1, 3), axis=1)
        weights = np.repeat(np.minimum(1, HUBER / np.maximum(distance, 1e-9)), 3)
    return x


def errors(clip, x):
    """Per frame, mm."""
    joints = [(design(clip, joint) @ x).reshape(-1, 3) + clip["trans"] for joint in SEEN.values()]
    distance = np.linalg.norm(np.stack(joints, 1) - clip["points"][:, list(SEEN)], axis=2)
    return 10 * clip["scale"] * distance.mean(1)


clips = [load(path) for path in sorted(glob.glob(sys.argv[1] + "/motions/*.pkl"))]
offsets = fit(clips)
for part in PRIOR:
    at = COLUMNS.index((part, 0))
    print("%-9s %6.3f %6.3f %6.3f" % (part, *offsets[at:at + 3]))
for clip in clips:
    there, left_out = errors(clip, offsets), errors(clip, fit([c for c in clips if c is not clip]))
    print("%s: mean %.1f mm, worst frame %.1f; fitted to the others %.1f, %.1f"
          % (clip["name"], there.mean(), there.max(), left_out.mean(), left_out.max()))
