"""The whole way: clips, keypoints, cameras, ``motionfit reconstruct``, overlays.

Everything is made in a folder beside ``out`` that takes its name at the end: nothing is half-written. Only detections
outlive a run that does not end (:mod:`motionfit_video.cache`).
"""

import contextlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass

import numpy as np

from . import cache, calibration, overlay, program, synchronization, triangulation
from .camera import USUAL_FOV, USUAL_STATURE, focal_of_fov, landmarks_in_camera, place
from .clip import read_clip, refuse_moving_camera
from .detector import detector_for
from .errors import VideoError
from .metadata import focal_of_metadata
from .options import Options
from .people import Person
from .untangle import untangle

LONGEST_GAP = 0.5  # s without the person
MOST_LAG = 2.0  # s that clips are searched for a shift
WALKING = 0.5  # m/s of the pelvis


@dataclass
class _Seen:
    name: str  # of the clip, in the names of files
    clip: object
    layout: str
    people: list
    person: Person = None
    lag: int = 0  # frames by which the clip's clock is late against the first clip's
    first: int = 0  # frame of the first clip's clock at which the motion starts


def run(paths, out, options=None, detector=None, tell=print, progress=lambda what, done, total: None):
    """Reconstructs the movement in ``paths``, videos of one scene, into the folder ``out``; returns ``out``.

    With ``options.preview``, the people are only drawn with their numbers; returns the pictures.

    ``detector`` (see :mod:`motionfit_video.detector`) is used instead of what is found. ``progress`` is told what is
    being done, and how many frames of how many are. Raises :class:`VideoError` for bad input.
    """
    options = options or Options()
    options.check()
    paths, out = [os.fspath(path) for path in paths], os.path.abspath(out)
    if not options.preview:
        _refuse_existing(out, options.force)
    command = None if options.preview else program.find()
    cameras = _calibrated(paths, options)
    clips = [read_clip(path, options.fps, options.start, options.end) for path in paths]
    rates = {round(clip.fps, 2) for clip in clips}
    if len(rates) > 1:
        raise VideoError(f"clips of {', '.join(map(str, sorted(rates)))} frames per second: convert them to one rate")
    if cameras:
        cameras = [calibration.check_size(camera, clip) for camera, clip in zip(cameras, clips)]
    kept, names = cache.Cache(out), _names(paths)
    with _parents(out):
        seen = [_detect(clip, name, detector, kept, tell, progress) for clip, name in zip(clips, names)]
        if options.preview:
            return _preview(seen, kept, tell)
        for one in seen:
            _choose(one, options.person, kept, tell)
            refuse_moving_camera(one.clip, one.person.boxes())
            for note in one.clip.notes:
                tell(f"{one.clip.path}: {note}")
        if len(seen) > 1:
            _synchronize(seen, options.sync, tell)
        with _workspace(out) as work:
            kept.copy(os.path.join(work, "detections"))
            stature = options.stature
            if cameras is None:
                stature = stature or USUAL_STATURE
                cameras = [_place(seen[0], stature, options, tell)]
            floor = _reconstruct(command, seen, cameras, stature, work, out, options, tell, progress)
            _warn_of_walking_backwards(work, tell)
            _draw(seen, cameras, floor, work, tell, progress)
            _finish(work, out)
        kept.forget(names)
    tell(f"wrote {out}: overlay{'s' if len(seen) > 1 else ''}, report.html, motion.glb, motion.npz")
    return out


def _refuse_existing(out, force):
    if not os.path.lexists(out):
        return
    if not os.path.isdir(out):
        raise VideoError(f"{out}: a file: give another --out")
    if not force:
        raise VideoError(f"{out}: exists: give another --out, or --force")
    if os.listdir(out) and not os.path.isfile(os.path.join(out, "metrics.json")):
        raise VideoError(f"{out}: not an earlier run (no metrics.json), --force would remove it: give another --out")


def _calibrated(paths, options):
    if options.camera_calibration:
        return calibration.match(calibration.read_calibration(options.camera_calibration, options.up), paths)
    if len(paths) > 1:
        raise VideoError(f"{len(paths)} clips of one scene need their cameras: give --camera-calibration FILE")
    return None


def _names(paths):
    """The names of the clips, numbered where two are the same."""
    stems = [os.path.splitext(os.path.basename(path))[0] for path in paths]
    if len(set(stems)) == len(stems):
        return stems
    return [f"{number}_{stem}" for number, stem in enumerate(stems, 1)]


