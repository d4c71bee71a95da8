"""Who is seen in a clip: keypoints of every person, frame by frame.

A detector is any object with ``name``, ``layout`` and ``detect(clip, progress) -> list of Person``.
"""

import json
import os
import re
from dataclasses import dataclass
from typing import Optional

import cv2
import numpy as np

from .errors import VideoError
from .layouts import COUNTS

SEEN = 0.3  # confidence from which a keypoint counts as seen
PEOPLE = 4  # people that are looked for
LOOK = 0.5  # s between looks for people that are not tracked
MARGIN = 0.3  # of the box, around a tracked person
SAME = 0.3  # intersection over union from which two boxes are one person's
LOST = 0.5  # s after which a person who is not seen is lost


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


class MediaPipe:
    """MediaPipe Pose (BlazePose GHUM, Apache-2.0), whose models are in the wheel of mediapipe 0.10.14.

    It sees one person in an image. So whoever is found is painted over and the image is searched again, twice a second;
    each person is then followed in crops.
    """

    name = "mediapipe"
    layout = "mediapipe33"

    def __init__(self, people=PEOPLE):
        try:
            import mediapipe
        except ImportError as error:
            raise VideoError(f"mediapipe: {error}: pip install 'motionfit[video]', or lay OpenPose JSON beside the video")
        if not hasattr(mediapipe, "solutions"):
            raise VideoError(f"mediapipe {mediapipe.__version__} has no solutions.pose: pip install mediapipe==0.10.14")
        self._pose = mediapipe.solutions.pose.Pose
        self.people = people

    def detect(self, clip, progress):
        """The people of ``clip``; whoever is seen longest comes first."""
        count = len(clip.frames)
        tracks, still = [], self._new(True)
        look = max(1, round(LOOK * clip.fps))
        for t, image in enumerate(clip.images()):
            image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            for track in tracks:
                track.follow(t, image, clip.fps)
            if t % look == 0:
                for found in self._search(still, image, [track.box for track in tracks if track.alive]):
                    tracks.append(_Track(self._new, count, t, found))
            progress(t + 1, count)
        people = [Person(track.keypoints, track.landmarks) for track in tracks]
        people = [p for p in people if p.seen().sum() >= min(4, count)]
        return sorted(people, key=lambda p: -p.seen().sum())

    def _new(self, still):
        return self._pose(
            static_image_mode=still, model_complexity=1, smooth_landmarks=False, min_detection_confidence=0.5
        )

    def _search(self, pose, image, known):
        """Poses in the image besides those in the ``known`` boxes."""
        image, found = image.copy(), []
        for box in known:
            _paint(image, box)
        for _ in range(self.people - len(known)):
            pose_found = _landmarks(pose, image, (0, 0))
            if pose_found is None:
                break
            box = _box(pose_found[0])
            if box is None or max((_overlap(box, b) for b in known), default=0) > SAME:
                break
            found.append(pose_found)
            known = [*known, box]
            _paint(image, box)
        return found


class _Track:
    """One person, followed in crops around where they were last."""

    def __init__(self, new, count, t, found):
        self.keypoints = np.concatenate([np.full((count, 33, 2), np.nan), np.zeros((count, 33, 1))], axis=2)
        self.landmarks = np.full((count, 33, 3), np.nan)
        self.pose, self.window, self.alive, self.last = new(False), None, True, t
        self.new = new
        self._keep(t, found)

    def _keep(self, t, found):
        self.keypoints[t], self.landmarks[t] = found
        self.box, self.last = _box(found[0]), t

    def follow(self, t, image, fps):
        if not self.alive:
            return
        size = np.array([image.shape[1], image.shape[0]])
        grow = MARGIN * (self.box[2:] - self.box[:2]).max()
        need = np.r_[np.maximum(self.box[:2] - grow, 0), np.minimum(self.box[2:] + grow, size)]
        # The window stays while the person is well inside it: MediaPipe tracks within its coordinates.
        if self.window is None or not _inside(self.box, self.window, 0.3 * grow, size):
            if self.window is not None:
                self.pose = self.new(False)
            self.window = need.astype(int)
        x0, y0, x1, y1 = self.window
        found = _landmarks(self.pose, np.ascontiguousarray(image[y0:y1, x0:x1]), (x0, y0))
        box = None if found is None else _box(found[0])
        if box is not None and _overlap(box, self.box) > SAME:
            self._keep(t, found)
        elif t - self.last > LOST * fps:
            self.alive = False


def _inside(box, window, margin, size):
    low = (box[:2] - window[:2] >= margin) | (window[:2] <= 0)
    high = (window[2:] - box[2:] >= margin) | (window[2:] >= size)
    return bool(np.all(low & high))


