//! Scales a [`BodyModel`] to one subject's bone lengths and mass.

use nalgebra::{Matrix3, UnitQuaternion, Vector3};

use super::anatomy::Anatomy;
use super::model::{
    Axis, Between, BodyModel, Length, LinkModel, Measured, Orientation, Place, Point, Segment,
    ShapeModel,
};
use super::reference::{frame_from, observed_frame};
use super::{Body, Geometry, JointModel, Link, Marker, Shape};
use crate::error::{Error, Result};
use crate::motion::contact::{ANKLE_HEIGHT, of_feet_that_stood};
use crate::motion::quantile;
use crate::motion::skeleton::{
    ANKLES, HEAD, LEFT_ANKLE, LEFT_HIP, LEFT_KNEE, PELVIS, RIGHT_ANKLE, RIGHT_HIP, RIGHT_KNEE,
    SPINE, Side, THORAX,
};
use crate::motion::{Joints, Motion, Subject};

/// Body mass index that turns stature into mass when no mass is given, kg/m².
const BODY_MASS_INDEX: f64 = 22.5;
/// Mass for which a model states gains and torque limits, kg.
const MODEL_MASS: f64 = 70.0;
/// Damping of the motors, as a share of their stiffness, s.
const DAMPING_TIME: f64 = 0.1;
/// Lowest and highest ankle of a foot that stands, as fractions of stature. 102 CMU clips: 0.018 to
/// 0.055, as the joint is placed differently; higher ones are in the air.
const ANKLE_HEIGHTS: [f64; 2] = [0.018, 0.06];
/// The quantile of an ankle's heights over a clip that is its height in stance.
const ANKLE_QUANTILE: f64 = 0.1;
/// Foot and vertex added to the chain of bones, as in the data's own definition of stature, m.
const FOOT_AND_VERTEX: f64 = 0.18;
/// Length below which a bone has none, m.
const NO_BONE: f64 = 1e-3;
/// Smallest moment of inertia of a link, kg·m²: stands for the rotor-like inertia of muscles and
/// keeps feet and forearms well conditioned for the solver.
const SMALLEST_INERTIA: f64 = 4e-3;

/// Builds the humanoid that fits `motion`: link lengths are the median bone lengths.
///
/// # Errors
/// [`Error::Input`] when a bone has no length.
pub fn fit(motion: &Motion, subject: &Subject) -> Result<Body> {
    BodyModel::humanoid()?.fit(motion, subject)
}

impl BodyModel {
    /// Builds the body that fits `motion`: link lengths are the median bone lengths.
    ///
    /// # Errors
    /// [`Error::Input`] when a bone has no length.
    pub fn fit(&self, motion: &Motion, subject: &Subject) -> Result<Body> {
        let measure = Measure { motion };
        let stature = match subject.stature {
            Some(stature) => stature,
            None => measure.stature()?,
        };
        let mut scale = Scale {
            model: self,
            measure,
            stature,
            ankle_heights: ankle_heights(motion, stature),
            extents: Vec::new(),
            offsets: Vec::new(),
            markers: Vec::new(),
        };
        for link in &self.links {
            let extent = scale.extent(&link.segment)?;
            scale.extents.push(extent);
        }
        for i in 0..self.links.len() {
            let offset = match self.parent(i) {
                Some(parent) => scale.place(&self.links[i].at, parent)?,
                None => Vector3::zeros(),
            };
            scale.offsets.push(offset);
        }
        scale.markers = scale.place_markers()?;
        let mass = subject.mass.unwrap_or(BODY_MASS_INDEX * stature.powi(2));
        Ok(Body {
            links: (0..self.links.len()).map(|i| scale.link(i, mass)).collect(),
            markers: std::array::from_fn(|j| scale.markers[j]),
            stature,
        })
    }
}

/// A model as it is scaled to a motion.
struct Scale<'a> {
    model: &'a BodyModel,
    measure: Measure<'a>,
    stature: f64,
    /// Heights of the ankles `[right, left]` above the soles, m.
    ankle_heights: [f64; 2],
    /// From the joint of every link to the far end of its segment, m.
    extents: Vec<Vector3<f64>>,
    /// Joint of every link in its parent's frame, m.
    offsets: Vec<Vector3<f64>>,
    markers: Vec<Marker>,
}

