"""Where one static camera that nobody calibrated stands, from the person it sees.

World: z up, the ground at z = 0, the camera above the origin, looking along x. Unknown are the camera's tilt (downwards
positive), roll and height; where the person stands in every frame follows. A standing person is a vertical line whose
ankles, hips, shoulders and head are at known shares of the stature (layouts.HEIGHTS).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from .errors import VideoError
from .layouts import HEIGHTS, Parts

# Angle across the longer side of the image, degrees. Main cameras of phones are of 24 to 26 mm (35 mm equivalent), 69 to
# 74 degrees; video loses 10 to 15 % of it to stabilization. The four cameras of Pose2Sim's demo: 59.5 degrees.
USUAL_FOV = 60.0
USUAL_STATURE = 1.70  # m
NOISE = 0.02  # of the stature: how well a walking person is the line above
SPREAD = np.array([1.5, 1, 1, 3])  # the same of ankles, hips, shoulders and head, times NOISE
BEND_SIGMA = 0.03  # of the stature, by which bent knees lower the hips
LEAN_SIGMA = np.tan(np.radians(6.0))  # by which the line leans
INDEPENDENT = 5  # frames that tell something new; the others repeat it
# Expected values and their standard deviations: people hold cameras level and at breast height.
TILT, TILT_SIGMA = np.radians(5.0), np.radians(8.0)
ROLL_SIGMA = np.radians(2.0)
HEIGHT, HEIGHT_SIGMA = 1.4, 0.35
MEASURED_SIGMA = 0.03  # m
BODY_SIGMA = np.radians(4.0)  # of the landmarks' vertical
UPRIGHT = 0.85  # share of the clip's usual ratio of legs to trunk
FEWEST = 4  # frames with an upright person
MOST = 60  # frames that are used


@dataclass
class Placement:
    """A camera in its world: ``rotation`` (3, 3), camera from world; ``height`` in m; ``tilt`` and ``roll`` in rad."""

    focal: float
    size: tuple
    tilt: float
    roll: float
    height: float
    frames: int

    @property
    def rotation(self):
        return rotation(self.tilt, self.roll)

    def to_json(self, name):
        width, height = self.size
        return {
            "name": name,
            "size": [width, height],
            "focal": [self.focal, self.focal],
            "center": [width / 2, height / 2],
            "rotation": self.rotation.tolist(),
            "position": [0.0, 0.0, self.height],
        }


def rotation(tilt, roll):
    """Camera from world."""
    level = np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]])
    c, s = np.cos(tilt), np.sin(tilt)
    down = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    c, s = np.cos(roll), np.sin(roll)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ down @ level


def focal_of_fov(fov, size):
    """Focal length in px from the angle across the longer side of the image."""
    if not 5 <= fov <= 150:
        raise VideoError(f"--fov {fov:g}: give 5 to 150 degrees, across the longer side of the image")
    return max(size) / 2 / np.tan(np.radians(fov) / 2)


def place(person, layout, focal, size, stature, known_height=None):
    """Finds the :class:`Placement` from a :class:`~motionfit_video.detector.Person` of ``stature`` m.

    ``known_height`` of the camera above the ground, m, if somebody measured it.
    """
    usual, sigma = (HEIGHT, HEIGHT_SIGMA) if known_height is None else (known_height, MEASURED_SIGMA)
    parts = Parts(layout)
    points, frames = _lines(person, parts)
    centred = (points - np.array(size) / 2) / focal
    heights = stature * np.array([HEIGHTS["ankle"], HEIGHTS["hip"], HEIGHTS["shoulder"], parts.head_height])
    scale = np.linalg.norm(centred[:, 0] - centred[:, 2], axis=1) / (heights[2] - heights[0])
    up = _body_up(person, parts, frames)

    def residuals(x):
        tilt, roll, height = x
        turn = rotation(tilt, roll)
        seen, lean = _stand(turn, height, heights, centred, stature)
        misfit = (seen - centred) / (NOISE * stature * scale[:, None, None] * SPREAD[:, None])
        misfit = np.concatenate([misfit.ravel(), lean.ravel()]) / np.sqrt(max(len(frames) / INDEPENDENT, 1))
        prior = [(tilt - TILT) / TILT_SIGMA, roll / ROLL_SIGMA, (height - usual) / sigma]
        body = [] if up is None else np.cross(turn[:, 2], up) / BODY_SIGMA
        return np.concatenate([misfit, prior, body])

    starts = [(tilt, 0.0, height) for tilt in np.radians([-10.0, 5.0, 25.0]) for height in (0.5 * usual, 1.2 * usual)]
    bounds = ([-1.0, -0.7, 0.05], [1.3, 0.7, 15.0])
    fits = [least_squares(residuals, s, bounds=bounds, loss="soft_l1") for s in starts]
    best = min(fits, key=lambda fit: fit.cost)
    return Placement(focal, tuple(size), *map(float, best.x), len(frames))


def _lines(person, parts):
    """Ankles, hips, shoulders, head (F, 4, 2) in px of the frames in which the person stands upright."""
    keypoints = person.keypoints
    wanted = [*parts.hips, *parts.ankles, *parts.shoulders, *parts.head]
    whole = (keypoints[:, wanted, 2] > 0.3).all(axis=1)
    xy = np.where(np.isfinite(keypoints[..., :2]), keypoints[..., :2], 0.0)
    points = np.stack([parts.middle(xy, p) for p in ("ankles", "hips", "shoulders", "head")], axis=1)
    legs, trunk = points[:, 1] - points[:, 0], points[:, 2] - points[:, 1]
    ratio = np.linalg.norm(legs, axis=1) / np.maximum(np.linalg.norm(trunk, axis=1), 1e-9)
    if not whole.any():
        raise VideoError("the person is never seen from head to ankles: step back, or give --camera-calibration")
    usual = np.quantile(ratio[whole], 0.75)
    along = (legs * trunk).sum(axis=1) / np.maximum(np.linalg.norm(legs, axis=1) * np.linalg.norm(trunk, axis=1), 1e-9)
    upright = whole & (ratio > max(UPRIGHT * usual, 1.2)) & (along > np.cos(np.radians(20)))
    frames = np.flatnonzero(upright)
    if len(frames) < FEWEST:
        raise VideoError("the person never stands upright: film some standing or walking, or give --camera-calibration")
    frames = frames[np.linspace(0, len(frames) - 1, min(len(frames), MOST)).astype(int)]
    return points[frames], frames


def _body_up(person, parts, frames):
    """The direction from the ankles to the shoulders in camera axes, mean over ``frames``, or None."""
    if person.landmarks is None:
        return None
    poses = person.landmarks[frames]
    body = parts.middle(poses, "shoulders") - parts.middle(poses, "ankles")
    body = np.nanmedian(body / np.linalg.norm(body, axis=1, keepdims=True), axis=0)
    return body / np.linalg.norm(body)


def _stand(turn, height, heights, seen, stature):
    """Where lines that explain ``seen`` (F, 4, 2) best appear, (F, 4, 2), and how they lean and bend, (F, 3), in standard deviations.

    A line is linear in its place on the ground (X, Y), its lean (a, b), and by how much bent knees lower what is above
    them (c): (X + a z, Y + b z, z - c).
    """
    frames, points = seen.shape[:2]
    # Camera coordinates are turn @ (x, y, z - height); u * depth = right, v * depth = below: two equations a point.
    rows = turn[:2, None, None] - np.moveaxis(seen, 2, 0)[..., None] * turn[2]
    place = np.moveaxis(rows[..., :2], 0, 2)
    above = np.array([0.0, 1, 1, 1])
    down = np.moveaxis(rows[..., 2:], 0, 2)
    columns = [place, LEAN_SIGMA * place * heights[:, None, None], -BEND_SIGMA * stature * down * above[:, None, None]]
    weights = 1 / np.repeat(SPREAD, 2)
    matrix = np.concatenate(columns, axis=-1).reshape(frames, 2 * points, 5) * weights[:, None]
    value = -(down[..., 0] * (heights - height)[:, None]).reshape(frames, -1) * weights
    ridge = np.diag([1e-9, 1e-9, 1, 1, 1]) * (NOISE * stature) ** 2
    normal = np.einsum("fki,fkj->fij", matrix, matrix) + ridge
    line = np.linalg.solve(normal, np.einsum("fki,fk->fi", matrix, value)[..., None])[..., 0]
    world = np.empty((frames, points, 3))
    world[..., :2] = line[:, None, :2] + LEAN_SIGMA * heights[:, None] * line[:, None, 2:4]
    world[..., 2] = heights - height - BEND_SIGMA * stature * line[:, 4:] * above
    camera = world @ turn.T
    # Behind the camera: as far as it gets from what is seen.
    return camera[..., :2] / np.maximum(camera[..., 2:], 0.1), line[:, 2:]


def landmarks_in_camera(person, layout, matrix, stature):
    """The person's landmarks (T, J, 3), scaled to ``stature``, where the camera sees them: m, camera axes.

    The translation of each frame is the least-squares one for its keypoints, given the pinhole ``matrix``.
    """
    poses = person.landmarks * (stature / Parts(layout).stature(person.landmarks))
    inverse = np.linalg.inv(matrix)
    placed = np.full_like(poses, np.nan)
    for t in np.flatnonzero(person.seen() & np.isfinite(poses).all(axis=(1, 2))):
        weight = person.keypoints[t, :, 2]
        rays = np.c_[person.keypoints[t, :, :2], np.ones(len(weight))] @ inverse.T
        keep = weight > 0.5
        if keep.sum() < 6:
            continue
        placed[t] = poses[t] + _translation(poses[t][keep], rays[keep], weight[keep])
    return placed


def _translation(pose, rays, weight):
    # x + X = u (z + Z): linear in the translation (x, y, z).
    u, v = rays[:, 0], rays[:, 1]
    zero, one = np.zeros_like(u), np.ones_like(u)
    matrix = np.r_[np.c_[one, zero, -u], np.c_[zero, one, -v]]
    value = np.r_[u * pose[:, 2] - pose[:, 0], v * pose[:, 2] - pose[:, 1]]
    both = np.r_[weight, weight]
    return np.linalg.lstsq(matrix * both[:, None], value * both, rcond=None)[0]
