use std::sync::Arc;

use super::*;

/// How a file is read with a model of tests/golden/body_models (tools/golden_body_models.py), whose joints are those of
/// the average body; of its four coefficients the first one makes it a tenth larger, the third moves its origin 0.03 m.
fn with_model(stature: Option<f64>) -> ReadOptions {
    let path = PathBuf::from("tests/golden/body_models/python2_csc.pkl");
    ReadOptions {
        body_model: Some(Arc::new(BodyModel::read(&path).unwrap())),
        stature,
        ..ReadOptions::default()
    }
}

/// An archive of AMASS with such shape coefficients, or none.
fn shaped(betas: &[f64]) -> (tempfile::TempDir, PathBuf) {
    let mut arrays = vec![
        ("poses", "(40, 156)", turns(156)),
        ("trans", "(40, 3)", translation()),
    ];
    let shape = format!("({},)", betas.len());
    if !betas.is_empty() {
        arrays.push(("betas", &shape, betas.to_vec()));
    }
    archive(&arrays)
}

#[test]
fn shapes_count_by_a_model() {
    let plain = amass(156, "fps").unwrap();
    for (betas, note) in [
        (
            vec![],
            "python2_csc.pkl, its mean shape, as the motion has no betas",
        ),
        (vec![0.0; 2], "python2_csc.pkl, 2 betas, of 4 that it has"),
        (vec![0.0; 4], "python2_csc.pkl, 4 betas"),
        (
            vec![0.0; 16],
            "python2_csc.pkl, 4 betas, of 16 that the motion has",
        ),
    ] {
        let reading = read(&shaped(&betas).1, &with_model(None)).unwrap();
        let body = reading
            .notes
            .iter()
            .find(|note| note.starts_with("body: from "));
        assert!(body.unwrap().ends_with(note), "{body:?}");
        assert!(noted(
            &reading,
            "by the body of the model, 1.73 m tall; hands"
        ));
        let pairs = reading.motion.joints.iter().zip(&plain.motion.joints);
        let apart = pairs.flat_map(|(a, b)| a.iter().zip(b).map(|(a, b)| (a - b).norm()));
        assert!(apart.fold(0.0, f64::max) < 1e-9, "{note}");
    }
}

#[test]
fn a_shape_sizes_the_body_and_moves_its_origin_unless_the_stature_is_told() {
    let (_folder, path) = shaped(&[1.0, 0.0, -2.0]);
    let mean = read(&shaped(&[]).1, &with_model(None)).unwrap();
    let reading = read(&path, &with_model(None)).unwrap();
    assert!((reading.stature / mean.stature - 1.1).abs() < 1e-9);
    // The root is at trans and the first joint, which no turn moves: a tenth farther from the model's origin, and 0.06 m to
    // the right. From there the middle of the hips is turned upright: forward is −y. Heights are from the floor that is found.
    let [found, mean] = [&reading, &mean].map(|reading| reading.motion.joints[7][0]);
    let along = 0.1 * (body::OFFSETS[0][1] - body::OFFSETS[1][2]);
    assert!((found.x - mean.x + 0.06).abs() < 1e-9, "{found} {mean}");
    assert!((found.y - mean.y - along).abs() < 1e-9, "{found} {mean}");
    let told = read(&path, &with_model(Some(1.6))).unwrap();
    assert!((told.stature - 1.6).abs() < 1e-9);
    assert!(
        noted(&told, "1.60 m tall (--stature), 1.90 m by its shape"),
        "{:?}",
        told.notes
    );
}

#[test]
fn shapes_of_programs_for_video_are_found() {
    for (name, count) in [("prompthmr.pkl", 10), ("hmr4d_results.pt", 10)] {
        let reading = golden(name, &with_model(None)).unwrap();
        let note = format!("4 betas, of {count} that the motion has");
        assert!(noted(&reading, &note), "{name}: {:?}", reading.notes);
    }
    for (name, clip, note) in [
        ("wham_output.pkl", "3", "4 betas, of 10"),
        ("phc.pkl", "walk_1", "4 betas, of 16"),
    ] {
        let options = ReadOptions {
            clip: Some(clip.into()),
            ..with_model(None)
        };
        let reading = golden(name, &options).unwrap();
        assert!(noted(&reading, note), "{name}: {:?}", reading.notes);
    }
}

#[test]
fn models_are_refused_where_there_are_no_poses_for_them() {
    let walk = PathBuf::from("data/walk.npy");
    let (_folder, positions) = archive(&[("joints", "(40, 24, 3)", vec![0.0; 40 * 72])]);
    let rest = body::pose(&[Vector3::zeros(); TURNS], &body::offsets());
    let rest = rest.iter().flat_map(|p| [p.x, p.y, p.z]).collect();
    let (_folder, own) = archive(&[
        ("poses", "(40, 156)", turns(156)),
        ("trans", "(40, 3)", translation()),
        ("rest_joints", "(24, 3)", rest),
    ]);
    for (path, advice) in [
        (walk, "it is for poses of SMPL"),
        (positions, "it is for poses of SMPL"),
        (own, "the file has its own body (rest_joints)"),
    ] {
        let error = read(&path, &with_model(None)).unwrap_err();
        let line = error.to_string();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(
            line.starts_with("--body-model: use: found ") && line.contains(advice),
            "{line}"
        );
    }
}