@contextlib.contextmanager
def _parents(out):
    """Makes the folders above ``out``; those in which nothing is left at the end are removed again."""
    made, parent = [], os.path.dirname(out)
    while not os.path.lexists(parent):
        made.append(parent)
        parent = os.path.dirname(parent)
    try:
        os.makedirs(os.path.dirname(out), exist_ok=True)
    except OSError as error:
        raise VideoError(f"{out}: {error.strerror}: give another --out")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            for folder in made:
                os.rmdir(folder)


@contextlib.contextmanager
def _workspace(out):
    try:
        work = tempfile.mkdtemp(prefix=os.path.basename(out) + ".", dir=os.path.dirname(out))
    except OSError as error:
        raise VideoError(f"{out}: {error.strerror}: give another --out")
    try:
        os.mkdir(os.path.join(work, "detections"))
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _detect(clip, name, detector, kept, tell, progress):
    """The people in a clip, from the cache of an earlier run of the same file where there is one."""
    detector = detector or detector_for(clip.path)
    key, quick = cache.key(detector, clip), getattr(detector, "quick", False)
    known = None if quick else kept.load(name, key)
    if known:
        tell(f"{clip.path}: detections of the earlier run")
        return _Seen(name, clip, *known)
    people = detector.detect(clip, lambda done, total: progress(f"{clip.path}: looking for people", done, total))
    if not people:
        raise VideoError(f"{clip.path}: no person is seen")
    if not quick:
        try:
            kept.save(name, key, detector.layout, people, clip.fps)
        except OSError as error:
            raise VideoError(f"{kept.folder}: {error.strerror}: give another --out")
    return _Seen(name, clip, detector.layout, people)


def _preview(seen, kept, tell):
    """Draws everybody with their numbers, one picture a person."""
    files = []
    for one in seen:
        files += overlay.preview(one.clip, one.people, kept.path(f"people_{one.name}_{{}}.png"))
    tell("\n".join(files))
    return files


def _choose(one, number, kept, tell):
    """Takes the person asked for, or who is seen longest; the clip ends where they are gone."""
    people, path = one.people, one.clip.path
    if number is not None and number > len(people):
        (picture, *_) = _preview([one], kept, lambda line: None)
        shown = os.path.join(os.path.dirname(picture), f"people_{one.name}_*.png")
        raise VideoError(f"{path}: --person {number}: {len(people)} seen, the longest first: {shown}: give one of their numbers")
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


def _place(one, stature, options, tell):
    """The camera nobody calibrated, for a person of ``stature`` m."""
    size = one.clip.size
    focal, source = focal_of_metadata(one.clip.path, size), "metadata"
    if options.fov is not None or focal is None:
        source = "--fov" if options.fov is not None else f"a usual phone, {USUAL_FOV:g} degrees; --fov says better"
        focal = focal_of_fov(options.fov if options.fov is not None else USUAL_FOV, size)
    try:
        placed = place(one.person, one.layout, focal, size, stature, options.camera_height)
    except VideoError as error:
        raise VideoError(f"{one.clip.path}: {error}")
    degrees = np.degrees
    tell(f"camera: focal length {focal:.0f} px (from {source}), {placed.height:.2f} m above the ground,")
    given = "" if options.stature else " (usual; --stature says better)"
    tell(
        f"  looking down by {degrees(placed.tilt):.1f} degrees, rolled by {degrees(placed.roll):.1f}, "
        f"for a person of {stature:.2f} m{given}"
    )
    return placed.to_json(one.name)


