//! Which way bones point, towards the camera or away: the cheapest sequence of choices over the
//! clip (Viterbi), by what joints can do and how fast they move.

use nalgebra::Vector3;

use super::anatomy::direction;
use super::picture::Picture;
use crate::motion::Joints;
use crate::motion::skeleton::*;

/// Choices of one half of the body: the girdle, and two segments of two limbs.
const CHOICES: usize = 32;

/// Speed of a joint against the trunk that is not unusual, m/s.
const SPEED: f64 = 2.0;

/// One half of the body in one frame: its six joints, and what the choice costs by itself.
#[derive(Clone, Copy)]
struct Half {
    joints: [Vector3<f64>; 6],
    cost: f64,
}

/// Motions of the most plausible choices: the best one, and the best among those in which the body
/// faces the other way.
pub fn hypotheses(picture: &Picture, depths: &[f64]) -> Vec<Vec<Joints>> {
    let trunks: Vec<[Vector3<f64>; 5]> = (0..depths.len())
        .map(|t| trunk(picture, t, depths[t]))
        .collect();
    let lower: Vec<Vec<Half>> = (0..trunks.len())
        .map(|t| {
            (0..CHOICES)
                .map(|c| legs(picture, t, &trunks[t], c))
                .collect()
        })
        .collect();
    let free = cheapest(&lower, &trunks, picture.fps, 0, |_| true);
    let turned = |c: usize| (c & 1) != (free[free.len() / 2] & 1);
    let other = cheapest(&lower, &trunks, picture.fps, 0, turned);
    [free, other]
        .into_iter()
        .map(|lower_choice| {
            let legs: Vec<Half> = lower_choice
                .iter()
                .zip(&lower)
                .map(|(c, halves)| halves[*c])
                .collect();
            let upper: Vec<Vec<Half>> = (0..trunks.len())
                .map(|t| {
                    let choices = 0..CHOICES;
                    choices
                        .map(|c| arms(picture, t, &trunks[t], &legs[t], c))
                        .collect()
                })
                .collect();
            let upper_choice = cheapest(&upper, &trunks, picture.fps, 2, |_| true);
            (0..trunks.len())
                .map(|t| assemble(&trunks[t], &legs[t], &upper[t][upper_choice[t]]))
                .collect()
        })
        .collect()
}

fn assemble(trunk: &[Vector3<f64>; 5], legs: &Half, arms: &Half) -> Joints {
    let [pelvis, spine, thorax, neck, head] = *trunk;
    let [rhip, rknee, rankle, lhip, lknee, lankle] = legs.joints;
    let [lshoulder, lelbow, lwrist, rshoulder, relbow, rwrist] = arms.joints;
    [
        pelvis, rhip, rknee, rankle, lhip, lknee, lankle, spine, thorax, neck, head, lshoulder,
        lelbow, lwrist, rshoulder, relbow, rwrist,
    ]
}

/// Pelvis, spine, thorax, neck, head, each bone as upright as it can be.
fn trunk(picture: &Picture, t: usize, depth: f64) -> [Vector3<f64>; 5] {
    let pixels = &picture.pixels[t];
    let bones = &picture.bones;
    let upright = |from: &Vector3<f64>, joint: usize, length: f64| {
        let [far, near] =
            [true, false].map(|is_far| picture.child(from, &pixels[joint], length, is_far));
        let lean = |p: &Vector3<f64>| (p - from).xy().norm();
        if lean(&far) < lean(&near) { far } else { near }
    };
    let pelvis = picture.camera.unproject(&pixels[PELVIS], depth);
    let thorax = upright(&pelvis, THORAX, bones[SPINE] + bones[THORAX]);
    let head = upright(&thorax, HEAD, bones[NECK] + bones[HEAD]);
    let middle = |a: Vector3<f64>, b: Vector3<f64>| (a + b) / 2.0;
    [
        pelvis,
        middle(pelvis, thorax),
        thorax,
        middle(thorax, head),
        head,
    ]
}

/// The legs for choice `c`: bit 0 says whether the right hip is the farther one, bits 1 and 2
/// thigh and shin of the right leg, bits 3 and 4 of the left.
fn legs(picture: &Picture, t: usize, trunk: &[Vector3<f64>; 5], c: usize) -> Half {
    let bit = |n: usize| c >> n & 1 == 1;
    let child =
        |from: &Vector3<f64>, joint: usize, is_far: bool| picture.limb(t, from, joint, is_far);
    let rhip = child(&trunk[0], RIGHT_HIP, bit(0));
    let rknee = child(&rhip, RIGHT_KNEE, bit(1));
    let rankle = child(&rknee, RIGHT_ANKLE, bit(2));
    let lhip = child(&trunk[0], LEFT_HIP, !bit(0));
    let lknee = child(&lhip, LEFT_KNEE, bit(3));
    let lankle = child(&lknee, LEFT_ANKLE, bit(4));
    let up = direction(trunk[2] - trunk[0], Vector3::z());
    let left = direction(lhip - rhip, Vector3::y());
    let forward = left.cross(&up);
    let mut cost = square(up.dot(&left), 0.25);
    for [hip, knee, ankle] in [[rhip, rknee, rankle], [lhip, lknee, lankle]] {
        // What has no length hangs straight.
        let thigh = direction(knee - hip, -up);
        let shin = direction(ankle - knee, thigh);
        cost += square((-thigh.cross(&shin).dot(&left) - 0.02).max(0.0), 0.12)
            + square(thigh.dot(&left), 0.25).min(5.0)
            + square(shin.dot(&left), 0.3).min(5.0)
            + square((-thigh.dot(&forward) - 0.45).max(0.0), 0.2)
            + square((picture.standing - ankle.z).max(0.0), 0.08);
    }
    let lowest = rankle.z.min(lankle.z) - picture.standing;
    cost += square(lowest, 0.15).min(4.0);
    Half {
        joints: [rhip, rknee, rankle, lhip, lknee, lankle],
        cost,
    }
}

