//! Feet of reference poses: where they point, and how far they are turned up or down.

use nalgebra::{Matrix3, Rotation3, Vector3};

use super::{Frames, frame_of, smooth_vectors};
use crate::body::{Body, Side};
use crate::motion::contact::smooth_step;
use crate::motion::skeleton::ANKLES;
use crate::motion::{Joints, Motion};

/// Horizontal speeds of the ball between which a touching foot turns into a swinging one, m/s.
const DRAG_SPEED: [f64; 2] = [0.15, 0.6];
/// Height over the ground that the ball of a swinging foot keeps, m. The heel keeps none: it is the first to come down, by a
/// foot that is turned up (in 29 walks and turns with force plates ankles are 10 ± 7 mm above those of a flat foot when a foot begins
/// to carry 5 % of the body: 15° over the heel).
const CLEARANCE: f64 = 0.025;

/// Heights of the ankle between which the ball is no more taken to reach down to the ground, as shares
/// of the distance between the two.
const TIPTOE_HEIGHT: [f64; 2] = [0.8, 1.0];
/// How upright the shin is, as the vertical part of its direction, between a leg that lies and one that stands or
/// swings (0.35 and more in walking).
const LEANING: [f64; 2] = [0.05, 0.3];
/// The most by which a foot is stretched from a right angle to the shin, degrees.
const MOST_EXTENSION: u32 = 75;

/// A foot, and the leg that it is on.
pub(super) struct Foot {
    pub link: usize,
    pub leg: usize,
    pub side: Side,
}

/// Turns the foot about its own y axis so that it points at the toe when that is known, else so
/// that heel and ball stay above the ground; then smooths the pitch over time. `carrying` says how much
/// it has to carry the body.
pub(super) fn place_foot(
    body: &Body,
    motion: &Motion,
    frames: &mut [Frames],
    foot: &Foot,
    carrying: &[f64],
) {
    let Some(sole) = sole(body, foot.link) else {
        return;
    };
    let side = foot.side.index();
    let ankle = |p: &Joints| p[ANKLES[side]];
    let ankles: Vec<Vector3<f64>> = motion.joints.iter().map(ankle).collect();
    let forward: Vec<Vector3<f64>> = match &motion.toes {
        Some(toes) => toes
            .iter()
            .zip(&ankles)
            .map(|(toes, ankle)| toes[side] - ankle)
            .collect(),
        None => frames
            .iter()
            .map(|frame| frame[foot.leg].column(0).into())
            .collect(),
    };
    let flat = |v: &Vector3<f64>| Vector3::new(v.x, v.y, 0.0).try_normalize(1e-3);
    let headings = smooth_vectors(
        forward
            .iter()
            .map(|v| flat(v).unwrap_or_default())
            .collect(),
        motion.fps,
    );
    let headings: Vec<Vector3<f64>> = headings
        .iter()
        .map(|v| v.try_normalize(1e-6).unwrap_or_else(Vector3::x))
        .collect();
    let pitches = match &motion.toes {
        Some(_) => toe_pitches(&forward, &sole),
        None => inferred_pitches([&forward, &ankles, &headings], carrying, &sole, motion.fps),
    };
    let extensions: Vec<f64> = (ankles.iter().zip(frames.iter()))
        .map(|(ankle, frame)| extension(&frame[foot.leg], ankle.z, &sole))
        .collect();
    let extensions = smooth(&extensions);
    for (t, (heading, pitch)) in headings.iter().zip(smooth(&pitches)).enumerate() {
        let leg = frames[t][foot.leg];
        let standing = foot_frame(heading, pitch);
        let share = smooth_step(leg[(2, 2)], LEANING);
        frames[t][foot.link] = match share < 1.0 {
            true => {
                let toes = motion.toes.as_ref().map(|_| forward[t]);
                between(&lying(&leg, toes, extensions[t]), &standing, share)
            }
            false => standing,
        };
    }
}

/// A foot on the leg with orientation `leg` that lies, kneels or is upside down: along `toes` where they are seen, else
/// stretched by `extension` from a right angle.
fn lying(leg: &Matrix3<f64>, toes: Option<Vector3<f64>>, extension: f64) -> Matrix3<f64> {
    match toes {
        Some(toes) => frame_of((0, toes), (1, leg.column(1).into())),
        None => leg * Rotation3::from_axis_angle(&Vector3::y_axis(), extension).matrix(),
    }
}

/// How far a foot on the leg with orientation `leg` has to be stretched, rad, for its ball not to be in the ground, with
/// the ankle at `height`, m.
fn extension(leg: &Matrix3<f64>, height: f64, sole: &Sole) -> f64 {
    let depth = |angle: f64| {
        let foot = leg * Rotation3::from_axis_angle(&Vector3::y_axis(), angle).matrix();
        sole.radius - height - (foot * sole.ends[1]).z
    };
    let degrees = (0..=MOST_EXTENSION).map(|degrees| f64::from(degrees).to_radians());
    let free = degrees.clone().find(|angle| depth(*angle) <= 0.0);
    let least = |a: &f64, b: &f64| depth(*a).total_cmp(&depth(*b));
    free.or_else(|| degrees.min_by(least)).unwrap_or(0.0)
}

