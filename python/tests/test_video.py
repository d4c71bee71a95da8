"""From video to overlay, with a detector that knows what the rendering shows: no network, no detector's weights."""

import importlib.util
import json
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

from motionfit_video import Options, VideoError, run
from motionfit_video import calibration, camera, cli, clip, metadata, overlay, synchronization
from motionfit_video.detector import Files, Person
from motionfit_video.triangulation import triangulate
from motionfit_video.untangle import untangle

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


@pytest.fixture(scope="module")
def walk():
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


@needs_program
def test_a_clip_becomes_a_motion_and_an_overlay(walk, tmp_path):
    person = seen_by(true_camera(), walk)
    path, out = render(tmp_path / "clip.mp4", [person]), tmp_path / "out"
    told, detector = [], Known(person)
    fov = float(np.degrees(2 * np.arctan(SIZE[0] / 2 / FOCAL)))
    options = Options(fov=fov, arguments=("--evaluations", "4", "--quiet"))
    run([path], out, options, detector, tell=told.append)
    placed = json.loads((out / "cameras.json").read_text())["cameras"][0]
    assert abs(placed["position"][2] - HEIGHT) < 0.15
    assert abs(-np.arcsin(np.array(placed["rotation"])[2, 2]) - TILT) < np.radians(4)
    video = clip.read_clip(out / "overlay.mp4")
    assert len(video.frames) == len(walk) and video.size == SIZE
    drawn, original = next(video.images()), next(clip.read_clip(path).images())
    assert np.abs(drawn.astype(int) - original).max(axis=2).mean() > 1.0
    assert 'href="overlay.mp4"' in (out / "report.html").read_text()
    with np.load(out / "motion.npz") as motion:
        pixels = overlay.project(placed, motion["joints"][len(motion["joints"]) // 2])
        middle = round(len(motion["joints"]) // 2 / float(motion["fps"]) * FPS)
    assert np.median(np.linalg.norm(pixels - person.keypoints[middle, :, :2], axis=1)) < 25
    # A second run takes the detections of the first.
    run([path], out, Options(fov=fov, force=True, arguments=options.arguments), detector, tell=told.append)
    assert detector.calls == 1
    assert sorted(os.listdir(tmp_path)) == ["clip.mp4", "out"]


def refusal(paths, out, detector, monkeypatch, capsys, *more):
    """The line that the command prints; nothing may be written."""
    monkeypatch.setenv("MOTIONFIT_BIN", sys.executable)
    before = sorted(os.listdir(out.parent))
    assert cli.main([*map(str, paths), "--out", str(out), *more], detector) == 2
    assert sorted(os.listdir(out.parent)) == before
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    return lines[0]


def test_bad_input_is_one_line_and_nothing_is_written(walk, tmp_path, monkeypatch, capsys):
    person, out = seen_by(true_camera(), walk), tmp_path / "out"
    good = render(tmp_path / "good.mp4", [person])
    nobody = Known()
    assert "no person" in refusal([good], out, nobody, monkeypatch, capsys)
    assert "no such file" in refusal([tmp_path / "none.mp4"], out, nobody, monkeypatch, capsys)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(Path(good).read_bytes()[:300])
    assert "codec" in refusal([broken], out, nobody, monkeypatch, capsys)
    moving = render(tmp_path / "moving.mp4", [person], shift=lambda t: (4 * t, 0))
    assert "camera moves" in refusal([moving], out, Known(person), monkeypatch, capsys)
    assert "--person" in refusal([good], out, Known(person), monkeypatch, capsys, "--person", "2")
    assert "calibration" in refusal([good, good], out, Known(person), monkeypatch, capsys)
    legless = Person(person.keypoints.copy())
    legless.keypoints[:, [3, 6], 2] = 0
    assert "ankles" in refusal([good], out, Known(legless), monkeypatch, capsys)


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


def test_calibrations_say_the_same(walk, tmp_path):
    view = true_camera(0.3, (0.5, -0.4, 1.2), "left")
    turn, translation = overlay.extrinsics(view)
    vector = cv2.Rodrigues(turn)[0].ravel().tolist()
    matrix = overlay.intrinsics(view)
    toml = tmp_path / "calib.toml"
    toml.write_text(
        f"[left]\nname = 'left'\nsize = {list(map(float, SIZE))}\nmatrix = {matrix.tolist()}\ndistortions = [0.0, 0.0, 0.0, 0.0]\n"
        f"rotation = {vector}\ntranslation = {translation.tolist()}\nfisheye = false\n[metadata]\nerror = 0.0\n"
    )
    yaml = tmp_path / "left.yml"
    storage = cv2.FileStorage(str(yaml), cv2.FILE_STORAGE_WRITE)
    storage.write("camera_matrix", matrix)
    storage.write("distortion_coefficients", np.zeros(5))
    storage.write("rvec", np.array(vector))
    storage.write("tvec", translation)
    storage.write("image_width", SIZE[0])
    storage.write("image_height", SIZE[1])
    storage.release()
    rows = np.diag([1.0, -1, -1]) @ turn
    numbers = " ".join(f'r{i + 1}{j + 1}="{rows[i, j]}"' for i in range(3) for j in range(3))
    where = " ".join(f'{axis}="{1000 * v}"' for axis, v in zip("xyz", view["position"]))
    qca = tmp_path / "calib.qca.txt"
    qca.write_text(
        f"""<calibration><cameras><camera serial="left"><fov_video left="0" top="0" right="{SIZE[0] - 1}" bottom="{SIZE[1] - 1}"/>
        <transform {numbers} {where}/><intrinsic focalLengthU="{FOCAL * 64}" focalLengthV="{FOCAL * 64}"
        centerPointU="{SIZE[0] * 32}" centerPointV="{SIZE[1] * 32}" radialDistortion1="0" radialDistortion2="0"
        tangentalDistortion1="0" tangentalDistortion2="0"/></camera></cameras></calibration>"""
    )
    wanted = overlay.project(view, walk[0])
    for path in (toml, yaml, qca):
        (read,) = calibration.read_calibration(path)
        json.dumps(read)
        assert np.allclose(overlay.project(read, walk[0]), wanted, atol=1e-3), path
    with pytest.raises(VideoError, match="not a complete calibration"):
        toml.write_text("[left]\nmatrix = 1\n")
        calibration.read_calibration(toml)


def test_several_cameras_triangulate(walk):
    views = [true_camera(), true_camera(0.8, (1.5, -2.0, 1.4))]
    points = [seen_by(view, walk, 0.0).keypoints.reshape(-1, 3) for view in views]
    assert np.allclose(triangulate(views, points), walk.reshape(-1, 3), atol=1e-4)


def test_keypoints_of_openpose_beside_the_video_keep_people_apart(tmp_path):
    folder = tmp_path / "clip_json"
    folder.mkdir()
    body = np.random.default_rng(0).uniform(0, 100, (25, 2))
    for t in range(8):
        people = [np.c_[body + [x, 0], np.full(25, 0.9)] for x in (0, 300)]
        people = people[::-1] if t % 2 else people
        document = {"people": [{"pose_keypoints_2d": p.ravel().tolist()} for p in people]}
        (folder / f"clip_{t:012d}_keypoints.json").write_text(json.dumps(document))
    detector = Files(str(folder))
    found = detector.detect(clip.Clip("clip.mp4", FPS, SIZE, list(range(8))), lambda done, total: None)
    assert detector.layout == "body25" and len(found) == 2
    assert all(np.ptp(person.keypoints[:, 0, 0]) < 1e-9 for person in found)
