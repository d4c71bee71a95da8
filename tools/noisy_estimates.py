#!/usr/bin/env python3
"""Makes 3D pose estimates as a monocular estimator would give them, from known motion.

    tools/noisy_estimates.py OUT CLIP.npz ...      writes OUT/CLIP.npy, (T, 17, 3), m, camera frame

Every clip has `joints_cam` (T, 17, 3), the true joints in camera coordinates (data/README.md of the
keypoint samples). Two errors are added: the root's depth is wrong by 5 % all over the clip, nearer
or farther by the clip's name (the whole body moves along the root's ray); and every joint in every
frame has Gaussian noise of 60 mm along each axis.
"""
import os
import sys
import zlib

import numpy as np

NOISE, DEPTH = 0.060, 0.05


def main(out, paths):
    os.makedirs(out, exist_ok=True)
    for path in paths:
        name = os.path.splitext(os.path.basename(path))[0]
        seed = zlib.crc32(name.encode())
        joints = np.load(path)["joints_cam"].astype(float)
        sign = 1 if seed // 7 % 2 else -1
        shifted = joints + sign * DEPTH * joints[:, :1]
        noise = np.random.default_rng(seed).normal(0, NOISE, joints.shape)
        np.save("%s/%s.npy" % (out, name), (shifted + noise).astype(np.float32))
        error = np.linalg.norm(shifted + noise - joints, axis=-1).mean()
        print("%s: %+.0f %% depth, MPJPE-G %.0f mm" % (name, 100 * sign * DEPTH, 1000 * error))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
