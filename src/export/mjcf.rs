//! MJCF: the simulated body for MuJoCo, and its motion as `qpos` and `qvel`.
//!
//! SI units, z up, quaternions **w, x, y, z**. One body per link; a free joint at the root, ball joints
//! below it, named after the link; joint damping, stiffness and limits are none: the gains and torque
//! limits of the PD control are three `position` actuators per joint (x, y, z), whose `ctrl` is the
//! target's rotation vector, parent ← child. The spheres that touch the ground do so here; other shapes are
//! for display. Sites stand for the 17 observed joints. The order of all numbers is in the file's first lines.

use std::fmt::Write;

use nalgebra::{UnitQuaternion, Vector3};

use super::arrays::Arrays;
use super::{Recording, pose};
use crate::body::{Body, Geometry, Link, Pose, Shape};
use crate::error::Result;
use crate::motion::skeleton::NAMES;
use crate::scene::{self, Scene};
use crate::simulation::{GRAVITY, Physics};

/// The body as the text of an `.xml` file, with a keyframe for every frame.
pub fn encode(recording: &Recording) -> String {
    let body = &recording.body;
    let mut text = String::from("<mujoco model=\"motionfit\">\n");
    write_order(&mut text, body);
    write_settings(&mut text);
    write_hulls(&mut text, &recording.trajectory.scene);
    text.push_str("  <worldbody>\n    <geom name=\"floor\" type=\"plane\" size=\"20 20 0.1\" contype=\"0\" conaffinity=\"1\" rgba=\"0.6 0.6 0.6 1\"/>\n    <light pos=\"0 0 4\" dir=\"0 0 -1\"/>\n");
    for (i, solid) in recording.trajectory.scene.solids.iter().enumerate() {
        let rotation = solid.pose.rotation;
        let shape = match &solid.shape {
            scene::Shape::Box(half) => {
                format!("type=\"box\" size=\"{}\"", numbers(half.as_slice()))
            }
            scene::Shape::Hull(_) => format!("type=\"mesh\" mesh=\"solid{i}\""),
        };
        let _ = writeln!(
            text,
            "    <geom {shape} pos=\"{}\" quat=\"{}\" contype=\"0\" conaffinity=\"1\" rgba=\"0.55 0.5 0.42 1\"/>",
            numbers(solid.pose.translation.vector.as_slice()),
            numbers(&[rotation.w, rotation.i, rotation.j, rotation.k]),
        );
    }
    write_body(&mut text, body, 0, 2);
    text.push_str("  </worldbody>\n  <actuator>\n");
    write_actuators(&mut text, body);
    text.push_str("  </actuator>\n  <keyframe>\n");
    for (t, state) in States::of(recording).rows.iter().enumerate() {
        let time = number(t as f64 / recording.trajectory.fps);
        let [qpos, qvel, ctrl] = [&state.qpos, &state.qvel, &state.ctrl].map(numbers);
        let _ = writeln!(
            text,
            "    <key name=\"frame{t}\" time=\"{time}\" qpos=\"{qpos}\" qvel=\"{qvel}\" ctrl=\"{ctrl}\"/>"
        );
    }
    text.push_str("  </keyframe>\n</mujoco>\n");
    text
}

/// The hulls of `scene` as meshes.
fn write_hulls(text: &mut String, scene: &Scene) {
    let solids = scene.solids.iter().enumerate();
    let hulls = solids.filter_map(|(i, solid)| match &solid.shape {
        scene::Shape::Hull(hull) => Some((i, hull)),
        scene::Shape::Box(_) => None,
    });
    let mut lines = String::new();
    for (i, hull) in hulls {
        let corners: Vec<f64> = hull.points().iter().flatten().copied().collect();
        let corners = numbers(&corners);
        let _ = writeln!(lines, "    <mesh name=\"solid{i}\" vertex=\"{corners}\"/>");
    }
    if !lines.is_empty() {
        let _ = write!(text, "  <asset>\n{lines}  </asset>\n");
    }
}