impl Scale<'_> {
    fn extent(&self, segment: &Segment) -> Result<Vector3<f64>> {
        let length = match (segment.between, segment.stature) {
            (Some(between), _) => self.measure.bone(between)?,
            (None, share) => share.unwrap_or_default() * self.stature,
        };
        Ok(length * segment.along.vector())
    }

    /// A place in the frame of link `i`, m.
    fn place(&self, place: &Place, i: usize) -> Result<Vector3<f64>> {
        Ok(match place {
            Place::Start => Vector3::zeros(),
            Place::End => self.extents[i],
            Place::Bone { between, along } => self.measure.bone(*between)? * along.vector(),
            Place::Measured(measured) => self.measure.offset(&self.model.links[i], measured),
            Place::JointOf(child) => {
                let child = self.model.index(child);
                child.map_or(Vector3::zeros(), |child| self.offsets[child])
            }
            Place::Point(point) => self.point(point, i),
        })
    }

    fn place_markers(&self) -> Result<Vec<Marker>> {
        let place = |marker: &super::model::MarkerModel| {
            let link = self.model.index(&marker.link).unwrap_or_default();
            let position = self.place(&marker.at, link)?;
            Ok(Marker { link, position })
        };
        self.model.markers.iter().map(place).collect()
    }

    /// A point in the frame of link `i`, m.
    fn point(&self, point: &Point, i: usize) -> Vector3<f64> {
        let length = self.extents[i].norm();
        let sum = length * Vector3::from(point.length)
            + self.stature * Vector3::from(point.stature)
            + self.sole(i) * Vector3::from(point.sole);
        let markers = point.markers.iter();
        markers.fold(sum, |sum, (joint, share)| {
            let marker = self.markers.get(joint.0);
            sum + marker.map_or(Vector3::zeros(), |marker| *share * marker.position)
        })
    }

    fn length(&self, length: Length, i: usize) -> f64 {
        length.stature * self.stature + length.sole * self.sole(i)
    }

    /// Height of the ankle above the sole on the side of link `i`, m; on the right where it has none.
    fn sole(&self, i: usize) -> f64 {
        let side = self.model.links[i].foot.unwrap_or(Side::Right);
        self.ankle_heights[side.index()]
    }

    /// Link `i` of a subject of `subject_mass` kg.
    fn link(&self, i: usize, subject_mass: f64) -> Link {
        let model = &self.model.links[i];
        let mass = model.mass * subject_mass;
        let length = self.extents[i].norm();
        let strength = subject_mass / MODEL_MASS;
        let inertia = Vector3::from_fn(|axis, _| {
            (mass * (model.gyration[axis] * length).powi(2)).max(SMALLEST_INERTIA * strength)
        });
        Link {
            name: model.name.clone(),
            parent: self.model.parent(i),
            offset: self.offsets[i],
            mass,
            center_of_mass: self.point(&model.center_of_mass, i),
            inertia,
            shapes: model.shapes.iter().map(|s| self.shape(s, i)).collect(),
            foot: model.foot,
            anatomy: model.anatomy.as_ref().map(Anatomy::of),
            joint: JointModel {
                stiffness: model.stiffness * strength,
                damping: DAMPING_TIME * model.stiffness * strength,
                torque_limit: model.torque_limit * strength,
                limits: model.limits.map(|range| range.map(f64::to_radians)),
                controlled: [Axis::X, Axis::Y, Axis::Z]
                    .map(|axis| model.controlled.contains(&axis)),
            },
        }
    }

    fn shape(&self, shape: &ShapeModel, i: usize) -> Shape {
        let geometry = match shape {
            ShapeModel::Contact { center, radius } => {
                let center = self.point(center, i);
                Geometry::Capsule {
                    a: center,
                    b: center,
                    radius: self.length(*radius, i),
                }
            }
            ShapeModel::Capsule { a, b, radius } => Geometry::Capsule {
                a: self.point(a, i),
                b: self.point(b, i),
                radius: self.length(*radius, i),
            },
            ShapeModel::RoundBox {
                center,
                half_extents,
                radius,
            } => Geometry::RoundBox {
                center: self.point(center, i),
                half_extents: self.point(half_extents, i),
                rotation: UnitQuaternion::identity(),
                radius: self.length(*radius, i),
            },
        };
        Shape {
            geometry,
            collides: matches!(shape, ShapeModel::Contact { .. }),
        }
    }
}

