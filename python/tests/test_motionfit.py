"""The package from outside: arrays in, arrays out, errors, interruption, the command."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import motionfit


@pytest.fixture(scope="module")
def walk():
    return motionfit.sample("walk")


@pytest.fixture(scope="module")
def result(walk):
    return motionfit.reconstruct(walk.joints[:40], fps=50, mass=70.0, stature=1.74)


def test_arrays_have_their_shapes_and_units(result):
    frames, links = len(result.joints), len(result.link_names)
    assert result.joints.shape == result.observed.shape == (frames, 17, 3)
    assert result.positions.shape == result.torques.shape == (frames, links, 3)
    assert result.rotations.shape == (frames, links, 4)
    assert result.forces.shape == result.contact_points.shape == (frames, 2, 3)
    assert result.contacts.shape == (frames, 2) and result.contacts.any()
    assert result.parents[0] == -1 and result.fps == 50
    np.testing.assert_allclose(np.linalg.norm(result.rotations, axis=-1), 1, atol=1e-9)
    error = 1000 * np.linalg.norm(result.joints - result.observed, axis=-1).mean()
    assert error < 25 and abs(error - result.metrics["mpjpe_global_mm"]) < 1
    assert result.losses.shape[1] == 3


def test_files_are_those_of_the_command(result, tmp_path):
    names = result.save(tmp_path / "out")
    assert {"motion.glb", "motion.npz", "metrics.json", "report.html"} <= set(names)
    assert (tmp_path / "out" / "motion.glb").read_bytes() == result.to_glb()
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["mpjpe_global_mm"] == result.metrics["mpjpe_global_mm"]
    with pytest.raises(ValueError, match="force"):
        result.save(tmp_path / "out")
    assert result.to_gif()[:6] == b"GIF89a" and result.to_bvh().startswith("HIERARCHY")


def test_a_file_reads_as_its_array_does(walk, tmp_path):
    np.save(tmp_path / "clip.npy", walk.joints)
    motion = motionfit.read(tmp_path / "clip.npy", fps=50)
    assert len(motion) == len(walk) and motion.fps == 50 and motion.notes
    np.testing.assert_allclose(motion.joints, walk.joints, atol=0.02)


GOLDEN = pathlib.Path(__file__).parents[2] / "tests" / "golden" / "formats"


def test_people_and_clips_are_chosen_by_keyword():
    for name, options in [("wham_output.pkl", {"person": 1}), ("phc.pkl", {"person": 1})]:
        motion = motionfit.read(GOLDEN / name, fps=30, stature=1.75, **options)
        assert motion.joints.shape[1:] == (17, 3)
    with pytest.raises(ValueError, match="^person: number: found 0; persons are counted from 1$"):
        motionfit.read(GOLDEN / "wham_output.pkl", person=0)
    with pytest.raises(ValueError, match="^clip: ") as error:
        motionfit.read(GOLDEN / "phc.pkl", clip="nobody")
    assert "--" not in str(error.value)


def test_markers_are_a_dict_or_a_file(tmp_path):
    names = ["HipR", "KneeR", "AnkleR", "HipL", "KneeL", "AnkleL", "ShR", "ElR", "WrR", "ShL", "ElL", "WrL"]
    places = [(0.09, 0.9), (0.09, 0.5), (0.09, 0.08), (-0.09, 0.9), (-0.09, 0.5), (-0.09, 0.08)]
    places += [(0.2, 1.4), (0.25, 1.1), (0.25, 0.85), (-0.2, 1.4), (-0.25, 1.1), (-0.25, 0.85)]
    joints = ["right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"]
    joints += ["right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"]
    lines = ["PathFileType\t4\t(X/Y/Z)\tx.trc", "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits", "50\t50\t40\t12\tm"]
    lines += ["Frame#\tTime\t" + "\t\t\t".join(names), ""]
    for t in range(40):
        cells = [f"{x:.4f}\t{y:.4f}\t{0.01 * t:.4f}" for x, y in places]
        lines.append("\t".join([str(t + 1), f"{t / 50:.3f}", *cells]))
    (tmp_path / "x.trc").write_text("\n".join(lines) + "\n")
    markers = dict(zip(joints, names))
    (tmp_path / "markers.json").write_text(json.dumps(markers))
    by_dict = motionfit.read(tmp_path / "x.trc", markers=markers)
    by_file = motionfit.read(tmp_path / "x.trc", markers=tmp_path / "markers.json")
    np.testing.assert_array_equal(by_dict.joints, by_file.joints)
    with pytest.raises(ValueError, match="^markers: marker: found `NOPE`"):
        motionfit.read(tmp_path / "x.trc", markers={"right_hip": "NOPE"})


def test_a_body_model_makes_betas_count(walk):
    model = GOLDEN.parent / "body_models" / "plain.npz"
    motion = motionfit.read(GOLDEN / "hmr4d_results.pt", body_model=model)
    assert any(note.startswith("body: from ") and "4 betas, of 10" in note for note in motion.notes)
    with pytest.raises(ValueError, match="^body_model: use: found an array; "):
        motionfit.reconstruct(walk.joints, fps=50, body_model=model)
    with pytest.raises(ValueError, match="^body_model: use: found a Motion"):
        motionfit.reconstruct(walk, body_model=model)
    with pytest.raises(ValueError, match="v_template is missing"):
        motionfit.read(GOLDEN / "hmr4d_results.pt", body_model=GOLDEN / "phc.pkl")


def test_scenes_sex_and_floor_are_arguments(walk, tmp_path):
    scene = {"boxes": [{"center": [3.0, 0.0, 0.2], "half_extents": [0.2, 0.2, 0.2]}]}
    options = {"fps": 50, "evaluations": 2, "mass": 60.0, "sex": "female"}
    by_dict = motionfit.reconstruct(walk.joints[:12], scene=scene, **options)
    (tmp_path / "scene.json").write_text(json.dumps(scene))
    by_file = motionfit.reconstruct(walk.joints[:12], scene=tmp_path / "scene.json", **options)
    np.testing.assert_array_equal(by_dict.joints, by_file.joints)
    male = motionfit.reconstruct(walk.joints[:12], scene=scene, **{**options, "sex": "male"})
    assert not np.array_equal(by_dict.torques, male.torques)
    with pytest.raises(ValueError, match="nofile.json"):
        motionfit.reconstruct(walk.joints[:12], scene=tmp_path / "nofile.json", **options)
    with pytest.raises(ValueError, match="^units: use: found a Motion"):
        motionfit.reconstruct(walk, units="m")


def test_errors_are_value_errors_with_the_programs_sentence(walk, tmp_path):
    with pytest.raises(ValueError, match=r"joints: shape: found \(150, 17, 2\)"):
        motionfit.reconstruct(walk.joints[..., :2])
    with pytest.raises(ValueError, match="choose one of"):
        motionfit.reconstruct(walk, optimizer="newton")
    with pytest.raises(ValueError, match="nowhere.npy"):
        motionfit.read(tmp_path / "nowhere.npy")
    with pytest.raises(ValueError, match="walk, turn, squat or jump"):
        motionfit.sample("moonwalk")
    with pytest.raises(ValueError):
        motionfit.reconstruct(walk, settings={"no_such_field": 1})


def test_progress_is_told_and_may_stop(walk):
    seen = []

    def stop_later(done, total, error_mm):
        seen.append((done, total, error_mm))
        if done >= 10:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        motionfit.reconstruct(walk.joints[:60], progress=stop_later)
    assert seen[0][0] == 0 and seen[-1][0] >= 10


def test_other_threads_go_on_and_ctrl_c_stops(walk):
    ticks = []

    def tick():
        for _ in range(8):
            time.sleep(0.05)
            ticks.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=tick)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        motionfit.reconstruct(walk)
    thread.join()
    assert len(ticks) == 8 and time.monotonic() - ticks[-1] < 5


def test_functions_and_optimizers():
    assert "rosenbrock" in motionfit.functions() and "lm-search" in motionfit.optimizers()
    rosenbrock = motionfit.Function("rosenbrock")
    assert rosenbrock(rosenbrock.minimizer(4))[0] == 0
    found = motionfit.minimize(rosenbrock, np.zeros(10))
    assert found.value < 1e-8 and len(found.values) == found.evaluations
    ours = motionfit.minimize(lambda x: (float(x @ x), 2 * x), [3.0, -2.0], "bfgs")
    np.testing.assert_allclose(ours.x, 0, atol=1e-6)
    with pytest.raises(ZeroDivisionError):
        motionfit.minimize(lambda x: 1 / 0, [1.0])
    with pytest.raises(ValueError, match="gradient"):
        motionfit.minimize(lambda x: (0.0, [1.0]), [1.0, 2.0])


def test_large_weights_come_with_the_wheel():
    sphere = motionfit.Function("sphere")
    assert motionfit.minimize(sphere, [1.0, 2.0], "optimus", iterations=5).iterations == 5


def test_the_command_comes_with_the_wheel(tmp_path):
    def run(*arguments):
        command = [sys.executable, "-m", "motionfit", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert run("--version").stdout.startswith("motionfit ")
    wrong = run("reconstruct", "nowhere.npy")
    assert wrong.returncode == 2 and "nowhere.npy" in wrong.stderr
