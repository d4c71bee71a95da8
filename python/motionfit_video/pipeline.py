"""The whole way: clips, keypoints, cameras, ``motionfit reconstruct``, overlays.

Everything is made in a folder beside ``out`` that takes its name at the end: nothing is half-written.
"""

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Optional

import numpy as np

from . import calibration, overlay, synchronization, triangulation
from .camera import USUAL_FOV, USUAL_STATURE, focal_of_fov, landmarks_in_camera, place
from .clip import read_clip, refuse_moving_camera
from .detector import Person, detector_for
from .errors import VideoError
from .metadata import focal_of_metadata
from .untangle import untangle

CACHE = 1  # version of the cached detections
LEAST_SEEN = 0.5  # share of the frames in which the person must be seen
LONGEST_GAP = 0.5  # s without the person
MOST_LAG = 2.0  # s that clips are searched for a shift


@dataclass
class Options:
    """What the command line takes."""

    fov: Optional[float] = None  # degrees across the longer side of the image
    stature: Optional[float] = None  # m
    camera_height: Optional[float] = None  # of one uncalibrated camera above the ground, m
    camera_calibration: Optional[str] = None
    up: str = "z"  # of the calibration's world
    floor: Optional[float] = None  # height of the ground in the calibration's world, m
    person: Optional[int] = None  # from 1
    fps: Optional[float] = None
    start: Optional[float] = None  # s
    end: Optional[float] = None
    sync: bool = False
    estimates: bool = True  # use the detector's landmarks as 3D estimates
    force: bool = False
    arguments: tuple = ()  # more for motionfit reconstruct


@dataclass
class _Seen:
    clip: object
    layout: str
    people: list
    person: Person = None
    lag: int = 0  # frames by which the clip's clock is late against the first clip's
    first: int = 0  # frame of the first clip's clock at which the motion starts