/// Lengths of a subject, measured on a motion as medians over the frames.
struct Measure<'a> {
    motion: &'a Motion,
}

impl Measure<'_> {
    /// Distance of two joints, m.
    fn bone(&self, [from, to]: Between) -> Result<f64> {
        self.distance(from.0, to.0)
    }

    fn distance(&self, from: usize, to: usize) -> Result<f64> {
        let lengths = self.motion.joints.iter().map(|p| (p[to] - p[from]).norm());
        let length = median(lengths);
        if length > NO_BONE {
            return Ok(length);
        }
        Err(Error::input(
            &self.motion.name,
            format!("bone between joints {from} and {to}"),
            format!("length {:.1} mm", 1e3 * length),
            "check the order of the joints (--layout), or their names",
        ))
    }

    /// Standing height, m.
    fn stature(&self) -> Result<f64> {
        let chain = |joints: &[usize]| -> Result<f64> {
            let bones = joints
                .windows(2)
                .map(|bone| self.distance(bone[0], bone[1]));
            bones.sum()
        };
        let right = chain(&[RIGHT_HIP, RIGHT_KNEE, RIGHT_ANKLE])?;
        let left = chain(&[LEFT_HIP, LEFT_KNEE, LEFT_ANKLE])?;
        let trunk = chain(&[PELVIS, SPINE, THORAX, HEAD])?;
        Ok(FOOT_AND_VERTEX + 0.5 * (right + left) + trunk)
    }

    /// A joint in the frame of `link`, m.
    fn offset(&self, link: &LinkModel, measured: &Measured) -> Vector3<f64> {
        let Some(bone) = link.segment.between else {
            return Vector3::zeros();
        };
        let frame = |p: &Joints| match (&link.orientation, measured.left) {
            (Orientation::Frame { first, left, up }, _) => observed_frame(p, *first, left, up),
            (_, Some([right, left])) => {
                frame_from(p[bone[1].0] - p[bone[0].0], p[left.0] - p[right.0])
            }
            (_, None) => Matrix3::identity(),
        };
        let joint = measured.joint.0;
        let offset = self.median(|p| frame(p).transpose() * (p[joint] - p[bone[0].0]));
        let counts = [Axis::X, Axis::Y, Axis::Z].map(|axis| measured.axes.contains(&axis));
        Vector3::from_fn(|axis, _| if counts[axis] { offset[axis] } else { 0.0 })
    }

    /// Per axis the median of `local` over the frames.
    fn median(&self, local: impl Fn(&Joints) -> Vector3<f64>) -> Vector3<f64> {
        let locals: Vec<Vector3<f64>> = self.motion.joints.iter().map(local).collect();
        Vector3::from_fn(|axis, _| median(locals.iter().map(|v| v[axis])))
    }
}

/// Heights of the ankles `[right, left]` above the soles, m: a low quantile of what they have over the
/// ground, where feet stand at all.
fn ankle_heights(motion: &Motion, stature: f64) -> [f64; 2] {
    let heights = |ankle: usize| motion.joints.iter().map(|p| p[ankle].z).collect();
    let low = ANKLES.map(|ankle| quantile(heights(ankle), ANKLE_QUANTILE));
    let [lowest, highest] = ANKLE_HEIGHTS.map(|share| share * stature);
    of_feet_that_stood(low).map(|height| match height > highest {
        true => ANKLE_HEIGHT * stature + 0.01,
        false => height.max(lowest),
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests;
