"""overlay.mp4: the frames of a clip with the simulated body, its contact forces and the detected keypoints."""

import os

import cv2
import numpy as np

from .encoder import open_video

# Human3.6M-17: pelvis, right leg, left leg, spine to head, left arm, right arm.
BONES = [(0, 1), (1, 2), (2, 3), (0, 4), (4, 5), (5, 6), (0, 7), (7, 8), (8, 9), (9, 10)]
BONES += [(8, 11), (11, 12), (12, 13), (8, 14), (14, 15), (15, 16)]
RIGHT = {1, 2, 3, 14, 15, 16}
# Blue, green, red.
RIGHT_COLOUR, LEFT_COLOUR, FORCE_COLOUR, POINT_COLOUR = (60, 90, 255), (255, 160, 40), (60, 220, 80), (0, 230, 255)
NEWTONS_PER_METRE = 1000.0


def project(camera, points):
    """Pixels (N, 2) of points (N, 3) in the world of a camera of motionfit's JSON; NaN behind it."""
    turn, translation = extrinsics(camera)
    seen = np.asarray(points, float).reshape(-1, 3) @ turn.T + translation
    safe = np.where(np.isfinite(seen).all(axis=1) & (seen[:, 2] > 0.1), 1, np.nan)
    flat = np.nan_to_num(seen * safe[:, None], nan=1.0)
    distortions = np.array(camera.get("distortions", [0.0] * 5), float)
    pixels = cv2.projectPoints(flat.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), intrinsics(camera), distortions)[0]
    return pixels[:, 0] * safe[:, None]


def intrinsics(camera):
    """The matrix K of a camera of motionfit's JSON."""
    if "matrix" in camera:
        return np.array(camera["matrix"], float)
    (fx, fy), (cx, cy) = camera["focal"], camera["center"]
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])


def extrinsics(camera):
    """Rotation (3, 3) and translation (3,), m, camera from z-up world, of a camera of motionfit's JSON."""
    turn = np.array(camera["rotation"], float)
    if "position" in camera:
        return turn, -turn @ np.array(camera["position"], float)
    return turn, np.array(camera["translation"], float)


def draw(clip, keypoints, camera, motion, floor, path, lag=0, progress=lambda done, total: None):
    """Writes the overlay of ``clip``; ``motion`` is the archive motion.npz, ``floor`` its height in the world.

    Returns the name of the codec.
    """
    world = lambda points: np.asarray(points, float) + [0, 0, floor]
    joints, rate = motion["joints"], float(motion["fps"])
    forces, feet = motion["contact_forces"], motion["contact_points"]
    with open_video(path, clip.fps, clip.size) as video:
        scale, thick = video.size[0] / clip.size[0], max(2, round(max(video.size) / 400))
        for t, image in enumerate(clip.images()):
            image = cv2.resize(image, video.size, interpolation=cv2.INTER_AREA)
            _draw_keypoints(image, keypoints[t], scale, thick)
            k = round((t - lag) / clip.fps * rate)
            if 0 <= k < len(joints):
                _draw_body(image, project(camera, world(joints[k])) * scale, thick)
                for force, point in zip(forces[k], feet[k]):
                    ends = project(camera, world([point, point + force / NEWTONS_PER_METRE])) * scale
                    _draw_force(image, ends, thick)
            video.write(image)
            progress(t + 1, len(clip.frames))
    return video.codec


def preview(clip, people, path):
    """Writes for each person the frame that shows most of them, with all people's numbers; returns the files.

    ``path`` says with {} where the number stands.
    """
    wanted = {}
    for number, person in enumerate(people, 1):
        wanted.setdefault(person.best(), []).append(number)
    files = {}
    for t, image in enumerate(clip.images()):
        if t in wanted:
            _draw_people(image, people, t)
            for number in wanted[t]:
                files[number] = os.fspath(path).format(number)
                cv2.imwrite(files[number], image)
    return [files[number] for number in sorted(files)]


def _draw_people(image, people, t):
    thick = max(2, round(max(image.shape) / 400))
    for number, person in enumerate(people, 1):
        _draw_keypoints(image, person.keypoints[t], 1.0, thick)
        box = person.boxes()[t]
        if np.isfinite(box).all():
            corner = tuple(int(v) for v in box[:2])
            cv2.rectangle(image, corner, tuple(int(v) for v in box[2:]), POINT_COLOUR, thick)
            cv2.putText(image, str(number), corner, cv2.FONT_HERSHEY_SIMPLEX, thick * 0.5, POINT_COLOUR, thick)


def _point(x):
    return tuple(int(v) for v in np.clip(np.round(x), -30000, 30000))


def _draw_keypoints(image, keypoints, scale, thick):
    for x, y, confidence in keypoints:
        if confidence > 0.3:
            cv2.circle(image, _point((x * scale, y * scale)), thick, POINT_COLOUR, -1, cv2.LINE_AA)


def _draw_body(image, pixels, thick):
    for a, b in BONES:
        if np.isfinite(pixels[[a, b]]).all():
            colour = RIGHT_COLOUR if b in RIGHT else LEFT_COLOUR
            cv2.line(image, _point(pixels[a]), _point(pixels[b]), colour, thick, cv2.LINE_AA)


def _draw_force(image, ends, thick):
    if np.isfinite(ends).all() and np.linalg.norm(ends[1] - ends[0]) > 3:
        cv2.arrowedLine(image, _point(ends[0]), _point(ends[1]), FORCE_COLOUR, thick + 1, cv2.LINE_AA, 0, 0.12)
