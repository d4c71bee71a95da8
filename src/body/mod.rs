//! The simulated humanoid: links, joints, masses, PD gains, and the markers that stand for the
//! observed joints.
//!
//! Every link has a frame whose origin is the joint to its parent (for the root: the middle of the
//! hips). In the rest pose, a T-pose facing +x, all link frames are aligned with the world.

use nalgebra::{Isometry3, UnitQuaternion, Vector3};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::motion::{JOINTS, Joints};

pub use crate::motion::Subject;
pub use crate::motion::skeleton::Side;
pub use anatomy::{Anatomy, Movement};
pub use contact_points::{Ball, ContactPoint, Place, heights_of_foot};
pub use fit::fit;
pub use model::{BodyModel, Sex};
pub use overlaps::{CapsulePair, capsule_pairs, deepest, near_pairs};
pub use reference::{over_ground, reference_poses};

mod anatomy;
mod contact_points;
mod fit;
mod model;
mod overlaps;
mod reference;

/// A humanoid scaled to one subject; as JSON, quaternions are `[x, y, z, w]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// Links in topological order: a parent always comes before its children; the root is first.
    pub links: Vec<Link>,
    /// Where each of the 17 observed joints sits on the body.
    pub markers: [Marker; JOINTS],
    /// Standing height in metres.
    pub stature: f64,
}

/// A rigid part and the joint that ties it to its parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Its name, "left_shin".
    pub name: String,
    /// Index of the parent link; `None` for the root.
    pub parent: Option<usize>,
    /// The joint's position in the parent's frame, m.
    pub offset: Vector3<f64>,
    /// Mass, kg.
    pub mass: f64,
    /// Centre of mass in the link's frame, m.
    pub center_of_mass: Vector3<f64>,
    /// Moments of inertia about the centre of mass along the link frame's axes, kg·m².
    pub inertia: Vector3<f64>,
    /// Geometry, for display and (where [`Shape::collides`]) for ground contact.
    pub shapes: Vec<Shape>,
    /// The side whose foot it belongs to; none for links that are no part of a foot. In a file it must stand:
    /// without it the forces of feet would be missed silently.
    #[serde(deserialize_with = "Option::deserialize")]
    pub foot: Option<Side>,
    /// What the joint and its movements are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anatomy: Option<Anatomy>,
    /// The joint to the parent.
    pub joint: JointModel,
}

/// A ball joint with a PD controller; the root's is unused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JointModel {
    /// Proportional gain kp, N·m/rad.
    pub stiffness: f64,
    /// Derivative gain kd, N·m·s/rad.
    pub damping: f64,
    /// Largest torque about each axis, N·m.
    pub torque_limit: f64,
    /// Lower and upper limit of the rotation vector about x, y, z of the parent's frame, rad.
    pub limits: [[f64; 2]; 3],
    /// The axes (x, y, z) about which the PD target is optimized.
    pub controlled: [bool; 3],
}

/// A convex shape fixed to a link; all lengths in metres, in the link's frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// What it is.
    pub geometry: Geometry,
    /// Whether it touches the ground.
    pub collides: bool,
}

/// The kinds of shapes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Geometry {
    /// All points within `radius` of the segment from `a` to `b`; a sphere when `a = b`.
    Capsule {
        /// One end of the axis.
        a: Vector3<f64>,
        /// The other end.
        b: Vector3<f64>,
        /// Radius.
        radius: f64,
    },
    /// A box with edges rounded by `radius` (the radius is part of the half extents).
    RoundBox {
        /// Centre.
        center: Vector3<f64>,
        /// Half the size along x, y, z, rounding included.
        half_extents: Vector3<f64>,
        /// Orientation of the box in the link's frame.
        rotation: UnitQuaternion<f64>,
        /// Rounding radius.
        radius: f64,
    },
}