/// The arms for choice `c`: bit 0 says whether the left shoulder is the farther one, the others as
/// for the legs, left arm first.
fn arms(picture: &Picture, t: usize, trunk: &[Vector3<f64>; 5], legs: &Half, c: usize) -> Half {
    let bit = |n: usize| c >> n & 1 == 1;
    let child =
        |from: &Vector3<f64>, joint: usize, is_far: bool| picture.limb(t, from, joint, is_far);
    let lshoulder = child(&trunk[2], LEFT_SHOULDER, bit(0));
    let lelbow = child(&lshoulder, LEFT_ELBOW, bit(1));
    let lwrist = child(&lelbow, LEFT_WRIST, bit(2));
    let rshoulder = child(&trunk[2], RIGHT_SHOULDER, !bit(0));
    let relbow = child(&rshoulder, RIGHT_ELBOW, bit(3));
    let rwrist = child(&relbow, RIGHT_WRIST, bit(4));
    let up = direction(trunk[2] - trunk[0], Vector3::z());
    let hips = direction(legs.joints[3] - legs.joints[0], Vector3::y());
    let left = direction(lshoulder - rshoulder, hips);
    let forward = left.cross(&up);
    let mut cost = square((1.0 - left.dot(&hips)).max(0.0), 0.25) + square(up.dot(&left), 0.35);
    for (side, [shoulder, elbow, wrist]) in [
        (left, [lshoulder, lelbow, lwrist]),
        (-left, [rshoulder, relbow, rwrist]),
    ] {
        let upper = direction(elbow - shoulder, -up);
        let fore = direction(wrist - elbow, upper);
        cost += square(upper.dot(&side) - 0.2, 0.35).min(6.0)
            + square((-upper.dot(&forward) - 0.5).max(0.0), 0.25)
            // Elbows bend forwards and upwards.
            + square((upper.dot(&forward) - fore.dot(&forward) - 0.05).max(0.0), 0.35)
            + square(fore.dot(&side), 0.45).min(4.0);
    }
    Half {
        joints: [lshoulder, lelbow, lwrist, rshoulder, relbow, rwrist],
        cost,
    }
}

fn square(value: f64, sigma: f64) -> f64 {
    (value / sigma).powi(2)
}

/// The cheapest sequence of allowed choices: their own costs, and half the squared speeds of the
/// joints against joint `anchor` of the trunk.
fn cheapest(
    halves: &[Vec<Half>],
    trunks: &[[Vector3<f64>; 5]],
    fps: f64,
    anchor: usize,
    allowed: impl Fn(usize) -> bool,
) -> Vec<usize> {
    let own = |t: usize, c: usize| match allowed(c) {
        true => halves[t][c].cost * 10.0 / fps,
        false => f64::INFINITY,
    };
    let moved = |t: usize, a: usize, b: usize| {
        let shift = trunks[t][anchor] - trunks[t - 1][anchor];
        let pairs = halves[t - 1][a].joints.iter().zip(&halves[t][b].joints);
        let squares: f64 = pairs.map(|(p, q)| (q - p - shift).norm_squared()).sum();
        0.5 * squares * (fps / SPEED).powi(2) * 10.0 / fps
    };
    let mut total: Vec<f64> = (0..CHOICES).map(|c| own(0, c)).collect();
    let mut back: Vec<[usize; CHOICES]> = Vec::with_capacity(halves.len());
    for t in 1..halves.len() {
        let mut from = [0; CHOICES];
        let next: Vec<f64> = (0..CHOICES)
            .map(|c| {
                let mut best = f64::INFINITY;
                for (a, cost) in total.iter().enumerate() {
                    let cost = cost + moved(t, a, c);
                    if cost < best {
                        (best, from[c]) = (cost, a);
                    }
                }
                best + own(t, c)
            })
            .collect();
        total = next;
        back.push(from);
    }
    let last = (0..CHOICES)
        .min_by(|a, b| total[*a].total_cmp(&total[*b]))
        .unwrap_or(0);
    let mut choices = vec![last];
    for from in back.iter().rev() {
        choices.push(from[choices[choices.len() - 1]]);
    }
    choices.reverse();
    choices
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector2;

    use super::*;
    use crate::motion::JOINTS;
    use crate::motion::camera::Camera;

    #[test]
    fn a_body_without_extent_costs_something_and_stays_in_its_place() {
        let camera = Camera::standing([640.0, 480.0], 500.0, 1.5, 0.0);
        let picture = Picture {
            camera: &camera,
            fps: 25.0,
            pixels: vec![[Vector2::new(320.0, 240.0); JOINTS]; 3],
            bones: [0.0; JOINTS],
            standing: 0.07,
        };
        let trunk = trunk(&picture, 0, 4.0);
        for c in 0..CHOICES {
            let legs = legs(&picture, 0, &trunk, c);
            let arms = arms(&picture, 0, &trunk, &legs, c);
            let costs = [legs.cost, arms.cost];
            assert!(costs.iter().all(|cost| cost.is_finite()), "{costs:?}");
        }
        let place = Vector3::new(4.0, 0.0, 1.5);
        let found = hypotheses(&picture, &[4.0; 3]);
        let mut joints = found.iter().flatten().flatten();
        assert!(joints.all(|p| (p - place).norm() < 1e-9));
    }
}
