//! Where a body is in itself: pairs of its capsules that overlap.

use nalgebra::{Isometry3, UnitQuaternion, Vector3};

use super::{Body, Geometry, Pose};

/// How close two capsules come to be watched, m: several times what a tracked body is off.
const NEAR: f64 = 0.1;

/// A capsule of a link, in the link's frame, m.
#[derive(Clone, Copy, Debug)]
struct Capsule {
    link: usize,
    ends: [Vector3<f64>; 2],
    radius: f64,
}

/// Two capsules of one body that may be in each other.
#[derive(Clone, Copy, Debug)]
pub struct CapsulePair([Capsule; 2]);

impl CapsulePair {
    /// How far apart the surfaces are with the links at `links`, m; negative where they overlap.
    pub fn distance(&self, links: &[Isometry3<f64>]) -> f64 {
        let segments = self.0.map(|capsule| {
            let at = |end: Vector3<f64>| (links[capsule.link] * nalgebra::Point3::from(end)).coords;
            capsule.ends.map(at)
        });
        segment_distance(segments) - self.0[0].radius - self.0[1].radius
    }
}

/// The pairs of capsules of `body` that could be in each other: those of links that no joint connects and that are
/// apart in the rest pose.
pub fn capsule_pairs(body: &Body) -> Vec<CapsulePair> {
    let capsules: Vec<Capsule> = (body.links.iter().enumerate())
        .flat_map(|(link, model)| model.shapes.iter().map(move |shape| (link, shape)))
        .filter_map(|(link, shape)| match shape.geometry {
            Geometry::Capsule { a, b, radius } => Some(Capsule {
                link,
                ends: [a, b],
                radius,
            }),
            Geometry::RoundBox { .. } => None,
        })
        .collect();
    let rest = body.forward_kinematics(&rest_pose(body));
    let are_joined = |a: usize, b: usize| {
        a == b || body.links[a].parent == Some(b) || body.links[b].parent == Some(a)
    };
    let pairs = (0..capsules.len()).flat_map(|n| (0..n).map(move |m| (m, n)));
    pairs
        .map(|(m, n)| CapsulePair([capsules[m], capsules[n]]))
        .filter(|CapsulePair([a, b])| !are_joined(a.link, b.link))
        .filter(|pair| pair.distance(&rest) > 0.0)
        .collect()
}

/// The T-pose, in which all frames are aligned with the world.
fn rest_pose(body: &Body) -> Pose {
    Pose {
        root: Isometry3::identity(),
        rotations: vec![UnitQuaternion::identity(); body.links.len()],
    }
}

/// Those of `pairs` that come near each other in one of the poses `links`.
pub fn near_pairs(mut pairs: Vec<CapsulePair>, links: &[Vec<Isometry3<f64>>]) -> Vec<CapsulePair> {
    pairs.retain(|pair| links.iter().any(|links| pair.distance(links) < NEAR));
    pairs
}

/// The deepest overlap of `pairs` with the links at `links`, m; 0 without one.
pub fn deepest(pairs: &[CapsulePair], links: &[Isometry3<f64>]) -> f64 {
    let depths = pairs.iter().map(|pair| -pair.distance(links));
    depths.fold(0.0, f64::max)
}

/// The distance of two segments (C. Ericson, "Real-Time Collision Detection", 2005, section 5.1.9).
fn segment_distance([[a, b], [c, d]]: [[Vector3<f64>; 2]; 2]) -> f64 {
    let (p, q, r) = (b - a, d - c, a - c);
    let (pp, qq, pq) = (p.norm_squared(), q.norm_squared(), p.dot(&q));
    let (pr, qr) = (p.dot(&r), q.dot(&r));
    let share = |above: f64, below: f64| match below > f64::EPSILON {
        true => (above / below).clamp(0.0, 1.0),
        false => 0.0,
    };
    // Along the first segment where lines are nearest, then along the second, then along the first again.
    let s = share(pq * qr - pr * qq, pp * qq - pq * pq);
    let t = share(pq * s + qr, qq);
    let s = share(pq * t - pr, pp);
    (r + p * s - q * t).norm()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::body::{Subject, fit};
    use crate::motion::sample;
    use crate::objective::Rng;

    #[test]
    fn segments_are_as_far_apart_as_their_nearest_points() {
        let mut rng = Rng::seed_from_u64(3);
        for _ in 0..200 {
            let mut point = || Vector3::from_fn(|_, _| rng.random_range(-1.0..1.0));
            let [a, b, c, d] = [point(), point(), point(), point()];
            let along = |from: Vector3<f64>, to: Vector3<f64>, n: usize| {
                from + (to - from) * (n as f64 / 200.0)
            };
            let grid = (0..=200).flat_map(|m| (0..=200).map(move |n| (m, n)));
            let distances = grid.map(|(m, n)| (along(a, b, m) - along(c, d, n)).norm());
            let least = distances.fold(f64::INFINITY, f64::min);
            let found = segment_distance([[a, b], [c, d]]);
            assert!(
                found <= least + 1e-12 && least < found + 0.02,
                "{found} {least}"
            );
        }
    }

    #[test]
    fn a_hand_in_the_other_forearm_is_found_and_a_rest_pose_is_free() {
        let motion = sample("walk").unwrap();
        let body = fit(&motion, &Subject::default()).unwrap();
        let pairs = capsule_pairs(&body);
        let mut pose = rest_pose(&body);
        assert_eq!(deepest(&pairs, &body.forward_kinematics(&pose)), 0.0);
        // Both arms straight ahead and turned in until they cross.
        let arm = |name: &str| {
            body.links
                .iter()
                .position(|link| link.name == name)
                .unwrap()
        };
        for (name, angle) in [("left_upper_arm", -1.9), ("right_upper_arm", 1.9)] {
            pose.rotations[arm(name)] = UnitQuaternion::from_euler_angles(0.0, 0.0, angle);
        }
        let depth = deepest(&pairs, &body.forward_kinematics(&pose));
        assert!((0.01..0.1).contains(&depth), "{depth}");
        let links = [body.forward_kinematics(&pose)];
        let near = near_pairs(pairs.clone(), &links);
        assert!(near.len() < pairs.len() / 2);
        assert_eq!(deepest(&near, &links[0]), depth);
    }
}
