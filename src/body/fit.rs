//! Scales the humanoid of `assets/humanoid.json` to one subject's bone lengths and mass.

use nalgebra::{UnitQuaternion, Vector3};
use serde::Deserialize;

use super::reference::{frame_from, thorax};
use super::{Body, Geometry, JointModel, Link, Marker, Shape};
use crate::error::{Error, Result};
use crate::motion::calibration::{of_feet_that_stood, quantile};
use crate::motion::skeleton::ANKLES;
use crate::motion::{JOINTS, Joints, Motion};

/// Body mass index that turns stature into mass when no mass is given, kg/m².
const BODY_MASS_INDEX: f64 = 22.5;
/// From the ankle down to the sole, where the motion does not tell, as a fraction of stature
/// (Winter 2009, Fig. 4.1).
const ANKLE_HEIGHT: f64 = 0.039;
/// Lowest and highest ankle of a foot that stands, as fractions of stature. 102 CMU clips: 0.018 to
/// 0.055, as the joint is placed differently; higher ones are in the air.
const ANKLE_HEIGHTS: [f64; 2] = [0.018, 0.06];
/// The quantile of an ankle's heights over a clip that is its height in stance.
const ANKLE_QUANTILE: f64 = 0.1;
/// Foot length as a fraction of stature (Winter 2009, Fig. 4.1).
const FOOT_LENGTH: f64 = 0.152;
/// Smallest moment of inertia of a link, kg·m²: stands for the rotor-like inertia of muscles and
/// keeps feet and forearms well conditioned for the solver.
const SMALLEST_INERTIA: f64 = 4e-3;

