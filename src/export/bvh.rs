//! BVH, the skeleton format of animation tools.
//!
//! Lengths in centimetres, y up, facing +z in the rest pose (a T-pose). The root has the channels
//! `Xposition Yposition Zposition Zrotation Xrotation Yrotation`, every other joint the three
//! rotations: R = Rz(a) Rx(b) Ry(c), angles in degrees, parent ← child.

use std::fmt::Write;

use nalgebra::{UnitQuaternion, Vector3};

use super::{Recording, pose, y_up};
use crate::body::{Body, Geometry};

/// Centimetres per metre.
const SCALE: f64 = 100.0;

/// The recording as the text of a `.bvh` file.
pub fn encode(recording: &Recording) -> String {
    let order = recording.body.depth_first();
    let mut text = String::from("HIERARCHY\n");
    write_joint(&mut text, &recording.body, 0, 0);
    write_motion(&mut text, recording, &order);
    text
}

// Writing to a String cannot fail: the results of write! are dropped throughout.

fn write_joint(text: &mut String, body: &Body, link: usize, depth: usize) {
    let indent = "\t".repeat(depth);
    let joint = &body.links[link];
    let kind = if joint.parent.is_none() {
        "ROOT"
    } else {
        "JOINT"
    };
    let _ = writeln!(text, "{indent}{kind} {}\n{indent}{{", joint.name);
    let _ = writeln!(
        text,
        "{indent}\tOFFSET {}",
        triple(y_up(joint.offset) * SCALE)
    );
    let channels = match joint.parent {
        None => "6 Xposition Yposition Zposition Zrotation Xrotation Yrotation",
        Some(_) => "3 Zrotation Xrotation Yrotation",
    };
    let _ = writeln!(text, "{indent}\tCHANNELS {channels}");
    let mut leaf = true;
    for child in body.children(link) {
        write_joint(text, body, child, depth + 1);
        leaf = false;
    }
    if leaf {
        let end = triple(y_up(tip(body, link)) * SCALE);
        let _ = writeln!(
            text,
            "{indent}\tEnd Site\n{indent}\t{{\n{indent}\t\tOFFSET {end}\n{indent}\t}}"
        );
    }
    let _ = writeln!(text, "{indent}}}");
}

/// The far end of a link without children: of its markers and shapes the point farthest from the
/// joint, m.
fn tip(body: &Body, link: usize) -> Vector3<f64> {
    let markers = body.markers.iter().filter(|marker| marker.link == link);
    let ends = body.links[link]
        .shapes
        .iter()
        .flat_map(|shape| match &shape.geometry {
            Geometry::Capsule { a, b, .. } => [*a, *b],
            Geometry::RoundBox {
                center,
                half_extents,
                rotation,
                ..
            } => {
                let axis = Vector3::ith(half_extents.imax(), half_extents.max());
                [center + rotation * axis, center - rotation * axis]
            }
        });
    markers
        .map(|marker| marker.position)
        .chain(ends)
        .max_by(|a, b| a.norm().total_cmp(&b.norm()))
        .unwrap_or_else(Vector3::zeros)
}

fn write_motion(text: &mut String, recording: &Recording, order: &[usize]) {
    let trajectory = &recording.trajectory;
    let _ = writeln!(text, "MOTION\nFrames: {}", trajectory.frames.len());
    let _ = writeln!(text, "Frame Time: {:.8}", 1.0 / trajectory.fps);
    let mut last = vec![Vector3::zeros(); order.len()];
    for frame in &trajectory.frames {
        let pose = pose(&recording.body, frame);
        text.push_str(&triple(y_up(pose.root.translation.vector) * SCALE));
        for &link in order {
            let rotation = if link == 0 {
                pose.root.rotation
            } else {
                pose.rotations[link]
            };
            last[link] = unwrapped(euler_zxy(&y_up_rotation(&rotation)), last[link]);
            let _ = write!(text, " {}", triple(last[link]));
        }
        text.push('\n');
    }
}

