"""Who is seen in a clip: keypoints of every person, frame by frame.

A detector is any object with ``name``, ``layout`` and ``detect(clip, progress) -> list of Person``.
"""

import sys
import warnings

import cv2
import numpy as np

from .errors import VideoError
from .keypoint_files import Files, beside
from .people import SAME, Person, box_of, overlap

PEOPLE = 4  # people that are looked for
LOOK = 0.5  # s between looks for people that are not tracked
MARGIN = 0.3  # of the box, around a tracked person
OLDEST, NEWEST = (3, 9), (3, 12)  # Python of which mediapipe 0.10.14 has wheels
LOST = 0.5  # s after which a person who is not seen is lost


def _how_to_install(version=None):
    version = version or sys.version_info[:2]
    if not OLDEST <= version <= NEWEST:
        have, oldest, newest = ("{}.{}".format(*pair) for pair in (version, OLDEST, NEWEST))
        return f"its release 0.10.14 is for Python {oldest} to {newest}, this is {have}: use one of those"
    return "pip install mediapipe==0.10.14"


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
            raise VideoError(f"mediapipe: {error}: {_how_to_install()}, or lay keypoints in JSON beside the video")
        # Of protobuf, on every call.
        warnings.filterwarnings("ignore", message="SymbolDatabase.GetPrototype")
        if not hasattr(mediapipe, "solutions"):
            raise VideoError(f"mediapipe {mediapipe.__version__} has no solutions.pose: {_how_to_install()}")
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
            box = box_of(pose_found[0])
            if box is None or max((overlap(box, b) for b in known), default=0) > SAME:
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
        self.box, self.last = box_of(found[0]), t

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
        box = None if found is None else box_of(found[0])
        if box is not None and overlap(box, self.box) > SAME:
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


def _paint(image, box):
    grow = 0.1 * (box[2:] - box[:2])
    low, high = np.maximum(box[:2] - grow, 0).astype(int), np.maximum(box[2:] + grow, 0).astype(int)
    image[low[1] : high[1], low[0] : high[0]] = 127


def detector_for(path):
    """What lies beside the video (see :mod:`motionfit_video.keypoint_files`), else MediaPipe."""
    found = beside(path)
    return Files(found) if found else MediaPipe()