/// A point fixed to a link.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    /// Index of the link.
    pub link: usize,
    /// Position in the link's frame, m.
    pub position: Vector3<f64>,
}

/// Root pose and joint rotations: the generalized coordinates q.
#[derive(Clone, Debug, PartialEq)]
pub struct Pose {
    /// Pose of the root link in the world.
    pub root: Isometry3<f64>,
    /// Rotation parent ← child of every link; the root's entry is the identity.
    pub rotations: Vec<UnitQuaternion<f64>>,
}

impl Link {
    /// Centres (link frame, m) and radii (m) of the spheres that touch the ground.
    pub fn contact_spheres(&self) -> Vec<(Vector3<f64>, f64)> {
        let colliding = self.shapes.iter().filter(|shape| shape.collides);
        colliding
            .filter_map(|shape| match shape.geometry {
                Geometry::Capsule { a, b, radius } if a == b => Some((a, radius)),
                _ => None,
            })
            .collect()
    }
}

impl Body {
    /// The links whose parent is `parent`, in their order.
    pub fn children(&self, parent: usize) -> impl DoubleEndedIterator<Item = usize> + '_ {
        (0..self.links.len()).filter(move |l| self.links[*l].parent == Some(parent))
    }

    /// All links in the order in which a hierarchy lists them: each before its children, and these before
    /// the next one.
    pub fn depth_first(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.links.len());
        let mut stack = vec![0];
        while let Some(link) = stack.pop() {
            order.push(link);
            stack.extend(self.children(link).rev());
        }
        order
    }

    /// Refuses shapes that should touch the ground and are no spheres: neither engine nor its batched twin
    /// would simulate them.
    ///
    /// # Errors
    /// [`Error::Input`] naming the link.
    pub fn check_contacts(&self) -> Result<()> {
        let is_unknown = |link: &&Link| {
            let contacts = link.shapes.iter().filter(|shape| shape.collides);
            contacts.count() > link.contact_spheres().len()
        };
        let Some(link) = self.links.iter().find(is_unknown) else {
            return Ok(());
        };
        let found = "a shape that touches the ground and is no sphere";
        Err(Error::input("body", &link.name, found, "give spheres"))
    }

    /// Total mass, kg.
    pub fn mass(&self) -> f64 {
        self.links.iter().map(|link| link.mass).sum()
    }

    /// World positions of the 17 joints, given the world pose of every link.
    pub fn marker_positions(&self, links: &[Isometry3<f64>]) -> Joints {
        std::array::from_fn(|j| {
            let marker = &self.markers[j];
            links[marker.link]
                .transform_point(&marker.position.into())
                .coords
        })
    }

    /// World position of the centre of mass of every link, m, given the links' world poses.
    pub fn link_mass_centers<'a>(
        &'a self,
        links: &'a [Isometry3<f64>],
    ) -> impl Iterator<Item = Vector3<f64>> + 'a {
        let pairs = self.links.iter().zip(links);
        pairs.map(|(link, pose)| pose.transform_point(&link.center_of_mass.into()).coords)
    }

    /// Centre of mass of the whole body, m, given the links' world poses.
    pub fn mass_center(&self, links: &[Isometry3<f64>]) -> Vector3<f64> {
        let centers = self.links.iter().zip(self.link_mass_centers(links));
        centers
            .map(|(link, center)| link.mass * center)
            .sum::<Vector3<f64>>()
            / self.mass()
    }

    /// World pose of every link of `pose` (forward kinematics).
    pub fn forward_kinematics(&self, pose: &Pose) -> Vec<Isometry3<f64>> {
        let mut world: Vec<Isometry3<f64>> = Vec::with_capacity(self.links.len());
        for (link, rotation) in self.links.iter().zip(&pose.rotations) {
            world.push(match link.parent {
                None => pose.root,
                Some(parent) => {
                    world[parent] * Isometry3::from_parts(link.offset.into(), *rotation)
                }
            });
        }
        world
    }
}
