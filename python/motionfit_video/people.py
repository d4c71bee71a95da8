"""People over the frames of a clip: their keypoints, boxes, and who is who from frame to frame."""

from dataclasses import dataclass
from typing import Optional

import numpy as np

SEEN = 0.3  # confidence from which a keypoint counts as seen
SAME = 0.3  # intersection over union from which two boxes are one person's
FORGOTTEN = 15  # frames for which a person who is not seen keeps the number


@dataclass
class Person:
    """One person over the clip.

    ``keypoints`` (T, J, 3): x, y in px and confidence in [0, 1], NaN and 0 where unseen. ``landmarks`` (T, J, 3), or
    None: about the hips, camera axes, metres.
    """

    keypoints: np.ndarray
    landmarks: Optional[np.ndarray] = None

    def seen(self):
        """Frames in which the person is seen at all, (T,)."""
        return (self.keypoints[..., 2] > SEEN).sum(axis=1) >= 5

    def boxes(self):
        """x0, y0, x1, y1 in px, (T, 4)."""
        points = np.where(self.keypoints[..., 2:] > SEEN, self.keypoints[..., :2], np.nan)
        boxes = np.full((len(points), 4), np.nan)
        seen = self.seen()
        boxes[seen] = np.hstack([np.nanmin(points[seen], axis=1), np.nanmax(points[seen], axis=1)])
        return boxes

    def best(self):
        """The frame that shows most of the person: the largest sum of confidences."""
        return int(np.nan_to_num(self.keypoints[..., 2]).sum(axis=1).argmax())


def box_of(keypoints):
    """x0, y0, x1, y1 in px of the seen among ``keypoints`` (J, 3), or None."""
    seen = keypoints[keypoints[:, 2] > SEEN, :2]
    return None if len(seen) < 5 else np.r_[seen.min(axis=0), seen.max(axis=0)]


def overlap(a, b):
    """Intersection over union of two boxes."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    both = np.prod(np.maximum(high - low, 0))
    return both / max(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - both, 1e-9)


class Follower:
    """Gives people the same numbers from frame to frame, by overlapping boxes."""

    def __init__(self):
        self._last, self._frame, self._next = {}, 0, 0

    def __call__(self, rows):
        """The keypoints (J, 3) in the list ``rows``, people of the next frame, by number."""
        boxes = [box_of(keypoints) for keypoints in rows]
        pairs = [
            (overlap(known, box), who, i)
            for who, (known, _) in self._last.items()
            for i, box in enumerate(boxes)
            if box is not None
        ]
        linked = {}
        for score, who, i in sorted(pairs, reverse=True):
            if score > SAME and who not in linked and i not in linked.values():
                linked[who] = i
        for i in range(len(rows)):
            if i not in linked.values():
                linked[self._next] = i
                self._next += 1
        self._last.update({who: (boxes[i], self._frame) for who, i in linked.items() if boxes[i] is not None})
        self._frame += 1
        self._last = {who: (box, t) for who, (box, t) in self._last.items() if self._frame - t <= FORGOTTEN}
        return {who: rows[i] for who, i in linked.items()}
