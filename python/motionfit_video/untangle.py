"""Repairs what detectors do between frames: left and right change places, single points jump."""

import numpy as np
from scipy.ndimage import median_filter

from .people import Person
from .layouts import PAIRS

FAR = 0.15  # heights of the person between frames that count as no more than that
PRICE = 0.003  # of a frame that is turned against the detector, in heights of the person and joint
JUMP = 0.06  # heights of the person off the median of the neighbouring frames
NEIGHBOURS = 0.06  # s on either side


def untangle(person, layout, fps):
    """The person with sides that stay, and jumps marked as unseen; how many frames were turned."""
    order = np.arange(person.keypoints.shape[1])
    for a, b in PAIRS[layout]:
        order[[a, b]] = b, a
    boxes = person.boxes()
    height = np.nanmedian(boxes[:, 3] - boxes[:, 1])
    both = np.stack([person.keypoints, person.keypoints[:, order]])
    paired = np.flatnonzero(order != np.arange(len(order)))
    turned = _turned(both[:, :, paired], height)
    keypoints = np.where(turned[:, None, None], both[1], both[0])
    landmarks = person.landmarks
    if landmarks is not None:
        # The depth of a pose that was taken for its mirror image is of no use.
        landmarks = np.where(turned[:, None, None], np.nan, landmarks)
    _refuse_jumps(keypoints, height, fps)
    return Person(keypoints, landmarks), int(turned.sum())


def _turned(both, height):
    """Which frames to turn, (T,): the cheapest sequence (Viterbi); what most frames say stays."""
    seen = both[..., 2] > 0.3
    xy = np.where(seen[..., None], both[..., :2], np.nan)
    frames = both.shape[1]
    cost, back = np.array([0.0, PRICE]), np.zeros((frames, 2), int)
    last = xy[:, 0]
    for t in range(1, frames):
        last = np.where(np.isfinite(last), last, xy[:, t - 1])
        away = np.linalg.norm(xy[:, t][None] - last[:, None], axis=-1) / height
        usable = np.isfinite(away).any(axis=-1).all()
        step = np.nanmean(np.minimum(away, FAR), axis=-1) if usable else np.zeros((2, 2))
        total = cost[:, None] + step
        back[t] = total.argmin(axis=0)
        cost = total.min(axis=0) + [0.0, PRICE]
        last = np.where(np.isfinite(xy[:, t]), xy[:, t], last)
    state = int(cost.argmin())
    turned = np.zeros(frames, bool)
    for t in range(frames - 1, -1, -1):
        turned[t] = state
        state = back[t, state]
    return turned if turned.mean() <= 0.5 else ~turned


def _refuse_jumps(keypoints, height, fps):
    width = 2 * max(2, round(NEIGHBOURS * fps)) + 1
    if len(keypoints) < width:
        return
    for j in range(keypoints.shape[1]):
        seen = np.flatnonzero(keypoints[:, j, 2] > 0)
        if len(seen) < width:
            continue
        usual = median_filter(keypoints[seen, j, :2], size=(width, 1), mode="nearest")
        off = np.linalg.norm(keypoints[seen, j, :2] - usual, axis=1)
        keypoints[seen[off > JUMP * height], j, 2] = 0.0
