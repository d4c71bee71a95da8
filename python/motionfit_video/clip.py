"""A video file: its frames on an even clock, upright, from one camera that stands still."""

import os
from dataclasses import dataclass, field

import cv2
import numpy as np

from .errors import VideoError

UNEVEN = 0.2  # share of the frame time by which a video of variable frame rate is off its clock
CUT_CHANGE = 40.0  # grey levels between successive thumbnails
CUT_PEAK = 6.0  # times the change that is usual in the clip
DRIFT = 0.02  # of the image's diagonal, by which the background may move


@dataclass
class Clip:
    """A video: ``frames`` are the numbers of the frames in the file, evenly spaced at ``fps``."""

    path: str
    fps: float
    size: tuple
    frames: list
    notes: list = field(default_factory=list)

    def images(self):
        """The images (height, width, 3), BGR, one for each entry of ``frames``."""
        capture = _open(self.path)
        image, at = None, -1
        for wanted in self.frames:
            while at < wanted:
                good, image = capture.read()
                if not good:
                    return
                at += 1
            yield image
        capture.release()


def _open(path):
    if os.path.isdir(path):
        raise VideoError(f"{path}: a folder: give the video file")
    if not os.path.isfile(path):
        raise VideoError(f"{path}: no such file")
    capture = cv2.VideoCapture(os.fspath(path))
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    if not capture.isOpened():
        raise VideoError(f"{path}: not a video, or its codec is missing: convert it, ffmpeg -i CLIP -c:v libx264 clip.mp4")
    return capture


def _thumbnails(capture):
    """Times in s and grey thumbnails of all frames."""
    times, thumbnails, size = [], [], None
    while True:
        time = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        good, image = capture.read()
        if not good:
            break
        size = (image.shape[1], image.shape[0])
        times.append(time)
        grey = cv2.cvtColor(cv2.resize(image, (48, 48), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        thumbnails.append(grey.astype(np.float32))
    return np.array(times), thumbnails, size


def read_clip(path, fps=None, start=None, end=None):
    """Reads all frames once: their times, and that there is no cut between them.

    ``fps`` in Hz overrules the file (slow motion that says 30 but was taken at 240); ``start``, ``end`` in s.
    """
    capture = _open(path)
    stated = capture.get(cv2.CAP_PROP_FPS)
    times, thumbnails, size = _thumbnails(capture)
    capture.release()
    if len(times) == 0:
        raise VideoError(f"{path}: no frame can be decoded: convert it, ffmpeg -i CLIP -c:v libx264 clip.mp4")
    notes, numbers = [], list(range(len(times)))
    steps = np.diff(times)
    if fps is None:
        even = len(steps) == 0 or np.any(steps <= 0) or not 1 <= 1 / np.median(steps) <= 1000
        if even:
            fps = stated
        else:
            fps = 1 / np.median(steps)
            if abs(stated - fps) < 0.02 * fps:
                fps = stated
            clock = np.arange(times[0], times[-1] + 0.5 / fps, 1 / fps)
            nearest = np.abs(times[None] - clock[:, None]).argmin(axis=1)
            if np.abs(times[: len(clock)] - clock[: len(times)]).max() > UNEVEN / fps:
                numbers = nearest.tolist()
                notes.append(f"variable frame rate: resampled to {fps:.4g} Hz")
    if not 1 <= fps <= 1000:
        raise VideoError(f"{path}: says {fps:g} frames per second: give --fps")
    first = 0 if start is None else round(start * fps)
    last = len(numbers) if end is None else round(end * fps)
    numbers = numbers[first:last]
    if len(numbers) < 4:
        raise VideoError(f"{path}: {len(numbers)} frames between --start and --end: at least four are needed")
    _refuse_cut(path, [thumbnails[n] for n in numbers], fps, first)
    return Clip(os.fspath(path), float(fps), size, numbers, notes)


def _refuse_cut(path, thumbnails, fps, first):
    change = np.array([np.abs(b - a).mean() for a, b in zip(thumbnails, thumbnails[1:])])
    worst = int(change.argmax())
    if change[worst] > max(CUT_CHANGE, CUT_PEAK * np.median(change)):
        at = (first + worst + 1) / fps
        raise VideoError(f"{path}: a cut at {at:.2f} s: choose one shot by --start and --end")


def refuse_moving_camera(clip, boxes):
    """Raises where the background moves; ``boxes`` (T, 4) of the person are left out."""
    chosen = np.unique(np.linspace(0, len(clip.frames) - 1, 7).astype(int))
    diagonal = np.hypot(*clip.size)
    scale = 640 / max(clip.size)
    kept = {t: None for t in chosen}
    for t, image in enumerate(clip.images()):
        if t in kept:
            kept[t] = cv2.cvtColor(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    first = kept[chosen[0]]
    points = cv2.goodFeaturesToTrack(first, 400, 0.01, 6, mask=_background(first, boxes[chosen[0]] * scale))
    if points is None or len(points) < 20:
        clip.notes.append("too few features in the background to see whether the camera moves")
        return
    previous, now = first, points
    alive = np.ones(len(points), bool)
    for t in chosen[1:]:
        image = kept[t]
        if image is None:
            continue
        now, found, _ = cv2.calcOpticalFlowPyrLK(previous, image, now, None, winSize=(31, 31), maxLevel=4)
        alive &= found[:, 0] == 1
        inside = _background(image, boxes[t] * scale)
        x = np.clip(now[:, 0].round().astype(int), 0, [image.shape[1] - 1, image.shape[0] - 1])
        background = alive & (inside[x[:, 1], x[:, 0]] > 0)
        if background.sum() < 12:
            break
        drift = np.median(np.linalg.norm((now - points)[background, 0], axis=1)) / scale
        if drift > DRIFT * diagonal:
            at = t / clip.fps
            raise VideoError(
                f"{clip.path}: the camera moves ({drift:.0f} px by {at:.1f} s): use a tripod, or choose a part by --start and --end"
            )
        previous = image


def _background(image, box):
    mask = np.full(image.shape, 255, np.uint8)
    if np.all(np.isfinite(box)):
        grow = 0.15 * (box[2:] - box[:2])
        low, high = np.maximum(box[:2] - grow, 0).astype(int), np.maximum(box[2:] + grow, 0).astype(int)
        mask[low[1] : high[1], low[0] : high[0]] = 0
    return mask
