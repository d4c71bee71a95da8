use std::path::PathBuf;

use super::super::tests::archive;
use super::*;

/// A file of tests/golden/body_models (tools/golden_body_models.py): all hold the same body, whose joints are those of
/// the average one.
fn golden(name: &str) -> PathBuf {
    PathBuf::from("tests/golden/body_models").join(name)
}

/// Where the joints are that have such offsets.
fn places(offsets: &[Vector3<f64>; COUNT]) -> [Vector3<f64>; COUNT] {
    let mut places = *offsets;
    for j in 1..COUNT {
        places[j] += places[PARENTS[j]];
    }
    places
}

fn near(found: &[Vector3<f64>], wanted: &[Vector3<f64>]) -> bool {
    let mut pairs = found.iter().zip(wanted);
    pairs.all(|(found, wanted)| (found - wanted).norm() < 1e-12)
}

#[test]
fn joints_are_those_of_the_shape() {
    let model = BodyModel::read(&golden("plain.npz")).unwrap();
    assert_eq!(model.coefficients(), 4);
    let mean = places(&model.offsets(&[]));
    assert!(near(&mean, &places(&body::offsets())));
    let shaped = places(&model.offsets(&[2.0, 3.0, -1.0, 5.0]));
    for (j, (found, mean)) in shaped.iter().zip(&mean).enumerate().take(TURNS) {
        // A fifth larger; knees 0.06 m lower, ankles and feet 0.12 m; all 0.03 m to the right; by the fourth no joint moves.
        let lower = match j {
            4 | 5 => 0.06,
            7 | 8 | 10 | 11 => 0.12,
            _ => 0.0,
        };
        let wanted = 1.2 * mean - Vector3::new(0.03, lower, 0.0);
        assert!((found - wanted).norm() < 1e-12, "{}: {found}", NAMES[j]);
    }
    // The hand is that of the average body, whatever the shape.
    let hand = shaped[22] - shaped[20];
    assert!((hand - Vector3::from(body::OFFSETS[22])).norm() < 1e-12);
}

#[test]
fn all_ways_of_writing_a_model_hold_the_same() {
    let betas = [0.5, -1.0, 2.0, 1.0];
    let wanted = BodyModel::read(&golden("plain.npz"))
        .unwrap()
        .offsets(&betas);
    for name in [
        "objects.npz",
        "plain_protocol4.pkl",
        "python2_csc.pkl",
        "protocol0_csr.pkl",
        "selection_coo.pkl",
    ] {
        let path = golden(name);
        let model = BodyModel::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(model.origin(), path.display().to_string());
        assert_eq!(model.coefficients(), 4, "{name}");
        assert!(near(&model.offsets(&betas), &wanted), "{name}");
    }
}

/// The arrays of a model of so many joints and coefficients, each of whose vertices is a joint; those that SMPL does not
/// have are below the left wrist. The coefficients make it larger by so many hundredths as is their number.
fn arrays(joints: usize, coefficients: usize) -> Vec<(&'static str, String, Vec<f64>)> {
    let mut vertices = places(&body::offsets()).to_vec();
    vertices.resize(joints, Vector3::zeros());
    let parent = |j: usize| PARENTS.get(j).map_or(20.0, |parent| *parent as f64);
    let numbers = (0..joints).map(parent).chain((0..joints).map(|j| j as f64));
    let identity = |k: usize| f64::from(u8::from(k / joints == k % joints));
    let template: Vec<f64> = vertices.iter().flat_map(|p| [p.x, p.y, p.z]).collect();
    let larger = |x: &f64| {
        (1..=coefficients)
            .map(move |n| 0.01 * n as f64 * x)
            .collect::<Vec<_>>()
    };
    let directions = template.iter().flat_map(larger).collect();
    vec![
        (TREE, format!("(2, {joints})"), numbers.collect()),
        (TEMPLATE, format!("({joints}, 3)"), template),
        (
            DIRECTIONS,
            format!("({joints}, 3, {coefficients})"),
            directions,
        ),
        (
            REGRESSOR,
            format!("({joints}, {joints})"),
            (0..joints * joints).map(identity).collect(),
        ),
    ]
}

/// Reads a model of such arrays.
fn of_arrays(arrays: &[(&str, String, Vec<f64>)]) -> Result<BodyModel> {
    let arrays = arrays
        .iter()
        .map(|(name, shape, values)| (*name, shape.as_str(), values.clone()));
    let (_folder, path) = archive(&arrays.collect::<Vec<_>>());
    BodyModel::read(&path)
}

