use super::*;
use crate::export::fixture;
use crate::motion::JOINTS;
use crate::motion::files::{ReadOptions, read};
use crate::motion::skeleton::HEAD;
use crate::motion::smoothing::Smoothing;

#[test]
fn it_is_read_back_where_it_was() {
    for name in ["walk", "turn"] {
        let recording = fixture::moving(name);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("smpl.npz");
        std::fs::write(&path, encode(&recording).unwrap()).unwrap();
        let options = ReadOptions {
            smoothing: Smoothing::Off,
            ..ReadOptions::default()
        };
        let reading = read(&path, &options).unwrap();
        let apart = |joint: usize| {
            let frames = recording.joints().into_iter().zip(&reading.motion.joints);
            let apart = frames.map(|(ours, read)| (ours[joint] - read[joint]).norm());
            apart.fold(0.0, f64::max)
        };
        for joint in 0..JOINTS {
            // SMPL's head ends at the skull: its top is where it is on average.
            let limit = if joint == HEAD { 0.02 } else { 1e-3 };
            let (name, apart) = (crate::motion::skeleton::NAMES[joint], apart(joint));
            assert!(apart < limit, "{name}: {apart}, {:?}", reading.notes);
        }
    }
}