/// Six decimals; negative zeros are cleaned.
fn triple(v: Vector3<f64>) -> String {
    let [x, y, z] = v.map(|c| (c * 1e6).round() / 1e6 + 0.0).into();
    format!("{x:.6} {y:.6} {z:.6}")
}

/// The same rotation in the y-up frame.
fn y_up_rotation(rotation: &UnitQuaternion<f64>) -> UnitQuaternion<f64> {
    UnitQuaternion::new(y_up(rotation.scaled_axis()))
}

/// Angles (a, b, c) in degrees with R = Rz(a) Rx(b) Ry(c), b in [−90°, 90°].
fn euler_zxy(rotation: &UnitQuaternion<f64>) -> Vector3<f64> {
    let r = rotation.to_rotation_matrix().into_inner();
    let b = r[(2, 1)].clamp(-1.0, 1.0).asin();
    let (a, c) = if r[(2, 1)].abs() < 1.0 - 1e-12 {
        ((-r[(0, 1)]).atan2(r[(1, 1)]), (-r[(2, 0)]).atan2(r[(2, 2)]))
    } else {
        (r[(1, 0)].atan2(r[(0, 0)]), 0.0) // Rz and Ry turn about one axis: c is free
    };
    Vector3::new(a, b, c).map(f64::to_degrees)
}

