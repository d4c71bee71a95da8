"""Points that several calibrated cameras see, and the ground under them."""

import cv2
import numpy as np

from .layouts import Parts
from .overlay import extrinsics, intrinsics

ANKLE = 0.039  # of the stature above the ground (Winter 2009)
STANCE = 0.1  # quantile of the lower ankle's height that is one of standing


def triangulate(cameras, views):
    """Linear triangulation of ``views``, keypoints (V, N, 3) with confidence, in the z-up world, (N, 3); NaN unseen."""
    rows, weights = [], []
    for camera, points in zip(cameras, views):
        turn, translation = extrinsics(camera)
        distortions = np.array(camera.get("distortions", [0.0] * 5), float)
        pixels = np.nan_to_num(points[:, :2]).reshape(-1, 1, 2)
        x, y = cv2.undistortPoints(pixels, intrinsics(camera), distortions)[:, 0].T
        matrix = np.c_[turn, translation]
        rows += [x[:, None] * matrix[2] - matrix[0], y[:, None] * matrix[2] - matrix[1]]
        weights += [np.where(points[:, 2] > 0.3, points[:, 2], 0.0)] * 2
    rows, weights = np.stack(rows, axis=1), np.stack(weights, axis=1)
    found = np.linalg.svd(rows * weights[..., None])[2][:, -1]
    found = found[:, :3] / found[:, 3:]
    found[(weights > 0).sum(axis=1) < 4] = np.nan
    return found


def ground_height(cameras, people, layout):
    """Height of the ground in the z-up world of ``cameras``, m, from the ankles of the same person in every view."""
    parts = Parts(layout)
    joints = [*parts.ankles, *parts.knees, *parts.hips, *parts.shoulders]
    views = [keypoints[:, joints] for keypoints in people]
    frames = len(views[0])
    points = triangulate(cameras, [view.reshape(-1, 3) for view in views]).reshape(frames, len(joints), 3)
    length = lambda a, b: np.nanmedian(np.linalg.norm(points[:, a] - points[:, b], axis=1))
    shank = (length(0, 2) + length(1, 3)) / 2
    lower = np.nanmin(points[:, :2, 2], axis=1)
    if not np.isfinite(lower).any():
        return 0.0
    return float(np.nanquantile(lower, STANCE) - ANKLE / 0.246 * shank)