def _reconstruct(command, seen, cameras, stature, work, out, options, tell, progress):
    """Writes the files of ``motionfit reconstruct`` into ``work``; returns the height of the ground, m.

    A body before a camera that was placed for a ``stature`` has that stature; None leaves it to the fit.
    """
    first, last = _span(seen)
    for one in seen:
        one.first = first
    files = os.path.join(work, "detections")
    with open(os.path.join(work, "cameras.json"), "w", encoding="utf-8") as file:
        json.dump({"cameras": cameras}, file, indent=1)
    views = []
    for one in seen:
        keypoints = one.person.keypoints[first + one.lag : last + one.lag].copy()
        keypoints[~np.isfinite(keypoints).all(axis=2)] = 0
        views.append(os.path.join(files, one.name + ".npy"))
        np.save(views[-1], keypoints)
    floor = options.floor or 0.0
    if options.floor is None and len(seen) > 1:
        floor = triangulation.ground_height(cameras, [np.load(view) for view in views], seen[0].layout)
        tell(f"ground: at {floor:+.3f} m in the world of the cameras, from the feet; --floor says better")
    result = os.path.join(work, "reconstruction")
    call = [command, "reconstruct", views[0], "--fps", repr(seen[0].clip.fps), "--floor", repr(float(floor))]
    call += ["--camera", os.path.join(work, "cameras.json"), "--keypoint-layout", seen[0].layout]
    if len(views) > 1:
        call += ["--more-views", ",".join(views[1:])]
    if stature:
        call += ["--stature", repr(float(stature))]
    one = seen[0]
    if len(seen) == 1 and options.estimates and one.person.landmarks is not None:
        matrix = overlay.intrinsics(cameras[0])
        placed = landmarks_in_camera(one.person, one.layout, matrix, stature or USUAL_STATURE)
        estimates = os.path.join(files, "estimates.npy")
        np.save(estimates, placed[first + one.lag : last + one.lag])
        call += ["--estimates", estimates, "--estimates-frame", "camera", "--layout", one.layout]
    said = [(view, one.clip.path) for view, one in zip(views, seen)]
    said.append((os.path.join(work, "cameras.json"), options.camera_calibration or f"camera of {one.clip.path}"))
    said += [(result, out), (work, out)]
    _call([*call, *options.arguments, "--out", result], os.path.join(work, "log.txt"), said, progress)
    for written in os.listdir(result):
        shutil.move(os.path.join(result, written), os.path.join(work, written))
    os.rmdir(result)
    _name_input(work, [one.clip.path for one in seen])
    return floor


def _call(call, log, said, progress):
    """Runs the command; what it says of files that nobody knows is said of those in ``said``, pairs (path, instead)."""

    def known(text):
        for path, instead in said:
            text = text.replace(path, instead)
        return text

    progress("simulating", 0, 0)
    try:
        program.call(call, log, lambda done, total: progress("simulating", done, total))
    except (VideoError, RuntimeError) as error:
        raise type(error)(known(str(error)))
    with open(log, encoding="utf-8") as file:
        text = known(file.read())
    with open(log, "w", encoding="utf-8") as file:
        file.write(text)


def _name_input(work, paths):
    """metrics.json names the clips instead of the arrays that were made of them."""
    path = os.path.join(work, "metrics.json")
    with open(path, encoding="utf-8") as file:
        metrics = json.load(file)
    metrics.setdefault("input", {})["file"] = paths[0]
    if len(paths) > 1:
        metrics["input"]["more_views"] = paths[1:]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(metrics, file, indent=2, ensure_ascii=False)
        file.write("\n")


def _warn_of_walking_backwards(work, tell):
    """A detector that takes front for back makes people walk backwards; a mirrored video shows them walk forwards."""
    with np.load(os.path.join(work, "motion.npz")) as motion:
        speed = speed_ahead(motion["joints"], float(motion["fps"]))
    if speed < -WALKING:
        tell(f"the person walks backwards at {-speed:.1f} m/s: if they do not, the detector has taken front for back")


def speed_ahead(joints, fps):
    """Mean speed of the pelvis in the direction that the hips face, m/s, of joints (T, 17, 3) of Human3.6M, z up."""
    across = joints[:-1, 4] - joints[:-1, 1]  # from the right to the left hip
    ahead = np.stack([across[:, 1], -across[:, 0]], axis=1)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    return float(((joints[1:, 0, :2] - joints[:-1, 0, :2]) * fps * ahead).sum(axis=1).mean())


def _draw(seen, cameras, floor, work, tell, progress):
    links = []
    with np.load(os.path.join(work, "motion.npz")) as motion:
        for one, camera in zip(seen, cameras):
            name = "overlay.mp4" if len(seen) == 1 else f"overlay_{one.name}.mp4"
            codec = overlay.draw(
                one.clip,
                one.person.keypoints,
                camera,
                motion,
                floor,
                os.path.join(work, name),
                one.first + one.lag,
                lambda done, total: progress(f"drawing {name}", done, total),
            )
            if codec not in ("H.264", "VP9"):
                tell(f"{name}: written as {codec}, which browsers do not play: pip install imageio-ffmpeg")
            links.append(f'<a href="{name}">{name}</a>')
            if len(one.people) > 1:
                overlay.preview(one.clip, one.people, os.path.join(work, f"people_{one.name}_{{}}.png"))
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
