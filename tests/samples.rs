//! The motions in `data/`: they are what the generator makes, and what a body can do.

use std::path::PathBuf;

use motionfit::motion::{Motion, synthesis};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(format!("{name}.npy"))
}

fn array(motion: &Motion) -> ndarray::Array3<f32> {
    let joints: Vec<f32> = motion
        .joints
        .iter()
        .flatten()
        .flat_map(|p| [p.x as f32, p.y as f32, p.z as f32])
        .collect();
    ndarray::Array3::from_shape_vec((motion.len(), 17, 3), joints).unwrap()
}

/// `MOTIONFIT_WRITE_SAMPLES=1 cargo test --release --test samples` writes the files anew.
#[test]
fn the_files_are_what_the_generator_makes() {
    for name in synthesis::SAMPLES {
        let made = array(&synthesis::make_sample(name).unwrap());
        if std::env::var_os("MOTIONFIT_WRITE_SAMPLES").is_some_and(|value| value == "1") {
            ndarray_npy::write_npy(file(name), &made).unwrap();
        }
        let kept: ndarray::Array3<f32> = ndarray_npy::read_npy(file(name)).unwrap();
        assert_eq!(made.shape(), kept.shape(), "{name}");
        for (a, b) in made.iter().zip(&kept) {
            assert!((a - b).abs() < 1e-6, "{name}: {a} is not {b}");
        }
    }
}