#[test]
fn directions_of_the_face_are_no_shape() {
    for (joints, all, shapes) in [(24, 300, 300), (52, 16, 16), (55, 400, 300), (55, 20, 10)] {
        let model = of_arrays(&arrays(joints, all)).unwrap();
        assert_eq!(model.coefficients(), shapes, "{joints} joints");
        let hip = model.offsets(&[0.0, 5.0])[1];
        assert!((hip - 1.1 * Vector3::from(body::OFFSETS[1])).norm() < 1e-12);
    }
}

/// Asserts that a model is refused in one line with exit code 2 that contains all of `expected`.
fn refused(result: Result<BodyModel>, expected: &[&str]) {
    let error = result.expect_err(expected[0]);
    let line = error.to_string();
    assert_eq!(error.exit_code(), 2, "{line}");
    for expected in expected {
        assert!(
            line.contains(expected) && !line.contains('\n'),
            "{expected}: {line}"
        );
    }
}

/// Reads a model of 24 joints and 4 coefficients, of which the array `at` is changed.
fn changed(at: usize, change: impl Fn(&mut (&str, String, Vec<f64>))) -> Result<BodyModel> {
    let mut arrays = arrays(24, 4);
    change(&mut arrays[at]);
    of_arrays(&arrays)
}

#[test]
fn arrays_of_other_shapes_are_named() {
    for (at, shape, expected) in [
        (
            0,
            "(2, 16)",
            "kintree_table: found shape (2, 16); (2, 22 to 1024) is needed",
        ),
        (
            1,
            "(3, 24)",
            "v_template: found shape (3, 24); (1 to 131072, 3) is needed",
        ),
        (
            2,
            "(12, 3, 8)",
            "shapedirs: found shape (12, 3, 8); (24, 3, 1 to 1024) is needed",
        ),
        (
            3,
            "(12, 48)",
            "J_regressor: found shape (12, 48); (24, 24) is needed",
        ),
    ] {
        refused(changed(at, |array| array.1 = shape.into()), &[expected]);
    }
}

#[test]
fn arrays_that_are_no_body_are_named() {
    refused(
        changed(0, |(_, _, numbers)| numbers[4] = 2.0),
        &[
            "kintree_table: found joint 4 below 2",
            "left_knee below left_hip is needed",
        ],
    );
    refused(
        changed(3, |(name, _, _)| *name = "regressor"),
        &["arrays: found kintree_table, regressor, shapedirs, v_template; J_regressor is missing"],
    );
    refused(
        changed(2, |(_, _, values)| values[0] = f64::NAN),
        &["joints: found numbers that are not finite"],
    );
    refused(
        changed(1, |(_, _, values)| {
            values.iter_mut().for_each(|x| *x *= 100.0)
        }),
        &["v_template: found a body 172", "in metres"],
    );
}

/// Reads a file called `name` of such bytes.
fn of_bytes(name: &str, bytes: &[u8]) -> Result<BodyModel> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    BodyModel::read(&path)
}

#[test]
fn files_of_something_else_are_refused() {
    let advice = "give the model file of SMPL, SMPL+H or SMPL-X";
    let read = |path: &str| BodyModel::read(&PathBuf::from(path));
    refused(read("tests/golden"), &["path: found a directory", advice]);
    refused(read("tests/absent.pkl"), &["absent.pkl"]);
    for (name, bytes, expected) in [
        ("empty.pkl", &b""[..], "empty.pkl: format: found"),
        ("text.pkl", b"joints 24", "text.pkl: format: found"),
    ] {
        refused(of_bytes(name, bytes), &[expected, advice]);
    }
    let cut = of_bytes("cut.npz", b"PK\x03\x04");
    refused(cut, &["cut.npz: format: found a damaged archive"]);
    let motion = read("tests/golden/formats/phc.pkl");
    refused(
        motion,
        &[
            "arrays: found walk_1, walk_2; v_template is missing",
            advice,
        ],
    );
}

#[test]
fn a_sparse_matrix_without_its_attributes_is_refused() {
    let pickle = std::fs::read(golden("python2_csc.pkl")).unwrap();
    let mut names = pickle.windows(6);
    let at = names.position(|name| name == b"indptr").unwrap();
    let broken = [&pickle[..at], b"indpt2", &pickle[at + 6..]].concat();
    refused(
        of_bytes("broken.pkl", &broken),
        &["an entry called indptr is needed"],
    );
}