const TEMPLATE: &str = include_str!("../../assets/humanoid.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    #[serde(rename = "comment")]
    _comment: String,
    links: Vec<LinkTemplate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkTemplate {
    name: String,
    mass: f64,
    center_of_mass: f64,
    gyration: [f64; 3],
    radius: f64,
    stiffness: f64,
    torque_limit: f64,
    limits: [[f64; 2]; 3],
    controlled: Vec<Axis>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Axis {
    X,
    Y,
    Z,
}

/// Where a link's joint sits and where its segment ends, in the T-pose.
struct Segment {
    parent: Option<usize>,
    /// Joint in the parent's frame, m.
    offset: Vector3<f64>,
    /// From the joint to the segment's far end, m.
    extent: Vector3<f64>,
}

/// Bone vectors of a subject, measured on a motion.
struct Proportions {
    segments: Vec<Segment>,
    markers: [Marker; JOINTS],
    stature: f64,
    /// Height of the right and the left ankle above the sole, m.
    ankle_height: [f64; 2],
}

/// What is known of the subject beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Subject {
    /// Mass, kg; otherwise 22.5 kg/m² × stature².
    pub mass: Option<f64>,
    /// Standing height, m; otherwise from the bones. Sets mass and feet, not the bones.
    pub stature: Option<f64>,
}

/// Builds the body that fits `motion`: link lengths are the median bone lengths.
///
/// # Errors
/// [`Error::Input`] when a bone has no length.
pub fn fit(motion: &Motion, subject: &Subject) -> Result<Body> {
    let template: Template = serde_json::from_str(TEMPLATE)
        .map_err(|error| Error::Internal(format!("assets/humanoid.json: {error}")))?;
    let proportions = measure(motion, subject.stature)?;
    let mass = subject
        .mass
        .unwrap_or(BODY_MASS_INDEX * proportions.stature.powi(2));
    let links = template
        .links
        .iter()
        .zip(&proportions.segments)
        .map(|(link, segment)| build_link(link, segment, &proportions, mass))
        .collect();
    Ok(Body {
        links,
        markers: proportions.markers,
        stature: proportions.stature,
    })
}

fn build_link(
    template: &LinkTemplate,
    segment: &Segment,
    proportions: &Proportions,
    subject_mass: f64,
) -> Link {
    let mass = template.mass * subject_mass;
    let length = segment.extent.norm();
    let scale = proportions.stature / 1.75;
    let strength = subject_mass / 70.0;
    let foot = match template.name.as_str() {
        "right_foot" => Some(proportions.ankle_height[0]),
        "left_foot" => Some(proportions.ankle_height[1]),
        _ => None,
    };
    let inertia = Vector3::from_fn(|axis, _| {
        (mass * (template.gyration[axis] * length).powi(2)).max(SMALLEST_INERTIA * strength)
    });
    let center_of_mass = match foot {
        Some(height) => Vector3::new(0.2 * segment.extent.x, 0.0, -0.6 * height),
        None => template.center_of_mass * segment.extent,
    };
    let radius = template.radius * scale;
    Link {
        name: template.name.clone(),
        parent: segment.parent,
        offset: segment.offset,
        mass,
        center_of_mass,
        inertia,
        shapes: match foot {
            Some(height) => foot_shapes(height, proportions.stature),
            None => segment_shapes(&template.name, segment, proportions, radius),
        },
        joint: JointModel {
            stiffness: template.stiffness * strength,
            damping: 0.1 * template.stiffness * strength,
            torque_limit: template.torque_limit * strength,
            limits: template.limits.map(|range| range.map(f64::to_radians)),
            controlled: [Axis::X, Axis::Y, Axis::Z].map(|axis| template.controlled.contains(&axis)),
        },
    }
}

/// Four spheres at heel and ball that touch the ground, so that every contact is a single smooth
/// point; and sole, toes and instep for display.
fn foot_shapes(ankle_height: f64, stature: f64) -> Vec<Shape> {
    let length = FOOT_LENGTH * stature;
    let (heel, front, half_width) = (-0.22 * length, 0.56 * length, 0.17 * length);
    let thickness = 0.35 * ankle_height;
    let radius = 0.5 * thickness;
    let z = radius - ankle_height;
    let mut shapes: Vec<Shape> = [(heel, -1.0), (heel, 1.0), (front, -1.0), (front, 1.0)]
        .iter()
        .map(|(x, side)| {
            let center = Vector3::new(x - x.signum() * radius, side * (half_width - radius), z);
            Shape {
                geometry: Geometry::Capsule {
                    a: center,
                    b: center,
                    radius,
                },
                collides: true,
            }
        })
        .collect();
    let sole = Geometry::RoundBox {
        center: Vector3::new(0.5 * (heel + front), 0.0, z),
        half_extents: Vector3::new(0.5 * (front - heel), half_width, radius),
        rotation: UnitQuaternion::identity(),
        radius: 0.6 * radius,
    };
    let toes = Geometry::Capsule {
        a: Vector3::new(front, 0.09 * length, z),
        b: Vector3::new(front, -0.09 * length, z),
        radius: 0.96 * radius,
    };
    let instep = Geometry::Capsule {
        a: Vector3::new(0.0, 0.0, -0.1 * ankle_height),
        b: Vector3::new(0.75 * front, 0.0, 0.9 * thickness - ankle_height),
        radius: 0.4 * ankle_height,
    };
    let display = [sole, toes, instep];
    shapes.extend(display.map(|geometry| Shape {
        geometry,
        collides: false,
    }));
    shapes
}

fn segment_shapes(
    name: &str,
    segment: &Segment,
    proportions: &Proportions,
    radius: f64,
) -> Vec<Shape> {
    let capsule = |a: Vector3<f64>, b: Vector3<f64>, radius: f64| Shape {
        geometry: Geometry::Capsule { a, b, radius },
        collides: false,
    };
    let marker = |j: usize| proportions.markers[j].position;
    match name {
        "pelvis" => vec![capsule(0.8 * marker(1), 0.8 * marker(4), radius)],
        "thorax" => vec![
            capsule(0.3 * segment.extent, 0.75 * segment.extent, radius),
            capsule(0.85 * marker(11), 0.85 * marker(14), 0.5 * radius),
        ],
        "head" => vec![
            capsule(Vector3::zeros(), 0.5 * segment.extent, 0.55 * radius),
            capsule(0.75 * segment.extent, 0.95 * segment.extent, radius),
        ],
        _ => vec![capsule(0.1 * segment.extent, 0.95 * segment.extent, radius)],
    }
}

/// Measures the bone vectors on `motion`, all as medians over the frames.
fn measure(motion: &Motion, stature: Option<f64>) -> Result<Proportions> {
    let bone = |from: usize, to: usize| -> Result<f64> {
        let length = median(motion.joints.iter().map(|p| (p[to] - p[from]).norm()));
        if length > 1e-3 {
            return Ok(length);
        }
        Err(Error::input(
            &motion.name,
            format!("bone between joints {from} and {to}"),
            format!("length {:.1} mm", 1e3 * length),
            "check the order of the joints (--layout), or their names",
        ))
    };
    let (x, y, z) = (Vector3::x(), Vector3::y(), Vector3::z());
    let [rhip, lhip] = [-bone(0, 1)? * y, bone(0, 4)? * y];
    let spine = bone(0, 7)? * z;
    let chest = bone(7, 8)? * z;
    let [lshoulder, rshoulder] = [11, 14].map(|j| shoulder_offset(motion, j));
    let (neck, head) = (neck_offset(motion), bone(8, 10)? * z);
    let [rthigh, rshin] = [-bone(1, 2)? * z, -bone(2, 3)? * z];
    let [lthigh, lshin] = [-bone(4, 5)? * z, -bone(5, 6)? * z];
    let [larm, lforearm] = [bone(11, 12)? * y, bone(12, 13)? * y];
    let [rarm, rforearm] = [-bone(14, 15)? * y, -bone(15, 16)? * y];
    // Foot and vertex added to the chain of bones, as in the data's own definition of stature.
    let legs = 0.5 * (rthigh + rshin + lthigh + lshin).norm();
    let stature = stature.unwrap_or(0.18 + legs + (spine + chest + head).norm());
    let foot = FOOT_LENGTH * stature * x;
    let ankle_height = ankle_heights(motion, stature);
    let segment = |parent: Option<usize>, offset, extent| Segment {
        parent,
        offset,
        extent,
    };
    let zero = Vector3::zeros();
    let segments = vec![
        segment(None, zero, spine),
        segment(Some(0), zero, spine),
        segment(Some(1), spine, chest),
        segment(Some(2), chest, head),
        segment(Some(0), rhip, rthigh),
        segment(Some(4), rthigh, rshin),
        segment(Some(5), rshin, foot),
        segment(Some(0), lhip, lthigh),
        segment(Some(7), lthigh, lshin),
        segment(Some(8), lshin, foot),
        segment(Some(2), lshoulder, larm),
        segment(Some(10), larm, lforearm),
        segment(Some(2), rshoulder, rarm),
        segment(Some(12), rarm, rforearm),
    ];
    let marker = |link: usize, position| Marker { link, position };
    let markers = [
        marker(0, zero),
        marker(0, rhip),
        marker(5, zero),
        marker(6, zero),
        marker(0, lhip),
        marker(8, zero),
        marker(9, zero),
        marker(2, zero),
        marker(3, zero),
        marker(3, neck),
        marker(3, head),
        marker(2, lshoulder),
        marker(11, zero),
        marker(11, lforearm),
        marker(2, rshoulder),
        marker(13, zero),
        marker(13, rforearm),
    ];
    Ok(Proportions {
        segments,
        markers,
        stature,
        ankle_height,
    })
}

/// A shoulder in the thorax frame, per axis the median over the frames.
fn shoulder_offset(motion: &Motion, joint: usize) -> Vector3<f64> {
    median_vector(motion, |p| thorax(p).transpose() * (p[joint] - p[7]))
}

/// The neck joint (9) in the head's frame, whose z axis points from joint 8 to joint 10: the
/// triangle 8–9–10 lies in the sagittal plane, since the 17 joints do not show the head's yaw.
fn neck_offset(motion: &Motion) -> Vector3<f64> {
    let offset = median_vector(motion, |p| {
        let head = frame_from(p[10] - p[8], p[11] - p[14]);
        head.transpose() * (p[9] - p[8])
    });
    Vector3::new(offset.x, 0.0, offset.z)
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

fn median_vector(motion: &Motion, local: impl Fn(&Joints) -> Vector3<f64>) -> Vector3<f64> {
    let locals: Vec<Vector3<f64>> = motion.joints.iter().map(local).collect();
    Vector3::from_fn(|axis, _| median(locals.iter().map(|v| v[axis])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::sample;

    /// Depths of the soles `[right, left]` below the ankles, m.
    fn soles(motion: &Motion) -> [f64; 2] {
        let body = fit(motion, &Subject::default()).unwrap();
        ["right_foot", "left_foot"].map(|name| {
            let foot = body.links.iter().find(|link| link.name == name).unwrap();
            let (center, radius) = foot.contact_spheres()[0];
            radius - center.z
        })
    }

    #[test]
    fn soles_reach_the_ground_however_low_the_ankles_are() {
        let squat = sample("squat").unwrap();
        let lowered = |by: f64, feet: &[usize]| {
            let mut motion = squat.clone();
            for joints in &mut motion.joints {
                feet.iter().for_each(|foot| joints[ANKLES[*foot]].z -= by);
            }
            motion
        };
        let usual = soles(&squat);
        for millimetres in 1..40 {
            let by = 1e-3 * f64::from(millimetres);
            let [right, left] = soles(&lowered(by, &[0, 1]));
            assert!((right - (usual[0] - by)).abs() < 2e-3, "{right} by {by}");
            assert!((left - (usual[1] - by)).abs() < 2e-3, "{left} by {by}");
        }
        // A leg that is held up has a foot like the other one.
        let [right, left] = soles(&lowered(-0.2, &[1]));
        assert_eq!(right, left);
        // Nobody's ankle is in the ground.
        assert!(
            soles(&lowered(0.3, &[0, 1]))
                .iter()
                .all(|depth| *depth > 0.02)
        );
    }
}
