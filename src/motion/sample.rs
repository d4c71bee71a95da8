//! The motions that come with the program.

use nalgebra::Vector3;

use super::Motion;
use super::npy::Header;

/// Frames per second of every sample.
const FPS: f64 = 50.0;

/// Name and content of the files in `data/`, which [`synthesis`](super::synthesis) made.
const FILES: [(&str, &[u8]); 4] = [
    ("walk", include_bytes!("../../data/walk.npy")),
    ("turn", include_bytes!("../../data/turn.npy")),
    ("squat", include_bytes!("../../data/squat.npy")),
    ("jump", include_bytes!("../../data/jump.npy")),
];

/// The embedded motion `name`: `walk`, `turn`, `squat` or `jump`, each 3 s at 50 fps.
pub fn sample(name: &str) -> Option<Motion> {
    let (name, mut bytes) = *FILES.iter().find(|(known, _)| *known == name)?;
    let values =
        Header::read(&mut bytes, name).and_then(|header| header.read_values(&mut bytes, name));
    // The files are part of the program and read by its tests.
    let values = values.expect("an embedded sample is a valid array");
    let point = |p: &[f64]| Vector3::new(p[0], p[1], p[2]);
    let frame = |frame: &[f64]| std::array::from_fn(|j| point(&frame[3 * j..]));
    let joints = values.chunks_exact(3 * super::JOINTS).map(frame).collect();
    Some(Motion {
        name: name.to_string(),
        fps: FPS,
        joints,
        toes: None,
        turns: None,
    })
}