/// Of the equivalent angles (whole turns, and the triple (a + 180°, 180° − b, c + 180°)) those
/// nearest to `last`: curves without jumps.
fn unwrapped(angles: Vector3<f64>, last: Vector3<f64>) -> Vector3<f64> {
    let twin = Vector3::new(angles.x + 180.0, 180.0 - angles.y, angles.z + 180.0);
    let [plain, twin] = [angles, twin]
        .map(|angles| angles.zip_map(&last, |v, l| v - 360.0 * ((v - l) / 360.0).round()));
    if (plain - last).norm() <= (twin - last).norm() {
        plain
    } else {
        twin
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{Isometry3, Matrix3, Rotation3, Translation3};

    use super::*;
    use crate::export::fixture;

    struct Joint {
        name: String,
        parent: Option<usize>,
        offset: Vector3<f64>,
        channels: Vec<String>,
    }

    /// A parser of its own: hierarchy and rows of numbers.
    fn parse(text: &str) -> (Vec<Joint>, f64, Vec<Vec<f64>>) {
        let mut joints: Vec<Joint> = Vec::new();
        let mut open: Vec<Option<usize>> = Vec::new();
        let mut lines = text.lines().skip(1);
        for line in lines.by_ref().take_while(|line| *line != "MOTION") {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[0] {
                "ROOT" | "JOINT" => {
                    let parent = open.last().copied().flatten();
                    open.push(Some(joints.len()));
                    let (name, offset) = (words[1].into(), Vector3::zeros());
                    joints.push(Joint {
                        name,
                        parent,
                        offset,
                        channels: Vec::new(),
                    });
                }
                "End" => open.push(None),
                "OFFSET" => {
                    let v: Vec<f64> = words[1..].iter().map(|w| w.parse().unwrap()).collect();
                    if let Some(Some(joint)) = open.last() {
                        joints[*joint].offset = Vector3::from_column_slice(&v);
                    }
                }
                "CHANNELS" => {
                    let joint = open.last().unwrap().unwrap();
                    joints[joint].channels = words[2..].iter().map(|w| w.to_string()).collect();
                }
                "}" => drop(open.pop()),
                word => assert_eq!(word, "{"),
            }
        }
        let frames: usize = lines.next().unwrap()["Frames: ".len()..].parse().unwrap();
        let time: f64 = lines.next().unwrap()["Frame Time: ".len()..]
            .parse()
            .unwrap();
        let rows: Vec<Vec<f64>> = lines
            .map(|l| l.split(' ').map(|w| w.parse().unwrap()).collect())
            .collect();
        assert_eq!(rows.len(), frames);
        (joints, time, rows)
    }

    fn world(joints: &[Joint], row: &[f64]) -> Vec<Isometry3<f64>> {
        let mut values = row.iter();
        let mut world: Vec<Isometry3<f64>> = Vec::new();
        for joint in joints {
            let (mut translation, mut rotation) = (joint.offset, Matrix3::identity());
            for channel in &joint.channels {
                let value = *values.next().unwrap();
                let axis = usize::from(channel.as_bytes()[0] - b'X');
                if channel.ends_with("position") {
                    translation[axis] += value;
                } else {
                    let axis = Vector3::ith_axis(axis);
                    rotation *= Rotation3::from_axis_angle(&axis, value.to_radians()).into_inner();
                }
            }
            let rotation = Rotation3::from_matrix_unchecked(rotation);
            let local = Isometry3::from_parts(Translation3::from(translation), rotation.into());
            world.push(joint.parent.map_or(local, |parent| world[parent] * local));
        }
        assert!(values.next().is_none());
        world
    }

    #[test]
    fn forward_kinematics_of_the_file_gives_the_links_back() {
        let recording = fixture::recording();
        let (joints, time, rows) = parse(&encode(&recording));
        assert!((time - 0.02).abs() < 1e-9);
        for (frame, row) in recording.trajectory.frames.iter().zip(&rows) {
            let world = world(&joints, row);
            for (link, pose) in recording.body.links.iter().zip(&frame.links) {
                let j = joints
                    .iter()
                    .position(|joint| joint.name == link.name)
                    .unwrap();
                let expected = y_up(pose.translation.vector) * SCALE;
                assert!(
                    (world[j].translation.vector - expected).norm() < 1e-4,
                    "{}",
                    link.name
                );
                let expected = y_up_rotation(&pose.rotation);
                assert!(
                    world[j].rotation.angle_to(&expected) < 1e-6,
                    "{}",
                    link.name
                );
            }
        }
    }

    #[test]
    fn angles_do_not_jump() {
        let turns = (0..100).map(|k| {
            let angles = UnitQuaternion::from_euler_angles(0.3, 0.1 * f64::from(k), 0.2);
            euler_zxy(&angles)
        });
        let mut last = Vector3::zeros();
        for (k, angles) in turns.enumerate() {
            let next = unwrapped(angles, last);
            assert!(
                k == 0 || (next - last).amax() < 30.0,
                "{k}: {last} to {next}"
            );
            last = next;
        }
    }

    #[test]
    fn gimbal_lock_is_survived() {
        let x = Vector3::x_axis();
        let rotation = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), 0.5)
            * UnitQuaternion::from_axis_angle(&x, std::f64::consts::FRAC_PI_2);
        let angles = euler_zxy(&rotation);
        let expected = Vector3::new(0.5_f64.to_degrees(), 90.0, 0.0);
        assert!((angles - expected).norm() < 1e-6, "{angles}");
    }
    #[test]
    fn it_rests_in_a_t() {
        let (joints, _, rows) = parse(&encode(&fixture::moving("walk")));
        let rest = world(&joints, &vec![0.0; rows[0].len()]);
        let at = |name: &str| {
            let joint = joints.iter().position(|joint| joint.name == name);
            rest[joint.unwrap()].translation.vector
        };
        for (side, out) in [("left", 1.0), ("right", -1.0)] {
            let limb = |part: &str| at(&format!("{side}_{part}"));
            let arm = limb("forearm") - limb("upper_arm");
            assert!(
                arm.x * out > 20.0 && arm.y.abs() < 1e-6 && arm.z.abs() < 1e-6,
                "{arm}"
            );
            let leg = limb("foot") - limb("thigh");
            assert!(
                leg.y < -60.0 && leg.x.abs() < 1e-6 && leg.z.abs() < 1e-6,
                "{leg}"
            );
        }
    }
}