def run(paths, out, options=None, detector=None, tell=print, progress=lambda clip, done, total: None):
    """Reconstructs the movement in ``paths``, videos of one scene, into the folder ``out``; returns ``out``.

    ``detector`` (see :mod:`motionfit_video.detector`) is used instead of what is found. Raises :class:`VideoError`.
    """
    options = options or Options()
    paths, out = [os.fspath(path) for path in paths], os.path.abspath(out)
    if os.path.exists(out) and not options.force:
        raise VideoError(f"{out}: exists: give another --out, or --force")
    program = _program()
    cameras = None
    if options.camera_calibration:
        known = calibration.read_calibration(options.camera_calibration, options.up)
        cameras = calibration.match(known, paths)
    elif len(paths) > 1:
        raise VideoError(f"{len(paths)} clips of one scene need their cameras: give --camera-calibration FILE")
    clips = [read_clip(path, options.fps, options.start, options.end) for path in paths]
    rates = {round(clip.fps, 2) for clip in clips}
    if len(rates) > 1:
        raise VideoError(f"clips of {', '.join(map(str, sorted(rates)))} frames per second: convert them to one rate")
    if cameras:
        cameras = [calibration.check_size(camera, clip) for camera, clip in zip(cameras, clips)]
    os.makedirs(os.path.dirname(out), exist_ok=True)
    work = tempfile.mkdtemp(prefix=os.path.basename(out) + ".", dir=os.path.dirname(out))
    try:
        seen = [_detect(clip, detector, out, work, tell, progress) for clip in clips]
        for one in seen:
            _choose(one, options.person, tell)
            refuse_moving_camera(one.clip, one.person.boxes())
            for note in one.clip.notes:
                tell(f"{one.clip.path}: {note}")
        if len(seen) > 1:
            _synchronize(seen, options.sync, tell)
        if cameras is None:
            cameras = [_place(seen[0], options, tell)]
        floor = _reconstruct(program, seen, cameras, work, options, tell)
        _draw(seen, cameras, floor, work)
        _finish(work, out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    tell(f"wrote {out}: overlay{'s' if len(seen) > 1 else ''}, report.html, motion.glb, motion.npz")
    return out


def _program():
    program = os.environ.get("MOTIONFIT_BIN") or shutil.which("motionfit")
    if not program or not os.path.exists(program):
        raise VideoError("the command motionfit is not on PATH: install it, or set MOTIONFIT_BIN")
    return program


def _name(clip):
    return os.path.splitext(os.path.basename(clip.path))[0]


def _detect(clip, detector, out, work, tell, progress):
    """The people in a clip, from the cache of an earlier run of the same file where there is one."""
    detector = detector or detector_for(clip.path)
    status = os.stat(clip.path)
    key = json.dumps([CACHE, detector.name, os.path.abspath(clip.path), status.st_size, int(status.st_mtime), clip.fps])
    key += f" {clip.frames[0]} {clip.frames[-1]} {len(clip.frames)}"
    name = os.path.join("detections", _name(clip) + ".npz")
    os.makedirs(os.path.join(work, "detections"), exist_ok=True)
    cached = os.path.join(out, name)
    if os.path.isfile(cached):
        with np.load(cached) as archive:
            if str(archive["key"]) == key:
                shutil.copy(cached, os.path.join(work, name))
                tell(f"{clip.path}: detections of the earlier run")
                landmarks = archive["landmarks"] if "landmarks" in archive else [None] * len(archive["keypoints"])
                people = [Person(k, w) for k, w in zip(archive["keypoints"], landmarks)]
                return _Seen(clip, str(archive["layout"]), people)
    people = detector.detect(clip, lambda done, total: progress(clip.path, done, total))
    if not people:
        raise VideoError(f"{clip.path}: no person is seen")
    arrays = {"keypoints": np.stack([p.keypoints for p in people])}
    if all(p.landmarks is not None for p in people):
        arrays["landmarks"] = np.stack([p.landmarks for p in people])
    np.savez_compressed(os.path.join(work, name), key=key, layout=detector.layout, fps=clip.fps, **arrays)
    return _Seen(clip, detector.layout, people)


def _choose(one, number, tell):
    """Takes the person asked for, or who is seen longest; the clip ends where they are gone."""
    people, path = one.people, one.clip.path
    if number is not None and not 1 <= number <= len(people):
        raise VideoError(f"{path}: {len(people)} people are seen: --person counts from 1, the longest seen first")
    one.person, turned = untangle(people[(number or 1) - 1], one.layout, one.clip.fps)
    if turned:
        tell(f"{path}: left and right exchanged in {turned} of {len(one.clip.frames)} frames, put right")
    if len(people) > 1:
        shares = ", ".join(f"{i}: {p.seen().mean():.0%}" for i, p in enumerate(people, 1))
        tell(f"{path}: {len(people)} people (share of frames {shares}), taking {number or 1}; people_*.png shows them")


def _span(seen, shortest=4):
    """First and last frame (in the clock of the first clip) in which enough clips see the person without a long gap."""
    fps = seen[0].clip.fps
    first = max(-one.lag for one in seen)
    first = max(first, 0)
    last = min(len(one.clip.frames) - one.lag for one in seen)
    visible = np.sum([one.person.seen()[first + one.lag : last + one.lag] for one in seen], axis=0)
    enough = visible >= min(2, len(seen))
    # The longest run whose gaps are short.
    best, start, gap = (0, 0), None, 0
    for t, good in enumerate(enough):
        if good:
            start = t if start is None else start
            gap = 0
            if t + 1 - start > best[1] - best[0]:
                best = (start, t + 1)
        elif start is not None:
            gap += 1
            if gap > LONGEST_GAP * fps:
                start = None
    if best[1] - best[0] < shortest:
        raise VideoError(f"{seen[0].clip.path}: the person is seen in {best[1] - best[0]} frames in a row: too few")
    return first + best[0], first + best[1]


def _synchronize(seen, wanted, tell):
    fps = seen[0].clip.fps
    shifts = synchronization.offsets([synchronization.speeds(s.person, s.layout, fps) for s in seen], round(MOST_LAG * fps))
    for one, (lag, score) in list(zip(seen, shifts))[1:]:
        if wanted and score < synchronization.SURE:
            raise VideoError(f"{one.clip.path}: the movement does not tell the shift (correlation {score:.2f}): cut the clips to the same start, without --sync")
        if wanted:
            one.lag = lag
            tell(f"{one.clip.path}: {lag:+d} frames against {seen[0].clip.path} (correlation {score:.2f})")
        elif lag and score >= synchronization.SURE:
            tell(f"{one.clip.path}: seems shifted by {lag:+d} frames (correlation {score:.2f}); --sync shifts it back")


def _place(one, options, tell):
    """The camera nobody calibrated."""
    size = one.clip.size
    focal, source = focal_of_metadata(one.clip.path, size), "metadata"
    if options.fov is not None or focal is None:
        source = "--fov" if options.fov is not None else f"a usual phone, {USUAL_FOV:g} degrees; --fov says better"
        focal = focal_of_fov(options.fov if options.fov is not None else USUAL_FOV, size)
    stature = options.stature or USUAL_STATURE
    placed = place(one.person, one.layout, focal, size, stature, options.camera_height)
    degrees = np.degrees
    tell(f"camera: focal length {focal:.0f} px (from {source}), {placed.height:.2f} m above the ground,")
    tell(f"  looking down by {degrees(placed.tilt):.1f} degrees, rolled by {degrees(placed.roll):.1f}, for a person of {stature:.2f} m")
    return placed.to_json(_name(one.clip))


def _reconstruct(program, seen, cameras, work, options, tell):
    """Writes the files of ``motionfit reconstruct`` into ``work``; returns the height of the ground, m."""
    first, last = _span(seen)
    files = os.path.join(work, "detections")
    with open(os.path.join(work, "cameras.json"), "w", encoding="utf-8") as file:
        json.dump({"cameras": cameras}, file, indent=1)
    views = []
    for number, one in enumerate(seen):
        keypoints = one.person.keypoints[first + one.lag : last + one.lag].copy()
        keypoints[~np.isfinite(keypoints).all(axis=2)] = 0
        views.append(os.path.join(files, f"view{number + 1}.npy"))
        np.save(views[-1], keypoints)
    floor = options.floor or 0.0
    if options.floor is None and len(seen) > 1:
        floor = triangulation.ground_height(cameras, [np.load(view) for view in views], seen[0].layout)
        tell(f"ground: at {floor:+.3f} m in the world of the cameras, from the feet; --floor says better")
    name = "video"
    command = [program, "reconstruct", views[0], "--fps", repr(seen[0].clip.fps)]
    command += ["--camera", os.path.join(work, "cameras.json"), "--keypoint-layout", seen[0].layout]
    if len(views) > 1:
        command += ["--more-views", ",".join(views[1:])]
    if options.stature:
        command += ["--stature", repr(options.stature)]
    command += ["--floor", repr(floor)]
    one = seen[0]
    if len(seen) == 1:
        if options.estimates and one.person.landmarks is not None:
            matrix = overlay.intrinsics(cameras[0])
            placed = landmarks_in_camera(one.person, one.layout, matrix, options.stature or USUAL_STATURE)
            estimates = os.path.join(files, "estimates.npy")
            np.save(estimates, placed[first + one.lag : last + one.lag])
            command += ["--estimates", estimates, "--estimates-frame", "camera", "--layout", one.layout]
    result = os.path.join(work, name)
    done = subprocess.run([*command, *options.arguments, "--out", result], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
        message = lines[-1].removeprefix("error: ") if lines else f"motionfit ended with {done.returncode}"
        raise VideoError(message) if done.returncode == 2 else RuntimeError(message)
    for written in os.listdir(result):
        shutil.move(os.path.join(result, written), os.path.join(work, written))
    os.rmdir(result)
    with open(os.path.join(work, "log.txt"), "w", encoding="utf-8") as file:
        file.write(done.stdout)
    for one in seen:
        one.first = first
    return floor


def _draw(seen, cameras, floor, work):
    links = []
    with np.load(os.path.join(work, "motion.npz")) as motion:
        for one, camera in zip(seen, cameras):
            name = "overlay.mp4" if len(seen) == 1 else f"overlay_{_name(one.clip)}.mp4"
            overlay.draw(
                one.clip, one.person.keypoints, camera, motion, floor, os.path.join(work, name), one.first + one.lag
            )
            links.append(f'<a href="{name}">{name}</a>')
            if len(one.people) > 1:
                overlay.preview(one.clip, one.people, os.path.join(work, f"people_{_name(one.clip)}.png"))
    report = os.path.join(work, "report.html")
    with open(report, encoding="utf-8") as file:
        page = file.read()
    head, end, tail = page.rpartition("</body>")
    with open(report, "w", encoding="utf-8") as file:
        file.write(f"{head}<p>Video: {' '.join(links)}</p>\n{end}{tail}")


def _finish(work, out):
    os.chmod(work, 0o755)
    if os.path.isdir(out):
        old = work + ".old"
        os.rename(out, old)
        os.rename(work, out)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.rename(work, out)
