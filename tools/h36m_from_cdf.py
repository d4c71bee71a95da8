#!/usr/bin/env python3
"""Turns Human3.6M's official CDF files into the archives that motionfit reads.

    tools/h36m_from_cdf.py H36M OUT [SUBJECT ...]        (needs numpy and cdflib; S9 and S11 unless given)

H36M/SUBJECT/MyPoseFeatures/D3_Positions/ACTION.cdf        (1, T, 96) mm -> OUT/data_3d_h36m.npz
H36M/SUBJECT/MyPoseFeatures/D2_Positions/ACTION.CAMERA.cdf (1, T, 64) px -> OUT/data_2d_h36m_gt.npz

The archives are those of VideoPose3D's prepare_data_h36m.py: `positions_3d` is a dictionary of
subjects, of actions ("Walking 1"), of float32 arrays (T, 32, 3) in metres; `positions_2d` has a list
of four arrays (T, 17, 2) instead, in the order of the cameras. D2_Positions are the true keypoints; to
measure on detections, put a detector's archive of the same layout in its place and name it in the
manifest. S11's first Directions is left out: its file is damaged.
"""
import glob
import os
import sys

import cdflib
import numpy as np

CAMERAS = ["54138969", "55011271", "58860488", "60457274"]
KEEP = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
NAMES = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}


def load(path, width):
    pose = np.asarray(cdflib.CDF(path)["Pose"])
    return pose.reshape(-1, 32, width).astype(np.float32)


def canonical(action):
    base, _, trial = action.partition(" ")
    base = NAMES.get(base, base)
    return "%s %s" % (base, trial) if trial else base


def main(root, out, subjects):
    os.makedirs(out, exist_ok=True)
    poses, pixels = {}, {}
    for subject in subjects:
        folder = os.path.join(root, subject, "MyPoseFeatures")
        files = sorted(glob.glob(os.path.join(folder, "D3_Positions", "*.cdf")))
        if not files:
            sys.exit("%s: no D3_Positions/*.cdf; download and unpack the 3D positions" % folder)
        for path in files:
            action = os.path.splitext(os.path.basename(path))[0]
            if (subject, action) == ("S11", "Directions"):
                continue
            poses.setdefault(subject, {})[canonical(action)] = load(path, 3) / 1000
            flat = [os.path.join(folder, "D2_Positions", "%s.%s.cdf" % (action, c)) for c in CAMERAS]
            if all(map(os.path.exists, flat)):
                views = [load(view, 2)[:, KEEP] for view in flat]
                pixels.setdefault(subject, {})[canonical(action)] = views
        print("%s: %d actions, %d with keypoints" % (
            subject, len(poses[subject]), len(pixels.get(subject, {}))))
    np.savez_compressed(os.path.join(out, "data_3d_h36m.npz"), positions_3d=poses)
    if pixels:
        np.savez_compressed(os.path.join(out, "data_2d_h36m_gt.npz"), positions_2d=pixels)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:] or ["S9", "S11"])