def _landmarks(pose, image, corner):
    result = pose.process(image)
    if result.pose_landmarks is None:
        return None
    height, width = image.shape[:2]
    rows = result.pose_landmarks.landmark
    keypoints = np.array([(corner[0] + p.x * width, corner[1] + p.y * height, p.visibility) for p in rows])
    outside = (keypoints[:, :2] < corner) | (keypoints[:, :2] > np.add(corner, (width, height)))
    keypoints[outside.any(axis=1), 2] *= 0.1
    return keypoints, np.array([(p.x, p.y, p.z) for p in result.pose_world_landmarks.landmark])


def _box(keypoints):
    seen = keypoints[keypoints[:, 2] > SEEN, :2]
    return None if len(seen) < 5 else np.r_[seen.min(axis=0), seen.max(axis=0)]


def _overlap(a, b):
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    both = np.prod(np.maximum(high - low, 0))
    return both / max(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - both, 1e-9)


def _paint(image, box):
    grow = 0.1 * (box[2:] - box[:2])
    low, high = np.maximum(box[:2] - grow, 0).astype(int), np.maximum(box[2:] + grow, 0).astype(int)
    image[low[1] : high[1], low[0] : high[0]] = 127


class Files:
    """Keypoints that another detector wrote: a folder of OpenPose, or a JSON list of MMPose."""

    def __init__(self, path):
        self.path, self.name, self.layout = path, f"files of {os.path.basename(path)}", None

    def detect(self, clip, progress):
        frames = _openpose(self.path) if os.path.isdir(self.path) else _mmpose(self.path)
        frames = [frames[n] if n < len(frames) else {} for n in clip.frames]
        joints = {len(k) for frame in frames for k in frame.values()}
        if len(joints) != 1 or (count := joints.pop()) not in COUNTS:
            raise VideoError(f"{self.path}: not one of the layouts {', '.join(COUNTS.values())}")
        self.layout = COUNTS[count]
        people = {}
        for t, frame in enumerate(frames):
            for who, keypoints in frame.items():
                empty = np.concatenate([np.full((len(frames), count, 2), np.nan), np.zeros((len(frames), count, 1))], 2)
                people.setdefault(who, empty)[t] = keypoints
        progress(len(frames), len(frames))
        return sorted((Person(k) for k in people.values()), key=lambda p: -p.seen().sum())


def _number(name):
    numbers = re.findall(r"\d+", name)
    return int(numbers[-1]) if numbers else 0


def _openpose(folder):
    names = sorted((n for n in os.listdir(folder) if n.endswith(".json")), key=lambda n: (_number(n), n))
    frames = []
    for name in names:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            people = json.load(file)["people"]
        rows = {i: np.array(p["pose_keypoints_2d"], float).reshape(-1, 3) for i, p in enumerate(people)}
        frames.append(_link(frames[-1] if frames else {}, rows))
    return frames


def _mmpose(path):
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    document = document.get("instance_info", document) if isinstance(document, dict) else document
    frames = []
    for record in document:
        rows = {}
        for i, person in enumerate(record["instances"]):
            points = np.array(person["keypoints"], float)
            scores = np.array(person.get("keypoint_scores", np.ones(len(points))), float)
            rows[person.get("track_id", i)] = np.column_stack([points, scores])
        tracked = all("track_id" in person for person in record["instances"])
        frames.append(rows if tracked else _link(frames[-1] if frames else {}, rows))
    return frames


def _link(before, rows):
    """The same people under the same numbers as in the frame before, by overlapping boxes."""
    linked, free = {}, dict(rows)
    for who, keypoints in before.items():
        box = _box(keypoints)
        boxes = {i: _box(k) for i, k in free.items()}
        scores = {i: _overlap(box, b) for i, b in boxes.items() if b is not None and box is not None}
        if scores and max(scores.values()) > SAME:
            linked[who] = free.pop(max(scores, key=scores.get))
    number = max(before, default=-1)
    for keypoints in free.values():
        number += 1
        linked[number] = keypoints
    return linked


def detector_for(path):
    """What lies beside the video (NAME_json/, NAME/ of OpenPose, NAME.json of MMPose), else MediaPipe."""
    stem = os.path.splitext(path)[0]
    for folder in (stem + "_json", stem):
        if os.path.isdir(folder) and any(n.endswith("_keypoints.json") for n in os.listdir(folder)):
            return Files(folder)
    if os.path.isfile(stem + ".json"):
        with open(stem + ".json", encoding="utf-8") as file:
            if "instances" in file.read(4096):
                return Files(stem + ".json")
    return MediaPipe()
