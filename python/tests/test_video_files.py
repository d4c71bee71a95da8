"""Calibrations of other programs, and keypoints of other detectors, whole and broken."""

import json
import pickle

import numpy as np
import pytest

from scene import FOCAL, FPS, SIZE, cv2, seen_by, true_camera, walk_past

from motionfit_video import VideoError, calibration, clip, overlay
from motionfit_video.detector import detector_for
from motionfit_video.keypoint_files import COCO17, Files


@pytest.fixture(scope="module")
def walk():
    return walk_past()


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


@pytest.mark.parametrize("up", sorted(calibration.Z_UP))
def test_every_axis_may_point_up(walk, tmp_path, up):
    # `motionfit` turns a file's world as Z_UP does; of y up, for one, into (z, x, y).
    assert np.allclose(np.array(calibration.Z_UP["y"]) @ [1, 2, 3], [3, 1, 2])
    view = true_camera(0.3)
    turn, translation = overlay.extrinsics(view)
    turned = {"rotation": (turn @ calibration.Z_UP[up]).tolist(), "translation": (1000 * translation).tolist(), "units": "mm"}
    path = tmp_path / "c.json"
    kept = {key: view[key] for key in ("name", "size", "focal", "center")}
    path.write_text(json.dumps({"cameras": [{**kept, **turned, "up": up}]}))
    (read,) = calibration.read_calibration(path)
    assert np.allclose(overlay.project(read, walk[0]), overlay.project(view, walk[0]), atol=1e-6)
    path.write_text(json.dumps([{**kept, **turned}]))
    (read,) = calibration.read_calibration(path, up)
    assert np.allclose(overlay.project(read, walk[0]), overlay.project(view, walk[0]), atol=1e-6)


