"""From video to overlay, with a detector that knows what the rendering shows: no network, no detector's weights."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from scene import FOCAL, FPS, HEIGHT, REPOSITORY, SIZE, TILT, Known, cv2, needs_program, render, seen_by, true_camera, walk_past

from motionfit_video import Options, VideoError, run
from motionfit_video import cli, clip, detector, encoder, metadata, overlay, program, synchronization
from motionfit_video.people import Person
from motionfit_video.pipeline import speed_ahead
from motionfit_video.triangulation import triangulate
from motionfit_video.untangle import untangle


@pytest.fixture(scope="module")
def walk():
    return walk_past()


@needs_program
def test_a_clip_becomes_a_motion_and_an_overlay(walk, tmp_path):
    person = seen_by(true_camera(), walk)
    path, out = render(tmp_path / "clip.mp4", [person]), tmp_path / "out"
    told, known = [], Known(person)
    fov = float(np.degrees(2 * np.arctan(SIZE[0] / 2 / FOCAL)))
    options = Options(fov=fov, arguments=("--evaluations", "4", "--quiet"))
    run([path], out, options, known, tell=told.append)
    placed = json.loads((out / "cameras.json").read_text())["cameras"][0]
    assert abs(placed["position"][2] - HEIGHT) < 0.15
    assert abs(-np.arcsin(np.array(placed["rotation"])[2, 2]) - TILT) < np.radians(4)
    video = clip.read_clip(out / "overlay.mp4")
    assert len(video.frames) == len(walk) and video.size == SIZE
    drawn, original = next(video.images()), next(clip.read_clip(path).images())
    assert np.abs(drawn.astype(int) - original).max(axis=2).mean() > 1.0
    assert codec(out / "overlay.mp4") in ("avc1", "h264", "vp09", "VP90")
    report = (out / "report.html").read_text()
    assert 'href="overlay.mp4"' in report and '"title":"clip"' in report
    # The body has the stature for which the camera was placed, and files name the clip.
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["stature_m"] == pytest.approx(1.70) and metrics["input"]["file"] == path
    assert not any(str(tmp_path / "out.") in (out / name).read_text() for name in ("log.txt", "metrics.json", "config.json"))
    with np.load(out / "motion.npz") as motion:
        pixels = overlay.project(placed, motion["joints"][len(motion["joints"]) // 2])
        middle = round(len(motion["joints"]) // 2 / float(motion["fps"]) * FPS)
    assert np.median(np.linalg.norm(pixels - person.keypoints[middle, :, :2], axis=1)) < 25
    # A second run takes the detections of the first.
    run([path], out, Options(fov=fov, force=True, arguments=options.arguments), known, tell=told.append)
    assert known.calls == 1
    assert sorted(os.listdir(tmp_path)) == ["clip.mp4", "out"]


def codec(path):
    video = cv2.VideoCapture(str(path))
    number = int(video.get(cv2.CAP_PROP_FOURCC))
    return number.to_bytes(4, "little").decode()


def refusal(paths, out, detector, monkeypatch, capsys, *more):
    """The line that the command prints; nothing may be written but detections."""
    monkeypatch.setenv("MOTIONFIT_BIN", sys.executable)
    entries = lambda: [name for name in sorted(os.listdir(out.parent)) if not name.endswith(".detections")]
    before = entries()
    assert cli.main([*map(str, paths), "--out", str(out), *more], detector) == 2
    assert entries() == before
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    return lines[0]


def test_bad_input_is_one_line_and_nothing_is_written(walk, tmp_path, monkeypatch, capsys):
    person, out = seen_by(true_camera(), walk), tmp_path / "out"
    good = render(tmp_path / "good.mp4", [person])
    nobody = Known()
    assert "no person" in refusal([good], out, nobody, monkeypatch, capsys)
    assert "no such file" in refusal([tmp_path / "none.mp4"], out, nobody, monkeypatch, capsys)
    assert "a folder" in refusal([tmp_path], out, nobody, monkeypatch, capsys)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(Path(good).read_bytes()[:300])
    assert "codec" in refusal([broken], out, nobody, monkeypatch, capsys)
    moving = render(tmp_path / "moving.mp4", [person], shift=lambda t: (4 * t, 0))
    assert "camera moves" in refusal([moving], out, Known(person), monkeypatch, capsys)
    assert "people_good_*.png" in refusal([good], out, Known(person), monkeypatch, capsys, "--person", "2")
    assert (tmp_path / "out.detections" / "people_good_1.png").is_file()
    assert "calibration" in refusal([good, good], out, Known(person), monkeypatch, capsys)
    assert "--force would remove it" in refusal([good], REPOSITORY / "docs", nobody, monkeypatch, capsys, "--force")
    nested = tmp_path / "a" / "b" / "c"
    assert cli.main([good, "--out", str(nested)], nobody) == 2 and not (tmp_path / "a").exists()
    capsys.readouterr()
    legless = Person(person.keypoints.copy())
    legless.keypoints[:, [3, 6], 2] = 0
    other = render(tmp_path / "other.mp4", [person])
    assert "ankles" in refusal([other], out, Known(legless), monkeypatch, capsys)


def test_a_cut_is_told(walk, tmp_path):
    person = seen_by(true_camera(), walk)
    path = tmp_path / "cut.mp4"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), FPS, SIZE)
    for t in range(40):
        video.write(np.full((SIZE[1], SIZE[0], 3), 30 if t < 20 else 200, np.uint8))
    video.release()
    with pytest.raises(VideoError, match=r"a cut at 0\.80 s"):
        clip.read_clip(path)
    assert len(clip.read_clip(path, end=0.7).frames) == 18


def test_the_rotation_flag_of_phones_is_obeyed(walk, tmp_path):
    path = render(tmp_path / "clip.mp4", [seen_by(true_camera(), walk)])
    content = bytearray(Path(path).read_bytes())
    at = content.find(b"tkhd") + 4 + 40
    one = 1 << 16
    matrix = [0, one, 0, -one & 0xFFFFFFFF, 0, 0, SIZE[1] << 16, 0, 1 << 30]
    content[at : at + 36] = b"".join(value.to_bytes(4, "big") for value in matrix)
    Path(path).write_bytes(content)
    assert clip.read_clip(path).size == SIZE[::-1]


def test_the_focal_length_is_read_from_quicktime_metadata(tmp_path):
    box = lambda kind, body: (8 + len(body)).to_bytes(4, "big") + kind + body
    word = lambda value: value.to_bytes(4, "big")
    keys = box(b"keys", word(0) + word(2) + box(b"mdta", b"com.other") + box(b"mdta", metadata.FOCAL))
    item = box(b"data", word(21) + word(0) + word(27))
    items = box(b"ilst", box(word(1), box(b"data", word(21) + word(0) + word(5))) + box(word(2), item))
    path = tmp_path / "x.mov"
    path.write_bytes(b"\0" * 99 + keys + items)
    assert metadata.focal_of_metadata(path, (1920, 1080)) == pytest.approx(1920 * 27 / 36)
    path.write_bytes(b"\0" * 99)
    assert metadata.focal_of_metadata(path, (1920, 1080)) is None


def test_shifted_clips_are_synchronized(walk):
    person = seen_by(true_camera(), walk)
    late = Person(np.roll(person.keypoints, 5, axis=0)[5:])
    late.keypoints = np.concatenate([person.keypoints[:1].repeat(5, 0), person.keypoints[:-5]])
    speeds = [synchronization.speeds(p, "h36m17", FPS) for p in (person, late)]
    (_, _), (lag, score) = synchronization.offsets(speeds, 20)
    assert lag == 5 and score > 0.9


def test_exchanged_sides_are_put_right(walk):
    person = seen_by(true_camera(), walk)
    wrong = person.keypoints.copy()
    for a, b in ((1, 4), (2, 5), (3, 6), (11, 14), (12, 15), (13, 16)):
        wrong[20:26, [a, b]] = wrong[20:26, [b, a]]
    wrong[35, 13, :2] += 300
    mended, turned = untangle(Person(wrong), "h36m17", FPS)
    assert turned == 6
    assert np.allclose(mended.keypoints[20:26, :, :2], person.keypoints[20:26, :, :2])
    assert mended.keypoints[35, 13, 2] == 0


def test_several_cameras_triangulate(walk):
    views = [true_camera(), true_camera(0.8, (1.5, -2.0, 1.4))]
    points = [seen_by(view, walk, 0.0).keypoints.reshape(-1, 3) for view in views]
    assert np.allclose(triangulate(views, points), walk.reshape(-1, 3), atol=1e-4)


@pytest.mark.parametrize(
    "options, line",
    [
        ({"fps": 0}, "--fps 0: give 1 to 1000"),
        ({"stature": float("nan")}, "--stature nan"),
        ({"fov": 4}, "--fov 4: give 5 to 150 degrees"),
        ({"start": -1}, "--start -1: give 0 or more"),
        ({"start": 2, "end": 1}, "the end comes after the start"),
        ({"up": "q"}, "--up q: give one of x, y, z"),
        ({"up": "y"}, "--up goes with --camera-calibration"),
        ({"fov": 60, "camera_calibration": "c.toml"}, "--fov is not for calibrated cameras"),
        ({"person": 0}, "--person 0"),
    ],
)
def test_options_that_cannot_be_used_are_told(options, line):
    with pytest.raises(VideoError, match=line):
        Options(**options).check()


def test_an_axis_that_points_down_is_no_option(tmp_path, monkeypatch, capsys):
    assert "--up goes with" in refusal(["clip.mp4"], tmp_path / "out", None, monkeypatch, capsys, "--up", "-y")
    assert "--up q: give one of" in refusal(["clip.mp4"], tmp_path / "out", None, monkeypatch, capsys, "--up", "q")


def test_the_preview_shows_each_person_at_their_best(walk, tmp_path):
    left = seen_by(true_camera(), walk)
    right = Person(left.keypoints.copy())
    right.keypoints[..., 0] += 150
    left.keypoints[:30, :, 2], right.keypoints[30:, :, 2] = 0.4, 0.4
    path, told = render(tmp_path / "clip.mp4", [left, right]), []
    files = run([path], tmp_path / "out", Options(preview=True), Known(left, right), tell=told.append)
    assert [Path(f).name for f in files] == ["people_clip_1.png", "people_clip_2.png"] and told == ["\n".join(files)]
    assert not (tmp_path / "out").exists() and left.best() >= 30 > right.best()
    frame = list(clip.read_clip(path).images())[left.best()]
    drawn = cv2.imread(files[0])
    changed = np.abs(drawn.astype(int) - frame).max(axis=2) > 60
    assert drawn.shape == frame.shape and 0.005 < changed.mean() < 0.2


def test_walking_backwards_is_noticed(walk):
    assert 0.7 < speed_ahead(walk, FPS) < 2.0
    assert speed_ahead(walk[::-1], FPS) == pytest.approx(-speed_ahead(walk, FPS), abs=0.1)
    assert speed_ahead(walk * [1, -1, 1], FPS) < -0.7  # left and right exchanged, the way kept
    exchanged = walk[:, [0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 10, 14, 15, 16, 11, 12, 13]]
    assert speed_ahead(exchanged * [1, -1, 1], FPS) > 0.7  # a mirror shows somebody who walks forwards


@pytest.mark.parametrize("program", [encoder.ffmpeg(), None])
def test_overlays_are_written_for_browsers(tmp_path, monkeypatch, program):
    monkeypatch.setattr(encoder, "ffmpeg", lambda: program)
    path, size = str(tmp_path / "overlay.mp4"), (1281, 721)
    with encoder.open_video(path, 29.97, size) as video:
        for k in range(8):
            video.write(np.full((*video.size[::-1], 3), 20 * k, np.uint8))
    assert codec(path) in (("h264", "avc1") if program else ("vp09", "VP90"))
    assert max(video.size) == (encoder.LARGEST if program else encoder.LARGEST_VP9)
    read = clip.read_clip(path)
    assert read.size == video.size and len(read.frames) == 8 and read.fps == pytest.approx(29.97, abs=0.01)


BAR = r"""#!/bin/sh
printf '\rclip ## 6/30 frames, window 1/5, 8 evaluations, 3 s left' >&2
printf '\r\033[2Kclip #### 12/30 frames, window 2/5, 16 evaluations, 2 s left' >&2
echo said
[ -n "$1" ] && { printf '\r\033[2Kerror: x.npy: fps: found 0: give it\n' >&2; exit 2; }
exit 0
"""


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands for the command")
def test_the_commands_progress_and_errors_are_passed_on(tmp_path):
    script, log, seen = tmp_path / "motionfit", tmp_path / "log.txt", []
    script.write_text(BAR)
    script.chmod(0o755)
    program.call([str(script)], log, lambda *frames: seen.append(frames))
    assert seen[-1] == (12, 30) and log.read_text() == "said\n"
    with pytest.raises(VideoError, match="^x.npy: fps: found 0: give it$"):
        program.call([str(script), "fail"], log, lambda *frames: None)


INTERRUPTED = """
import os, sys
from scene import Known, walk_past, seen_by, true_camera
from motionfit_video import cli
class Noisy(Known):
    def detect(self, clip, progress):
        os.write(2, b"noise of a library")
        return super().detect(clip, progress)
