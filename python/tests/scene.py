"""A walk seen by cameras that are known: keypoints, rendered clips, and a detector that is told the answer."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")
pytest.importorskip("scipy")

REPOSITORY = Path(__file__).resolve().parents[2]
if importlib.util.find_spec("motionfit_video") is None:
    sys.path.insert(0, str(REPOSITORY / "python"))

from motionfit_video import camera, overlay
from motionfit_video.people import Person

FPS, SIZE, FOCAL = 25.0, (640, 480), 560.0
HEIGHT, TILT = 1.4, np.radians(6.0)

needs_program = pytest.mark.skipif(
    not (os.environ.get("MOTIONFIT_BIN") or shutil.which("motionfit")), reason="the command motionfit is not there"
)


def true_camera(yaw=0.0, position=(0.0, 0.0, HEIGHT), name="clip"):
    c, s = np.cos(yaw), np.sin(yaw)
    turn = camera.rotation(TILT, 0.0) @ [[c, s, 0], [-s, c, 0], [0, 0, 1]]
    return {
        "name": name,
        "size": list(SIZE),
        "focal": [FOCAL, FOCAL],
        "center": [SIZE[0] / 2, SIZE[1] / 2],
        "rotation": turn.tolist(),
        "position": list(position),
    }


def walk_past():
    """The embedded walk at 25 Hz, walking past the camera, 4 m away: joints (T, 17, 3)."""
    joints = np.load(REPOSITORY / "data" / "walk.npy")[::2].astype(float)
    joints[..., :2] -= joints[:, :1, :2].mean(axis=0)
    return joints[:50] @ [[0, 1, 0], [-1, 0, 0], [0, 0, 1]] + [4.0, 0, 0]


def seen_by(view, joints, noise=0.5):
    pixels = overlay.project(view, joints).reshape(len(joints), 17, 2)
    pixels += np.random.default_rng(0).normal(0, noise, pixels.shape)
    return Person(np.concatenate([pixels, np.ones((*pixels.shape[:2], 1))], axis=2))


def render(path, people, background=0, shift=lambda t: (0, 0), codec="mp4v"):
    """Stick figures before a background with features."""
    scene = np.random.default_rng(background).integers(40, 90, (SIZE[1] // 16 + 20, SIZE[0] // 16 + 20, 3), np.uint8)
    scene = cv2.resize(scene, None, fx=16, fy=16, interpolation=cv2.INTER_NEAREST)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), FPS, SIZE)
    for t in range(len(people[0].keypoints)):
        x, y = shift(t)
        image = scene[y : y + SIZE[1], x : x + SIZE[0]].copy()
        for person in people:
            for a, b in overlay.BONES:
                ends = [tuple(int(v) for v in person.keypoints[t, j, :2]) for j in (a, b)]
                cv2.line(image, *ends, (220, 220, 220), 4)
        video.write(image)
    video.release()
    return str(path)


class Known:
    """A detector that is told the answer."""

    name, layout = "known", "h36m17"

    def __init__(self, *people):
        self.people, self.calls = people, 0

    def detect(self, clip, progress):
        self.calls += 1
        progress(len(clip.frames), len(clip.frames))
        return list(self.people)
