//! Where a window starts.

use nalgebra::Isometry3;

use super::problem::TrackingProblem;
use crate::simulation::{Velocity, World};

/// What the positions of the frames after the first one count in its velocity, relative to its own: the
/// slope of the parabola that fits five frames best (Savitzky and Golay).
const START_WEIGHTS: [(isize, f64); 4] = [
    (1, 13.0 / 70.0),
    (2, 40.0 / 70.0),
    (3, 27.0 / 70.0),
    (4, -26.0 / 70.0),
];

/// Where a window starts.
#[derive(Clone)]
pub struct Start {
    /// The world at the window's first frame.
    pub world: World,
    /// World poses of the links one frame and two frames earlier, from which the acceleration and the
    /// jerk at the first frame follow; fewer where the clip begins.
    pub past: Vec<Vec<Isometry3<f64>>>,
}

impl TrackingProblem {
    /// The world at frame `t` of the reference, moving as it does there: as parabolas through the frames
    /// before and after do, or at the start those that fit five frames best.
    pub fn world(&self, t: usize) -> World {
        let last = self.poses.len() - 1;
        match (t, last - t) {
            (0, 4..) => self.world_moving(t, &START_WEIGHTS),
            (0, _) => self.world_by_first_step(),
            (_, 0) => self.world_moving(t, &[(-1, -1.0)]),
            _ => self.world_moving(t, &[(-1, -0.5), (1, 0.5)]),
        }
    }

    /// The world at the first frame of the reference, moving as from there to the second: not what its
    /// velocity is, but right where it changes fast.
    pub(super) fn world_by_first_step(&self) -> World {
        self.world_moving(0, &[(1, 1.0)])
    }

    /// The world at frame `t` of the reference. Its velocities, per frame, are sums over `weights`,
    /// (offset, weight), of the displacement from frame `t` to that at the offset (the last one at most).
    fn world_moving(&self, t: usize, weights: &[(isize, f64)]) -> World {
        let links = self.body.forward_kinematics(&self.poses[t]);
        let last = self.poses.len() - 1;
        let mut velocities = vec![Velocity::default(); links.len()];
        for (offset, weight) in weights {
            let pose = &self.poses[t.saturating_add_signed(*offset).min(last)];
            let near = self.body.forward_kinematics(pose);
            let rate = weight * self.motion.fps;
            for ((velocity, here), near) in velocities.iter_mut().zip(&links).zip(&near) {
                velocity.linear += rate * (near.translation.vector - here.translation.vector);
                velocity.angular += rate * (near.rotation * here.rotation.inverse()).scaled_axis();
            }
        }
        World::new(
            (&self.body, &self.scene),
            &self.physics,
            &links,
            &velocities,
        )
    }

    /// Frame `t` of the reference as the start of a window.
    pub fn start(&self, t: usize) -> Start {
        let links = |t: usize| self.body.forward_kinematics(&self.poses[t]);
        Start {
            world: self.world(t),
            past: (t.saturating_sub(2)..t).rev().map(links).collect(),
        }
    }
}
