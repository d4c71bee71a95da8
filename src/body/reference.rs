//! Reference poses by inverse kinematics: what the body would look like if it only had to be
//! where the joints were seen.
//!
//! Seventeen joints fix every direction but not every rotation about a bone. What they leave open is taken from the
//! file's rotations where it has some ([`Turns`](crate::motion::Turns)), and else inferred:
//! * upper arm and thigh turn so that elbow and knee bend about their hinge; where the limb is
//!   almost straight the hinge axis fades into the one the trunk suggests;
//! * the abdomen does not twist against the pelvis, the head does not turn against the thorax;
//! * the foot points along the knee's plane, at a right angle to the shin, but neither heel nor
//!   ball may be below the ground: a low ankle makes the foot flat, a rising one rolls it over
//!   the ball. A foot that has to carry the body, because the other is in the air or on its way,
//!   reaches the ground with its ball: who stands on the toes has the ankles high over it.

use std::borrow::Cow;

use nalgebra::{Isometry3, Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};

use super::model::{Between, BodyModel, Exact, Orientation};
use super::{Body, Pose};
use crate::error::Result;
use crate::motion::contact::carrying;
use crate::motion::skeleton::{ANKLES, PELVIS};
use crate::motion::{Joints, Motion};
use crate::scene::Scene;

use feet::{Foot, place_foot};
use limb::Limb;

mod feet;
mod head;
mod limb;

/// Time before and after over which hinge axes and headings are averaged, s.
const SMOOTHING_TIME: f64 = 0.08;

/// Length up to which a vector has no direction, m: two joints in one place.
const NO_LENGTH: f64 = 1e-9;

/// Frame with z along `z` and y as close to `y_hint` as that allows.
pub(super) fn frame_from(z: Vector3<f64>, y_hint: Vector3<f64>) -> Matrix3<f64> {
    frame_of((2, z), (1, y_hint))
}

/// The direction of `vector`, which is at a right angle to the unit vector `axis`; where it has none,
/// that of the world's axis farthest from `axis`, brought to a right angle.
fn across(vector: Vector3<f64>, axis: &Vector3<f64>) -> Vector3<f64> {
    vector.try_normalize(NO_LENGTH).unwrap_or_else(|| {
        let farthest: Vector3<f64> = Vector3::ith(axis.iamin(), 1.0);
        (farthest - axis * axis.dot(&farthest)).normalize()
    })
}

/// `vector`, or `other` where it has no direction.
fn directed(vector: Vector3<f64>, other: Vector3<f64>) -> Vector3<f64> {
    match vector.norm() > NO_LENGTH {
        true => vector,
        false => other,
    }
}

/// Poses of `body`, the humanoid, that follow `motion`, one per frame.
///
/// # Errors
/// As [`BodyModel::humanoid`].
pub fn reference_poses(body: &Body, motion: &Motion) -> Result<Vec<Pose>> {
    Ok(BodyModel::humanoid()?.reference_poses(body, motion, &Scene::default()))
}

impl BodyModel {
    /// Poses of `body`, which was made of this model, that follow `motion` in `scene`, one per frame.
    pub fn reference_poses(&self, body: &Body, motion: &Motion, scene: &Scene) -> Vec<Pose> {
        let limbs: Vec<Limb> = (0..self.links.len()).filter_map(|i| self.limb(i)).collect();
        let hinges: Vec<Vec<Vector3<f64>>> = limbs
            .iter()
            .map(|limb| {
                let hinge = |(t, p)| {
                    let turns = motion.turns.as_ref().map(|turns| &turns[t]);
                    limb.hinge(p, &self.trunk_frame(limb.trunk, p), turns)
                };
                let hinges = motion.joints.iter().enumerate().map(hinge);
                smooth_vectors(hinges.collect(), motion.fps)
            })
            .collect();
        let mut frames: Vec<Frames> = (motion.joints.iter().enumerate())
            .map(|(t, p)| {
                let hinges = limbs
                    .iter()
                    .zip(&hinges)
                    .map(|(limb, hinge)| (limb, hinge[t]));
                self.link_frames(p, hinges.collect())
            })
            .collect();
        self.turn_heads(motion, &mut frames);
        let grounded = over_ground(motion, scene);
        let carrying = carrying(&grounded.joints, grounded.fps);
        for (i, link) in self.links.iter().enumerate() {
            let (Orientation::Foot, Some(side), Some(leg)) =
                (&link.orientation, link.foot, self.parent(i))
            else {
                continue;
            };
            let foot = Foot { link: i, leg, side };
            place_foot(body, &grounded, &mut frames, &foot, &carrying[side.index()]);
        }
        let poses = frames.iter_mut().zip(&motion.joints).map(|(frames, p)| {
            self.carry_along(frames);
            pose(body, frames, p[PELVIS])
        });
        poses.collect()
    }

