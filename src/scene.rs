//! What there is to touch beside the ground plane z = 0: boxes that stand still.
//!
//! A scene file is JSON: `{"boxes": [{"center": [x, y, z], "half_extents": [x, y, z], "yaw": radians}]}` in metres,
//! z up, in the frame of the motion; instead of `yaw` a box may have a `quaternion` `[w, x, y, z]`, and so be a ramp.

use std::ops::Range;
use std::path::Path;

use nalgebra::{Isometry3, Quaternion, Translation3, UnitQuaternion, Vector3};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::json;

/// The largest coordinate of a box, m.
const FARTHEST: f64 = 1e4;

/// The thinnest box, half of its thickness, m: thinner ones would be run through in a timestep.
const THINNEST: f64 = 0.005;

/// The most boxes, and the most different sets of links that boxes are for.
const MOST: usize = 1000;
const MOST_SETS: usize = 30;

/// Length below which a quaternion has no direction.
const NO_LENGTH: f64 = 1e-6;

/// Boxes beside the ground.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// The boxes.
    pub boxes: Vec<Cuboid>,
}

/// A box that stands still.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Entry", into = "Entry")]
pub struct Cuboid {
    /// What it is called.
    pub name: Option<String>,
    /// World ← box; the origin is its centre, m.
    pub pose: Isometry3<f64>,
    /// Half its sizes along its own axes, m.
    pub half_extents: Vector3<f64>,
    /// When it can be touched, s from the first frame; always where not given.
    pub during: Option<Range<f64>>,
    /// Names of the links that can touch it; all where not given.
    pub links: Option<Vec<String>>,
}

/// A box as it stands in a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    center: [f64; 3],
    half_extents: [f64; 3],
    /// About z, rad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    yaw: Option<f64>,
    /// w, x, y, z
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quaternion: Option<[f64; 4]>,
    /// From and to, s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    during: Option<[f64; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    links: Option<Vec<String>>,
}

impl From<Entry> for Cuboid {
    fn from(entry: Entry) -> Self {
        let rotation = match entry.quaternion {
            // A quaternion without direction makes a rotation that `check` refuses.
            Some([w, x, y, z]) => {
                let quaternion = Quaternion::new(w, x, y, z);
                let norm = quaternion.norm();
                let scale = if norm > NO_LENGTH { norm } else { f64::NAN };
                UnitQuaternion::new_unchecked(quaternion / scale)
            }
            None => UnitQuaternion::from_axis_angle(&Vector3::z_axis(), entry.yaw.unwrap_or(0.0)),
        };
        Self {
            name: entry.name,
            pose: Isometry3::from_parts(Translation3::from(Vector3::from(entry.center)), rotation),
            half_extents: entry.half_extents.into(),
            during: entry.during.map(|[from, to]| from..to),
            links: entry.links,
        }
    }
}

impl From<Cuboid> for Entry {
    fn from(cuboid: Cuboid) -> Self {
        let rotation = cuboid.pose.rotation;
        Self {
            name: cuboid.name,
            center: cuboid.pose.translation.vector.into(),
            half_extents: cuboid.half_extents.into(),
            yaw: None,
            quaternion: Some([rotation.w, rotation.i, rotation.j, rotation.k]),
            during: cuboid.during.map(|during| [during.start, during.end]),
            links: cuboid.links,
        }
    }
}

/// Where a sphere is nearest to a surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// Out of the surface, unit vector, world frame.
    pub normal: Vector3<f64>,
    /// From the surface to the sphere, m; negative inside.
    pub distance: f64,
}

impl Scene {
    /// Reads a scene file.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Input`] naming what cannot be used.
    pub fn read(path: &Path) -> Result<Self> {
        let scene: Self = json::read(path)?;
        scene.check(&path.display().to_string())?;
        Ok(scene)
    }

    /// Whether there is nothing but the ground.
    pub fn is_empty(&self) -> bool {
        self.boxes.is_empty()
    }