/// The motion as a compressed `.npz` file: `qpos` (T, 7 + 4 J), `qvel` (T, 6 + 3 J) and `ctrl` (T, 3 J)
/// for J ball joints, `fps`, `joint_names` (J + 1,), in the order of the model's joints.
///
/// # Errors
/// [`Error::Internal`](crate::error::Error::Internal) when the archive cannot be assembled.
pub fn motion(recording: &Recording) -> Result<Vec<u8>> {
    let states = States::of(recording).rows;
    let mut npz = Arrays::new("mjcf.npz");
    let mut add = |name: &str, row: fn(&State) -> &Vec<f64>| {
        let width = states.first().map_or(0, |state| row(state).len());
        let all: Vec<f64> = states.iter().flat_map(|state| row(state).clone()).collect();
        npz.add(name, &[states.len(), width], &all)
    };
    add("qpos", |state| &state.qpos)?;
    add("qvel", |state| &state.qvel)?;
    add("ctrl", |state| &state.ctrl)?;
    npz.number("fps", recording.trajectory.fps)?;
    let order = recording.body.depth_first();
    let links = &recording.body.links;
    let names: Vec<&str> = order.iter().map(|l| links[*l].name.as_str()).collect();
    npz.texts("joint_names", &names)?;
    npz.finish()
}

/// A number as MuJoCo reads it, without a negative zero.
fn number(x: f64) -> String {
    format!("{}", x + 0.0)
}

fn numbers<'a>(values: impl IntoIterator<Item = &'a f64>) -> String {
    let values: Vec<String> = values.into_iter().map(|x| number(*x)).collect();
    values.join(" ")
}

/// A name as an XML attribute.
fn escaped(name: &str) -> String {
    let name = name.replace('&', "&amp;").replace('"', "&quot;");
    name.replace('<', "&lt;")
}

// Writing to a String cannot fail: the results of write! are dropped throughout.

fn write_order(text: &mut String, body: &Body) {
    let order = body.depth_first();
    let names: Vec<&str> = order.iter().map(|l| body.links[*l].name.as_str()).collect();
    let names = names.join(", ").replace("--", "- -");
    let _ = writeln!(
        text,
        "  <!-- SI units, z up. qpos: root position x y z and rotation w x y z (world from root), then for every \
         joint the rotation w x y z (parent from child). qvel: root velocity in the world, m/s, angular velocity \
         in its own frame, rad/s, then for every joint the angular velocity in the child's frame. ctrl: the \
         rotation vector x y z of every joint's target. Order: {names}. -->"
    );
}

fn write_settings(text: &mut String) {
    let physics = Physics::default();
    let (timestep, friction) = (number(physics.timestep), number(physics.friction));
    let _ = write!(
        text,
        "  <compiler angle=\"radian\" inertiafromgeom=\"false\"/>\n  \
         <option timestep=\"{timestep}\" gravity=\"0 0 {}\" integrator=\"implicitfast\"/>\n  \
         <size memory=\"16M\"/>\n  \
         <default>\n    <geom condim=\"3\" friction=\"{friction} 0.005 0.0001\" contype=\"0\" conaffinity=\"0\" rgba=\"0.8 0.7 0.6 1\"/>\n    \
         <site size=\"0.01\" rgba=\"0.9 0.2 0.2 1\"/>\n  </default>\n",
        -GRAVITY
    );
}

fn write_body(text: &mut String, body: &Body, l: usize, depth: usize) {
    let link = &body.links[l];
    let indent = "  ".repeat(depth);
    let name = escaped(&link.name);
    let (at, joint) = match link.parent {
        None => (Vector3::z(), "<freejoint"),
        Some(_) => (link.offset, "<joint type=\"ball\" limited=\"false\""),
    };
    let _ = writeln!(
        text,
        "{indent}<body name=\"{name}\" pos=\"{}\">",
        numbers(&at)
    );
    let _ = writeln!(text, "{indent}  {joint} name=\"{name}\"/>");
    write_inertial(text, link, &indent);
    for shape in &link.shapes {
        let _ = writeln!(text, "{indent}  {}", geom(shape));
    }
    for (name, marker) in NAMES.iter().zip(&body.markers) {
        if marker.link == l {
            let at = numbers(&marker.position);
            let _ = writeln!(text, "{indent}  <site name=\"{name}\" pos=\"{at}\"/>");
        }
    }
    for child in body.children(l) {
        write_body(text, body, child, depth + 1);
    }
    let _ = writeln!(text, "{indent}</body>");
}

fn write_inertial(text: &mut String, link: &Link, indent: &str) {
    let _ = writeln!(
        text,
        "{indent}  <inertial pos=\"{}\" mass=\"{}\" diaginertia=\"{}\"/>",
        numbers(&link.center_of_mass),
        number(link.mass),
        numbers(&link.inertia)
    );
}