    /// Links without an orientation of their own take their parents'.
    fn carry_along(&self, frames: &mut Frames) {
        for i in 0..self.links.len() {
            if let (Orientation::Rigid, Some(parent)) = (&self.links[i].orientation, self.parent(i))
            {
                frames[i] = frames[parent];
            }
        }
    }

    /// The limb whose upper half is link `i`.
    fn limb(&self, i: usize) -> Option<Limb> {
        let upper = &self.links[i];
        if upper.orientation != Orientation::Limb {
            return None;
        }
        let lower = self.lower_half(i)?;
        let Orientation::Hinge(hinge) = self.links[lower].orientation else {
            return None;
        };
        let [a, b] = upper.segment.between?;
        let [_, c] = self.links[lower].segment.between?;
        Some(Limb {
            links: [i, lower],
            trunk: self.parent(i)?,
            joints: [a.0, b.0, c.0],
            axis: upper.segment.along,
            hinge,
        })
    }

    /// Orientation of link `i`, which is seen in the joints, or of the one it hangs on where it is not.
    fn trunk_frame(&self, i: usize, p: &Joints) -> Matrix3<f64> {
        match (&self.links[i].orientation, self.parent(i)) {
            (Orientation::Frame { first, left, up }, _) => observed_frame(p, *first, left, up),
            (_, Some(parent)) => self.swung(i, p, &self.trunk_frame(parent, p)),
            (_, None) => Matrix3::identity(),
        }
    }

    /// The frame of link `i` that the smallest rotation makes of `parent`.
    fn swung(&self, i: usize, p: &Joints, parent: &Matrix3<f64>) -> Matrix3<f64> {
        let segment = &self.links[i].segment;
        segment.between.map_or(*parent, |[from, to]| {
            swing(parent, p[to.0] - p[from.0], segment.along.vector())
        })
    }

    /// World orientation of every link, feet as the legs they are on for now; `limbs` with their hinges
    /// in their carried frames.
    fn link_frames(&self, p: &Joints, limbs: Vec<(&Limb, Vector3<f64>)>) -> Frames {
        let halves = limbs.into_iter().flat_map(|(limb, hinge)| {
            let carried = limb.carried(p, &self.trunk_frame(limb.trunk, p));
            limb.links.into_iter().zip(limb.frames(p, &carried, &hinge))
        });
        let halves: Vec<_> = halves.collect();
        let mut frames = Frames::with_capacity(self.links.len());
        for i in 0..self.links.len() {
            let half = halves.iter().find(|(link, _)| *link == i);
            let parent = self
                .parent(i)
                .map_or(Matrix3::identity(), |parent| frames[parent]);
            frames.push(match (&self.links[i].orientation, half) {
                (Orientation::Frame { first, left, up }, _) => observed_frame(p, *first, left, up),
                (Orientation::Swing, _) => self.swung(i, p, &parent),
                (_, Some((_, frame))) => *frame,
                _ => parent,
            });
        }
        frames
    }
}