def opencap(view):
    """The table of an OpenCap camera that sees what ``view`` does, its board upright on a wall: y down, mm."""
    turn, translation = overlay.extrinsics(view)
    return {
        "intrinsicMat": overlay.intrinsics(view),
        "distortion": np.zeros((1, 5)),
        "imageSize": np.array([[float(SIZE[1])], [float(SIZE[0])]]),
        "rotation": turn @ np.array(calibration.Z_UP["-y"]),
        "translation": np.asfortranarray(1000 * translation.reshape(3, 1)),
        "rotation_EulerAngles": np.zeros(3, np.float32),
        "note": ["a", 1, np.float64(2.0), None],
    }


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_of_opencap_are_read(walk, tmp_path, protocol):
    view = true_camera(0.3, (0.5, -0.4, 1.2))
    for name in ("Cam0", "Cam1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / calibration.OPENCAP).write_bytes(pickle.dumps(opencap(view), protocol))
    cameras = calibration.read_calibration(tmp_path)
    assert [c["name"] for c in cameras] == ["Cam0", "Cam1"]
    (one,) = calibration.read_calibration(tmp_path / "Cam1" / calibration.OPENCAP)
    for read in (*cameras, one):
        assert read["size"] == list(map(float, SIZE))
        assert np.allclose(overlay.project(read, walk[0]), overlay.project(view, walk[0]), atol=1e-6)


class Evil:
    def __reduce__(self):
        return open, (Evil.path, "w")


def test_a_pickle_that_is_no_calibration_is_one_line_and_runs_nothing(tmp_path):
    path, view = tmp_path / "c.pickle", opencap(true_camera())
    Evil.path = str(tmp_path / "evil")
    good = pickle.dumps(view)
    broken = {
        r"(io|_io)\.open, which is not read": pickle.dumps({"a": Evil()}),
        "truncated": good[: len(good) // 2],
        "not a complete calibration": np.random.default_rng(0).bytes(500),
        "rotation is missing": pickle.dumps({k: v for k, v in view.items() if k != "rotation"}),
        "rotation: found .* no rotation": pickle.dumps({**view, "rotation": 2 * np.eye(3)}),
        "matrix: found .* 3 x 3": pickle.dumps({**view, "intrinsicMat": np.eye(2)}),
        "array of type": pickle.dumps({**view, "a": np.array([{}], object)}),
        "intrinsicMat belongs": pickle.dumps([1, 2]),
    }
    for line, content in broken.items():
        path.write_bytes(content)
        with pytest.raises(VideoError, match=line) as told:
            calibration.read_calibration(path)
        assert str(told.value).startswith(f"{path}: ") and "\n" not in str(told.value)
    assert not (tmp_path / "evil").exists()


RANDOM = np.random.default_rng(1).bytes(2000)
CAMERA = {"size": [640, 480], "focal": [500, 500], "rotation": np.eye(3).tolist(), "translation": [0, 0, 3]}


@pytest.mark.parametrize(
    "name, content, line",
    [
        ("c.yml", RANDOM, "FileStorage"),
        ("c.yml", b"", "missing|FileStorage"),
        ("c.toml", RANDOM, "not a complete calibration"),
        ("c.toml", b"", "no camera in it"),
        ("c.qca.txt", RANDOM, "not a complete calibration"),
        ("c.json", RANDOM, "not a complete calibration"),
        ("c.json", b"[1, 2]", "cameras: found 1 where a camera belongs"),
        ("c.json", b"[" * 100_000, "not a complete calibration"),
        ("c.json", json.dumps({**CAMERA, "size": [640]}).encode(), "size: found .* where 2 numbers"),
        ("c.json", json.dumps({**CAMERA, "rotation": [1, 2]}).encode(), "rotation: found"),
        ("c.json", json.dumps({**CAMERA, "translation": "far"}).encode(), "translation: found 'far'"),
        ("c.json", json.dumps({**CAMERA, "units": "feet"}).encode(), "units: found 'feet'"),
        ("c.json", json.dumps({k: v for k, v in CAMERA.items() if k != "focal"}).encode(), "matrix or focal is missing"),
        ("c.pdf", b"", "not a calibration that is known"),
    ],
)
def test_a_broken_calibration_is_one_line(tmp_path, name, content, line):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(VideoError, match=line) as told:
        calibration.read_calibration(path)
    assert str(told.value).startswith(f"{path}: ") and "\n" not in str(told.value)


def found(path, frames=8):
    files = Files(str(path))
    people = files.detect(clip.Clip("clip.mp4", FPS, SIZE, list(range(frames))), lambda done, total: None)
    return files.layout, people


def test_keypoints_of_openpose_beside_the_video_keep_people_apart(tmp_path):
    folder = tmp_path / "clip_json"
    folder.mkdir()
    body = np.random.default_rng(0).uniform(0, 100, (25, 2))
    for t in range(8):
        people = [np.c_[body + [x, 0], np.full(25, 0.9)] for x in (0, 300)]
        people = people[::-1] if t % 2 else people
        document = {"people": [{"pose_keypoints_2d": p.ravel().tolist()} for p in people]}
        (folder / f"clip_{t:012d}_keypoints.json").write_text(json.dumps(document))
    layout, people = found(folder)
    assert layout == "body25" and len(people) == 2
    assert all(np.ptp(person.keypoints[:, 0, 0]) < 1e-9 for person in people)


BODY = np.random.default_rng(0).uniform(10, 100, (26, 2))
SCORES = np.linspace(0.5, 0.9, 26)


def flat(points, scores):
    return np.c_[points, scores].ravel().tolist()


def alphapose(joints):
    shift = lambda t, k: BODY[:joints] + [300 * k, t]
    person = lambda t, k: {"image_id": f"{t}.jpg", "category_id": 1, "keypoints": flat(shift(t, k), SCORES[:joints])}
    people = lambda t: [person(t, k) for k in (0, 1)]
    # Of frame 3 nobody is in the list; the order of two people changes.
    return [record for t in range(8) if t != 3 for record in people(t)[:: 1 if t % 2 else -1]]


def easy_vitpose():
    names = [*COCO17[:5], "neck", *COCO17[5:13], "hip", *COCO17[13:], *(f"toe{k}" for k in range(6))]
    rows = np.c_[BODY[:25, ::-1], SCORES[:25]]  # y, x, score
    frames = [{"0": (rows + [t, 0, 0]).tolist(), "1": (rows + [t, 300, 0]).tolist()} for t in range(8)]
    return {"keypoints": frames, "skeleton": dict(enumerate(names))}


def mmpose(tracked):
    person = lambda t, k: {
        "keypoints": (BODY[:17] + [300 * k, t]).tolist(),
        "keypoint_scores": SCORES[:17].tolist(),
        **({"track_id": k} if tracked else {}),
    }
    return [{"frame_id": t, "instances": [person(t, k) for k in ((0, 1) if t % 2 else (1, 0))]} for t in range(8)]


@pytest.mark.parametrize(
    "document, layout",
    [
        (alphapose(17), "coco17"),
        (alphapose(26), "halpe26"),
        ([{**record, "image_id": int(record["image_id"][0])} for record in alphapose(17)], "coco17"),  # COCO, ViTPose
        (easy_vitpose(), "coco17"),
        (mmpose(True), "coco17"),
        ({"meta_info": {}, "instance_info": mmpose(False)}, "coco17"),
    ],
)
def test_json_of_other_detectors_is_read(tmp_path, document, layout):
    path = tmp_path / "clip.json"
    path.write_text(json.dumps(document))
    assert detector_for(str(tmp_path / "clip.mp4")).path == str(path)
    read, people = found(path)
    assert read == layout and len(people) == 2
    for person in people:
        x, y, score = person.keypoints[:, 0].T
        seen = score > 0
        assert np.ptp(x[seen]) < 1e-9 and x[0] in (BODY[0, 0], BODY[0, 0] + 300)
        assert seen.sum() == (7 if "image_id" in str(document) else 8) and np.allclose(np.diff(y[seen]).sum(), 7)
        assert score[0] == pytest.approx(0.5)
    if "skeleton" in document:
        assert people[0].keypoints[0, 5:, 2] == pytest.approx([SCORES[k] for k in (6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18)])


@pytest.mark.parametrize(
    "content, line",
    [
        (RANDOM, "not JSON"),
        (json.dumps(mmpose(True)).encode()[:300], "not JSON"),
        (b'[{"instances": 3}]', r"\[0\]\.instances: found 3: write it again"),
        (b'[{"instances": [{}]}]', r"instances\[0\]\.keypoints"),
        (b'[{"instances": [{"keypoints": [[1, 2]], "keypoint_scores": [1, 2]}]}]', r"instances\[0\]\.keypoints"),
        (b'[{"instances": [{"keypoints": [[1, 2]]}]}]', "found 1 of them: these are read: 17"),
        (b'[{"image_id": 1, "keypoints": "x"}]', r"\[0\]\.keypoints: found 'x'"),
        (b'[{"image_id": 1, "keypoints": [1, 2]}, 4]', r"results: found"),
        (b'[{"image_id": "900000000000.jpg", "keypoints": [1, 2, 3]}]', "image_id, the number of a frame"),
        (b'{"keypoints": [3]}', "keypoints: found"),
        (b'{"keypoints": [], "skeleton": {"a": "nose"}}', "skeleton, names by number: found {'a': 'nose'}"),
        (b'{"instance_info": 3}', "instance_info: found 3"),
    ],
)
def test_broken_json_of_a_detector_is_one_line(tmp_path, content, line):
    path = tmp_path / "clip.json"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=line) as told:
        found(detector_for(str(tmp_path / "clip.mp4")).path)
    assert str(told.value).startswith(f"{path}: ") and "\n" not in str(told.value)


@pytest.mark.parametrize(
    "content, line",
    [
        (RANDOM, "not JSON"),
        (b'{"people": [{"pose_keypoints_2d": [1, 2', "not JSON"),
        (b'{"version": 1.3}', "no field people: found {'version': 1.3}"),
        (b'{"people": 3}', "people: found 3"),
        (b'{"people": [{}]}', r"people\[0\]\.pose_keypoints_2d.*: found None"),
        (b'{"people": [{"pose_keypoints_2d": [1, 2]}]}', "triples of x, y and confidence: found"),
    ],
)
def test_broken_json_of_openpose_is_one_line(tmp_path, content, line):
    folder = tmp_path / "clip_json"
    folder.mkdir()
    path = folder / "clip_000_keypoints.json"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=line) as told:
        found(folder)
    assert str(told.value).startswith(f"{path}: ") and "\n" not in str(told.value)


def test_json_without_anybody_is_nobody(tmp_path):
    path = tmp_path / "clip.json"
    path.write_text(json.dumps([{"instances": []}] * 8))
    assert found(path) == (None, [])