fn geom(shape: &Shape) -> String {
    let contact = match shape.collides {
        true => " contype=\"1\" group=\"3\"",
        false => "",
    };
    match &shape.geometry {
        Geometry::Capsule { a, b, radius } if a == b => {
            format!(
                "<geom type=\"sphere\" pos=\"{}\" size=\"{}\"{contact}/>",
                numbers(a),
                number(*radius)
            )
        }
        Geometry::Capsule { a, b, radius } => format!(
            "<geom type=\"capsule\" fromto=\"{} {}\" size=\"{}\"{contact}/>",
            numbers(a),
            numbers(b),
            number(*radius)
        ),
        Geometry::RoundBox {
            center,
            half_extents,
            rotation,
            ..
        } => format!(
            "<geom type=\"box\" pos=\"{}\" size=\"{}\" quat=\"{}\"{contact}/>",
            numbers(center),
            numbers(half_extents),
            numbers(&w_first(rotation))
        ),
    }
}

fn write_actuators(text: &mut String, body: &Body) {
    for l in body.depth_first().into_iter().skip(1) {
        let (link, joint) = (&body.links[l], &body.links[l].joint);
        let name = escaped(&link.name);
        let [kp, kv, most] = [joint.stiffness, joint.damping, joint.torque_limit].map(number);
        for (axis, gear) in [("x", "1 0 0"), ("y", "0 1 0"), ("z", "0 0 1")] {
            let _ = writeln!(
                text,
                "    <position name=\"{name}_{axis}\" joint=\"{name}\" gear=\"{gear} 0 0 0\" kp=\"{kp}\" kv=\"{kv}\" forcelimited=\"true\" forcerange=\"-{most} {most}\"/>"
            );
        }
    }
}

fn w_first(rotation: &UnitQuaternion<f64>) -> [f64; 4] {
    [rotation.w, rotation.i, rotation.j, rotation.k]
}

/// A frame in MuJoCo's coordinates.
struct State {
    qpos: Vec<f64>,
    qvel: Vec<f64>,
    ctrl: Vec<f64>,
}

/// The motion in MuJoCo's coordinates.
struct States {
    rows: Vec<State>,
}

impl States {
    fn of(recording: &Recording) -> Self {
        let (body, order) = (&recording.body, recording.body.depth_first());
        let frames = &recording.trajectory.frames;
        let mut poses: Vec<Pose> = frames.iter().map(|frame| pose(body, frame)).collect();
        continue_signs(&mut poses);
        let last = poses.len() - 1; // A recording has frames.
        let row = |t: usize| {
            let (before, after) = (t.saturating_sub(1), (t + 1).min(last));
            let seconds = (after - before).max(1) as f64 / recording.trajectory.fps;
            let ctrl = order.iter().skip(1).flat_map(|l| {
                let target = frames[t].targets[*l].scaled_axis();
                [target.x, target.y, target.z]
            });
            State {
                qpos: positions(&poses[t], &order),
                qvel: velocities([&poses[before], &poses[after]], seconds, &order),
                ctrl: ctrl.collect(),
            }
        };
        Self {
            rows: (0..poses.len()).map(row).collect(),
        }
    }
}

/// Of a quaternion and its negative, the one nearer to that of the frame before.
fn continue_signs(poses: &mut [Pose]) {
    let near =
        |last: &UnitQuaternion<f64>, next: UnitQuaternion<f64>| match last.coords.dot(&next.coords)
            < 0.0
        {
            true => UnitQuaternion::new_unchecked(-next.into_inner()),
            false => next,
        };
    for t in 1..poses.len() {
        let (before, after) = poses.split_at_mut(t);
        let (last, next) = (&before[t - 1], &mut after[0]);
        next.root.rotation = near(&last.root.rotation, next.root.rotation);
        for (old, new) in last.rotations.iter().zip(&mut next.rotations) {
            *new = near(old, *new);
        }
    }
}

fn positions(pose: &Pose, order: &[usize]) -> Vec<f64> {
    let root = pose.root.translation.vector;
    let mut qpos = vec![root.x, root.y, root.z];
    qpos.extend(w_first(&pose.root.rotation));
    qpos.extend(
        order
            .iter()
            .skip(1)
            .flat_map(|l| w_first(&pose.rotations[*l])),
    );
    qpos
}

/// Mean velocities between two poses: of the root in the world, of rotations in the frame that turns.
fn velocities([a, b]: [&Pose; 2], seconds: f64, order: &[usize]) -> Vec<f64> {
    let turn = |a: &UnitQuaternion<f64>, b: &UnitQuaternion<f64>| {
        (a.inverse() * b).scaled_axis() / seconds
    };
    let linear = (b.root.translation.vector - a.root.translation.vector) / seconds;
    let mut all = vec![linear, turn(&a.root.rotation, &b.root.rotation)];
    let joints = order.iter().skip(1);
    all.extend(joints.map(|l| turn(&a.rotations[*l], &b.rotations[*l])));
    all.iter().flat_map(|v| [v.x, v.y, v.z]).collect()
}
