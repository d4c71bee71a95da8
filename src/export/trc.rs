//! `motion.trc`: the simulated joints as named markers for biomechanics.
//!
//! Millimetres, x forward, y up, z to the right, as OpenSim has it. The names are those of Pose2Sim and
//! OpenCap where they have the joint: RHip, RKnee, RAnkle, RHeel, RBall, RShoulder, …; besides Pelvis,
//! Spine, Thorax, Neck (the base of the skull) and Head (its top).

use std::fmt::Write;

use nalgebra::Vector3;

use super::Recording;
use super::feet::Foot;
use crate::motion::JOINTS;

/// Millimetres per metre.
const SCALE: f64 = 1000.0;

/// Names of the 17 joints in the order of the working layout.
const NAMES: [&str; JOINTS] = [
    "Pelvis",
    "RHip",
    "RKnee",
    "RAnkle",
    "LHip",
    "LKnee",
    "LAnkle",
    "Spine",
    "Thorax",
    "Neck",
    "Head",
    "LShoulder",
    "LElbow",
    "LWrist",
    "RShoulder",
    "RElbow",
    "RWrist",
];

/// Names of the points of the feet.
const FEET: [&str; 4] = ["RHeel", "RBall", "LHeel", "LBall"];

/// The recording as the text of a `.trc` file.
pub fn encode(recording: &Recording) -> String {
    let feet = Foot::both(&recording.body);
    let mut names = NAMES.to_vec();
    if feet.is_some() {
        names.extend(FEET);
    }
    let (fps, frames) = (recording.trajectory.fps, &recording.trajectory.frames);
    let mut text = header(&names, fps, frames.len());
    for (t, frame) in frames.iter().enumerate() {
        let joints = recording.body.marker_positions(&frame.links);
        let feet = feet
            .iter()
            .flatten()
            .flat_map(|foot| foot.points(&frame.links));
        // Writing to a String cannot fail.
        let _ = write!(text, "{}\t{:.6}", t + 1, t as f64 / fps);
        for point in joints.into_iter().chain(feet) {
            let Vector3 { data, .. } = y_up(point) * SCALE;
            let [[x, y, z]] = data.0;
            let _ = write!(text, "\t{x:.5}\t{y:.5}\t{z:.5}");
        }
        text.push('\n');
    }
    text
}

/// A vector of the z-up world in that of OpenSim.
fn y_up(v: Vector3<f64>) -> Vector3<f64> {
    Vector3::new(v.x, v.z, -v.y)
}

fn header(names: &[&str], fps: f64, frames: usize) -> String {
    let count = names.len();
    let columns: String = names.iter().map(|name| format!("{name}\t\t\t")).collect();
    let axes = (1..=count).map(|k| format!("X{k}\tY{k}\tZ{k}"));
    let axes: Vec<String> = axes.collect();
    format!(
        "PathFileType\t4\t(X/Y/Z)\tmotion.trc\n\
         DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames\n\
         {fps}\t{fps}\t{frames}\t{count}\tmm\t{fps}\t1\t{frames}\n\
         Frame#\tTime\t{}\n\t\t{}\n\n",
        columns.trim_end(),
        axes.join("\t")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;
    use crate::motion::files::{ReadOptions, read};
    use crate::motion::smoothing::Smoothing;

    #[test]
    fn it_is_read_back_where_it_was() {
        let recording = fixture::moving("walk");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("motion.trc");
        std::fs::write(&path, encode(&recording)).unwrap();
        let options = ReadOptions {
            smoothing: Smoothing::Off,
            ..ReadOptions::default()
        };
        let reading = read(&path, &options).unwrap();
        assert!(reading.motion.toes.is_some());
        for (ours, read) in recording.joints().iter().zip(&reading.motion.joints) {
            for (a, b) in ours.iter().zip(read) {
                let b = Vector3::new(b.y, -b.x, b.z); // z is read as forward, here x is
                assert!((a - b).norm() < 1e-6, "{:?}", reading.notes);
            }
        }
    }
}
