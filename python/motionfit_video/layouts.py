"""Where the parts of the body stand in each order of keypoints."""

import numpy as np

# Of each layout: right and left hip, knee, ankle, shoulder; the points whose mean is the head; its height as a
# share of the stature (ears and nose: Winter 2009, eye height 0.936; Human3.6M's head: 0.95).
_PARTS = {
    "coco17": ((12, 11), (14, 13), (16, 15), (6, 5), (0, 3, 4), 0.93),
    "h36m17": ((1, 4), (2, 5), (3, 6), (14, 11), (10,), 0.95),
    "mediapipe33": ((24, 23), (26, 25), (28, 27), (12, 11), (0, 7, 8), 0.93),
    "body25": ((9, 12), (10, 13), (11, 14), (2, 5), (0, 17, 18), 0.93),
    "halpe26": ((12, 11), (14, 13), (16, 15), (6, 5), (0, 3, 4), 0.93),
    "wholebody133": ((12, 11), (14, 13), (16, 15), (6, 5), (0, 3, 4), 0.93),
}

COUNTS = {17: "coco17", 33: "mediapipe33", 25: "body25", 26: "halpe26", 133: "wholebody133"}

# Joints that a mirror exchanges.
_COCO = [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)]
PAIRS = {
    "coco17": _COCO,
    "h36m17": [(1, 4), (2, 5), (3, 6), (11, 14), (12, 15), (13, 16)],
    "mediapipe33": [(1, 4), (2, 5), (3, 6), (7, 8), (9, 10), *((i, i + 1) for i in range(11, 33, 2))],
    "body25": [(2, 5), (3, 6), (4, 7), (9, 12), (10, 13), (11, 14), (15, 16), (17, 18), (19, 22), (20, 23), (21, 24)],
    "halpe26": [*_COCO, (20, 21), (22, 23), (24, 25)],
    "wholebody133": [*_COCO, (17, 20), (18, 21), (19, 22), *((i, i + 21) for i in range(91, 112))],
}

# Heights of the joints of a standing person as shares of the stature (Winter 2009, Fig. 4.1); mid ankles are those of
# a walk, where one foot is off the ground for 40 % of the time.
HEIGHTS = {"ankle": 0.055, "hip": 0.530, "shoulder": 0.818}
THIGH, SHANK, TRUNK = 0.245, 0.246, 0.288


class Parts:
    """The parts of the body in arrays (T, J, ...) of one layout."""

    def __init__(self, layout):
        self.hips, self.knees, self.ankles, self.shoulders, self.head, self.head_height = _PARTS[layout]

    def middle(self, points, part):
        """Mean of a part's points, (T, ...); NaN where one is missing."""
        return points[:, list(getattr(self, part))].mean(axis=1)

    def stature(self, poses):
        """Stature that the bones of 3D poses (T, J, 3) imply: median over the frames."""
        length = lambda a, b: np.linalg.norm(poses[:, a] - poses[:, b], axis=-1)
        legs = sum(
            length(self.hips[s], self.knees[s]) + length(self.knees[s], self.ankles[s]) for s in (0, 1)
        ) / 2
        trunk = np.linalg.norm(self.middle(poses, "hips") - self.middle(poses, "shoulders"), axis=-1)
        return float(np.nanmedian(legs + trunk) / (THIGH + SHANK + TRUNK))