/// The rotation that is `share` of the way from one to another.
fn between(from: &Matrix3<f64>, to: &Matrix3<f64>, share: f64) -> Matrix3<f64> {
    let [from, to] = [from, to].map(|m| Rotation3::from_matrix_unchecked(*m));
    let way = (from.inverse() * to).scaled_axis();
    (from * Rotation3::new(share * way)).into_inner()
}

/// A foot that points along `heading`, turned toe-down by `pitch`.
fn foot_frame(heading: &Vector3<f64>, pitch: f64) -> Matrix3<f64> {
    let flat = Matrix3::from_columns(&[*heading, Vector3::z().cross(heading), Vector3::z()]);
    flat * Rotation3::from_axis_angle(&Vector3::y_axis(), pitch).matrix()
}

/// Pitches that point the foot at the toe base, which on a flat foot lies half as high as the
/// ankle.
fn toe_pitches(forward: &[Vector3<f64>], sole: &Sole) -> Vec<f64> {
    let ankle_height = sole.radius - sole.ends[0].z;
    let down = |depth: f64, v: &Vector3<f64>| (depth / v.norm().max(1e-9)).clamp(-1.0, 1.0).asin();
    forward
        .iter()
        .map(|v| down(-v.z, v) - down(0.5 * ankle_height, v))
        .collect()
}

/// Pitches nearest to a right angle between shin and foot that keep heel and ball above the
/// ground, and the ball clear of it where it would be dragged along; the ball of a foot that is `carrying`
/// is on the ground.
fn inferred_pitches(
    [forward, ankles, headings]: [&[Vector3<f64>]; 3],
    carrying: &[f64],
    sole: &Sole,
    fps: f64,
) -> Vec<f64> {
    let limited = |t: usize, clearance: [f64; 2]| {
        let neutral = (-forward[t].z / forward[t].norm().max(1e-9))
            .clamp(-1.0, 1.0)
            .asin();
        let [heel, ball] =
            [0, 1].map(|end| steepest(sole.ends[end], ankles[t].z - sole.radius - clearance[end]));
        neutral.clamp(-heel, ball)
    };
    let touching: Vec<f64> = (0..ankles.len()).map(|t| limited(t, [0.0; 2])).collect();
    let speed = |t: usize| {
        let (a, b) = (t.saturating_sub(1), (t + 1).min(ankles.len() - 1));
        let ball = |t: usize| ankles[t] + foot_frame(&headings[t], touching[t]) * sole.ends[1];
        (ball(b) - ball(a)).xy().norm() * fps / (b - a).max(1) as f64
    };
    (0..ankles.len())
        .map(|t| {
            let clearance = [0.0, CLEARANCE * smooth_step(speed(t), DRAG_SPEED)];
            let pitch = limited(t, clearance);
            let height = ankles[t].z - sole.radius;
            let down = steepest(sole.ends[1], height);
            let reach = sole.ends[1].x.hypot(sole.ends[1].z);
            let share = carrying[t] * (1.0 - smooth_step(height / reach, TIPTOE_HEIGHT));
            pitch + share * (down - pitch).max(0.0)
        })
        .collect()
}

/// Where a foot may touch the ground, in its frame, m.
struct Sole {
    /// Centres of the contact spheres at heel and ball, brought to the middle of the foot.
    ends: [Vector3<f64>; 2],
    /// Radius of the spheres.
    radius: f64,
}

fn sole(body: &Body, foot: usize) -> Option<Sole> {
    let spheres = body.links[foot].contact_spheres();
    let (_, radius) = *spheres.first()?;
    let x = |(center, _): &(Vector3<f64>, f64)| center.x;
    let heel = spheres.iter().min_by(|a, b| x(a).total_cmp(&x(b)))?.0;
    let ball = spheres.iter().max_by(|a, b| x(a).total_cmp(&x(b)))?.0;
    Some(Sole {
        ends: [heel, ball].map(|v| Vector3::new(v.x, 0.0, v.z)),
        radius,
    })
}

/// The largest pitch, rad, at which `point` of the foot stays above the plane that is `height`
/// below the ankle.
fn steepest(point: Vector3<f64>, height: f64) -> f64 {
    let reach = point.x.hypot(point.z);
    let slope = (-point.z / reach).asin();
    ((height / reach).clamp(-1.0, 1.0).asin() - slope).max(0.0)
}

/// Binomial smoothing over five frames.
fn smooth(values: &[f64]) -> Vec<f64> {
    let at = |t: isize| values[t.clamp(0, values.len() as isize - 1) as usize];
    (0..values.len() as isize)
        .map(|t| (at(t - 2) + 4.0 * at(t - 1) + 6.0 * at(t) + 4.0 * at(t + 1) + at(t + 2)) / 16.0)
        .collect()
}