/// `motion` with its ankles and toes as high as they are above what is under the ankles in `scene`.
pub fn over_ground<'m>(motion: &'m Motion, scene: &Scene) -> Cow<'m, Motion> {
    if scene.is_empty() {
        return Cow::Borrowed(motion);
    }
    let mut motion = motion.clone();
    for t in 0..motion.len() {
        let time = t as f64 / motion.fps;
        for (foot, ankle) in ANKLES.into_iter().enumerate() {
            let ground = scene.height_under(&motion.joints[t][ankle], time);
            motion.joints[t][ankle].z -= ground;
            if let Some(toes) = &mut motion.toes {
                toes[t][foot].z -= ground;
            }
        }
    }
    Cow::Owned(motion)
}

/// World orientations of all links.
pub(super) type Frames = Vec<Matrix3<f64>>;

fn pose(body: &Body, frames: &Frames, root: Vector3<f64>) -> Pose {
    let world: Vec<UnitQuaternion<f64>> = frames
        .iter()
        .map(|m| UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(*m)))
        .collect();
    let rotation = |i: usize, parent: Option<usize>| match parent {
        None => UnitQuaternion::identity(),
        Some(parent) => world[parent].inverse() * world[i],
    };
    Pose {
        root: Isometry3::from_parts(Translation3::from(root), world[0]),
        rotations: body
            .links
            .iter()
            .enumerate()
            .map(|(i, link)| rotation(i, link.parent))
            .collect(),
    }
}

/// Orientation of a link that shows what is left of it and what is up: of each the first direction that
/// has a length, and `first` kept exactly.
pub(super) fn observed_frame(
    p: &Joints,
    first: Exact,
    left: &[Between],
    up: &[Between],
) -> Matrix3<f64> {
    let [left, up] = [left, up].map(|pairs| {
        let mut vectors = pairs.iter().map(|[from, to]| p[to.0] - p[from.0]);
        let nearest = vectors.next().unwrap_or_default();
        vectors.fold(nearest, directed)
    });
    match first {
        Exact::Left => frame_of((1, left), (2, up)),
        Exact::Up => frame_of((2, up), (1, left)),
    }
}

/// Frame with axis `i` along `exact` and axis `j` as close to `hint` as that allows. A vector without
/// direction leaves to the world's axes what it should fix.
fn frame_of((i, exact): (usize, Vector3<f64>), (j, hint): (usize, Vector3<f64>)) -> Matrix3<f64> {
    let exact = exact
        .try_normalize(NO_LENGTH)
        .unwrap_or_else(|| Vector3::ith(i, 1.0));
    let is_cyclic = (i + 1) % 3 == j;
    let third = across(
        if is_cyclic {
            exact.cross(&hint)
        } else {
            hint.cross(&exact)
        },
        &exact,
    );
    let second = if is_cyclic {
        third.cross(&exact)
    } else {
        exact.cross(&third)
    };
    let mut columns = [exact; 3];
    columns[j] = second;
    columns[3 - i - j] = third;
    Matrix3::from_columns(&columns)
}

/// `parent` turned by the smallest rotation that points its `axis` along `direction`.
fn swing(parent: &Matrix3<f64>, direction: Vector3<f64>, axis: Vector3<f64>) -> Matrix3<f64> {
    let from = parent * axis;
    // Of vectors that are all but parallel, the cosine may be rounded to more than 1: no angle.
    let rotation = Rotation3::rotation_between(&from, &direction)
        .filter(|rotation| rotation.matrix().iter().all(|x| x.is_finite()))
        .unwrap_or_else(Rotation3::identity);
    rotation.matrix() * parent
}

/// Mean over the frames within [`SMOOTHING_TIME`].
fn smooth_vectors(vectors: Vec<Vector3<f64>>, fps: f64) -> Vec<Vector3<f64>> {
    let around = (SMOOTHING_TIME * fps).round() as usize;
    (0..vectors.len())
        .map(|t| {
            let range = t.saturating_sub(around)..(t + around + 1).min(vectors.len());
            let count = range.len() as f64;
            vectors[range].iter().sum::<Vector3<f64>>() / count
        })
        .collect()
}

#[cfg(test)]
mod tests;