    /// Checks every box; errors call the scene `origin`.
    ///
    /// # Errors
    /// [`Error::Input`] naming the first value that cannot be used.
    pub fn check(&self, origin: &str) -> Result<()> {
        if self.boxes.len() > MOST {
            let found = format!("{} boxes", self.boxes.len());
            return Err(Error::input(
                origin,
                "boxes",
                found,
                format!("give at most {MOST}"),
            ));
        }
        let mut sets: Vec<_> = self
            .boxes
            .iter()
            .filter_map(|cuboid| cuboid.links.as_ref())
            .collect();
        sets.sort();
        sets.dedup();
        if sets.len() > MOST_SETS {
            let found = format!("{} different lists", sets.len());
            return Err(Error::input(
                origin,
                "boxes: links",
                found,
                format!("give at most {MOST_SETS}"),
            ));
        }
        for (i, cuboid) in self.boxes.iter().enumerate() {
            let refuse = |field: &str, found: String, advice: &str| {
                Err(Error::input(
                    origin,
                    format!("boxes[{i}].{field}"),
                    found,
                    advice,
                ))
            };
            let center = cuboid.pose.translation.vector;
            if !center.iter().all(|x| x.abs() <= FARTHEST) {
                return refuse("center", listed(&center), "give metres within 10 km");
            }
            let size = cuboid.half_extents;
            if !size.iter().all(|x| (THINNEST..=FARTHEST).contains(x)) {
                let advice = "give half the lengths of the box's sides, m, each at least 0.005";
                return refuse("half_extents", listed(&size), advice);
            }
            if !cuboid.pose.rotation.coords.iter().all(|x| x.is_finite()) {
                let advice = "give yaw in radians or a quaternion [w, x, y, z] of length 1";
                return refuse("quaternion", "no rotation".into(), advice);
            }
            if let Some(during) = &cuboid.during
                && (!during.start.is_finite() || !during.end.is_finite() || during.is_empty())
            {
                let found = format!("{during:?}");
                return refuse(
                    "during",
                    found,
                    "give [from, to] in seconds, from before to",
                );
            }
        }
        Ok(())
    }

    /// The boxes that the link called `link` can touch.
    pub fn boxes_for(&self, link: &str) -> impl Iterator<Item = &Cuboid> {
        self.boxes.iter().filter(move |cuboid| cuboid.is_for(link))
    }

    /// Height of the ground or the highest box under the point `p`, at `time`, s: m. Boxes that reach higher than it
    /// are not under it.
    pub fn height_under(&self, p: &Vector3<f64>, time: f64) -> f64 {
        let there = self.boxes.iter().filter(|cuboid| cuboid.is_there(time));
        let tops = there.filter_map(|cuboid| cuboid.top_at(p.x, p.y));
        let under = tops.filter(|top| *top <= p.z);
        under.fold(0.0, f64::max)
    }
}

/// The coordinates of a vector, as a file has them.
fn listed(v: &Vector3<f64>) -> String {
    format!("[{}, {}, {}]", v.x, v.y, v.z)
}

impl Cuboid {
    /// Whether it can be touched at `time`, s from the first frame.
    pub fn is_there(&self, time: f64) -> bool {
        self.during
            .as_ref()
            .is_none_or(|during| during.contains(&time))
    }

    /// Whether it is there for a while, or for some links only.
    pub fn is_partial(&self) -> bool {
        self.during.is_some() || self.links.is_some()
    }

    /// Whether the link called `link` can touch it.
    pub fn is_for(&self, link: &str) -> bool {
        let links = self.links.as_ref();
        links.is_none_or(|links| links.iter().any(|name| name == link))
    }

    /// Where a sphere at `center` of `radius`, m, is nearest to its surface. From a centre inside, that is the nearest
    /// of its sides.
    pub fn nearest(&self, center: &Vector3<f64>, radius: f64) -> Nearest {
        let local = self.pose.inverse_transform_point(&(*center).into()).coords;
        let clamped = local.zip_map(&self.half_extents, |x, half| x.clamp(-half, half));
        let away = local - clamped;
        let length = away.norm();
        let (normal, distance) = match length > 0.0 {
            true => (away / length, length),
            false => {
                let depths = self.half_extents - local.abs();
                let side = depths.imin();
                let normal = Vector3::ith(side, if local[side] > 0.0 { 1.0 } else { -1.0 });
                (normal, -depths[side])
            }
        };
        Nearest {
            normal: self.pose.rotation * normal,
            distance: distance - radius,
        }
    }

    /// Height of its uppermost point over (`x`, `y`), m, where the vertical line there goes through it.
    fn top_at(&self, x: f64, y: f64) -> Option<f64> {
        let inverse = self.pose.rotation.inverse();
        let start = inverse * (Vector3::new(x, y, 0.0) - self.pose.translation.vector);
        let up = inverse * Vector3::z();
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        for axis in 0..3 {
            let (from, rate, half) = (start[axis], up[axis], self.half_extents[axis]);
            if rate == 0.0 {
                if from.abs() > half {
                    return None;
                }
                continue;
            }
            let ends = [(-half - from) / rate, (half - from) / rate];
            low = low.max(ends[0].min(ends[1]));
            high = high.min(ends[0].max(ends[1]));
        }
        (low <= high).then_some(high)
    }

    /// Its eight corners, world frame, m: x fastest, then y.
    pub fn corners(&self) -> [Vector3<f64>; 8] {
        std::array::from_fn(|i| {
            let side = |bit: usize| if i >> bit & 1 == 1 { 1.0 } else { -1.0 };
            let sides = Vector3::new(side(0), side(1), side(2));
            let corner = self.half_extents.component_mul(&sides);
            self.pose.transform_point(&corner.into()).coords
        })
    }
}

#[cfg(test)]
mod tests;