sys.exit(cli.main([sys.argv[1], "--out", sys.argv[2]], Noisy(seen_by(true_camera(), walk_past()))))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_its_detections_and_says_so(walk, tmp_path, number, code):
    path, out = render(tmp_path / "clip.mp4", [seen_by(true_camera(), walk)]), tmp_path / "out"
    script, started = tmp_path / "motionfit", tmp_path / "started"
    script.write_text(f"#!/bin/sh\ntouch '{started}'\nexec sleep 60\n")
    script.chmod(0o755)
    paths = os.pathsep.join([str(REPOSITORY / "python" / "tests"), *filter(None, sys.path)])
    environment = dict(os.environ, MOTIONFIT_BIN=str(script), PYTHONPATH=paths)
    command = [sys.executable, "-c", INTERRUPTED, path, str(out)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if started.exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code and "noise" not in errors
    assert errors.splitlines()[-1].startswith("interrupted: the detections are kept in ")
    assert sorted(os.listdir(tmp_path)) == ["clip.mp4", "motionfit", "out.detections", "started"]
    assert os.listdir(tmp_path / "out.detections") == ["clip.npz"]


def test_a_python_without_a_mediapipe_is_told():
    assert "3.9 to 3.12, this is 3.13" in detector._how_to_install((3, 13))
    assert "pip install mediapipe==0.10.14" == detector._how_to_install((3, 12))
