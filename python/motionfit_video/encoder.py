"""Writes mp4 that browsers play: H.264 by the program ffmpeg where it is there, else VP9 by OpenCV.

OpenCV sets no speed of its VP9 encoder, 0.66 s of processor time for a frame of 720 x 1280 against 0.02 s by ffmpeg: so
its pictures are made smaller.
"""

import contextlib
import functools
import os
import shutil
import subprocess

import cv2

from .errors import VideoError

LARGEST = 1280  # px, longer side
LARGEST_VP9 = 640  # px
QUALITY = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-movflags", "+faststart")


def open_video(path, fps, size):
    """A writer, to be used by ``with``, for images of ``size`` (width, height) that were made as small as its ``size``."""
    program = ffmpeg()
    if program:
        return _Ffmpeg(program, path, fps, _scaled(size, LARGEST))
    for codec, largest in (("vp09", LARGEST_VP9), ("mp4v", LARGEST)):
        writer = _OpenCV(codec, path, fps, _scaled(size, largest))
        if writer.opened:
            return writer
    raise VideoError(f"{path}: this OpenCV writes no mp4: pip install imageio-ffmpeg")


def _scaled(size, largest):
    scale = min(1.0, largest / max(size))
    return tuple(max(2, int(side * scale) // 2 * 2) for side in size)


@functools.lru_cache(maxsize=None)
def ffmpeg():
    """The program ffmpeg, from PATH or from the package imageio-ffmpeg, if it has the encoder of H.264, else None."""
    for program in (shutil.which("ffmpeg"), _of_imageio()):
        if program and _encodes(program):
            return program
    return None


def _of_imageio():
    try:
        import imageio_ffmpeg

        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        return None


def _command(program, size, fps):
    raw = ("-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size[0]}x{size[1]}", "-r", repr(float(fps)), "-i", "-", "-an")
    return [program, "-loglevel", "error", "-y", *raw, *QUALITY]


def _encodes(program):
    try:
        trial = subprocess.run(
            [*_command(program, (64, 64), 25), "-f", "null", "-"], input=bytes(64 * 64 * 3), capture_output=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return trial.returncode == 0


class _Writer:
    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self._close(complete=kind is None)


class _Ffmpeg(_Writer):
    codec = "H.264"

    def __init__(self, program, path, fps, size):
        self.path, self.size = path, size
        self._process = subprocess.Popen(
            [*_command(program, size, fps), os.fspath(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def write(self, image):
        try:
            self._process.stdin.write(image.tobytes())
        except OSError:
            self._fail()

    def _close(self, complete):
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        if self._process.wait() != 0 and complete:
            self._fail()

    def _fail(self):
        raise RuntimeError(f"{self.path}: ffmpeg ended with {self._process.wait()}: is the disk full?")


class _OpenCV(_Writer):
    def __init__(self, codec, path, fps, size):
        self.codec, self.size = {"vp09": "VP9"}.get(codec, codec), size
        self._video = cv2.VideoWriter(os.fspath(path), cv2.VideoWriter_fourcc(*codec), fps, size)
        self.opened = self._video.isOpened()

    def write(self, image):
        self._video.write(image)

    def _close(self, complete):
        self._video.release()
