//! Scenes as JSON. Instead of `yaw` there may be a `quaternion` `[w, x, y, z]`. Points of hulls, and meshes, are in a frame
//! that is at the origin unless `center`, `yaw` or `quaternion` place it; `scale` and `up` say what a mesh is before. Paths
//! of meshes start at the scene's folder.

use std::path::{Path, PathBuf};

use nalgebra::{Isometry3, Quaternion, Translation3, UnitQuaternion, Vector3};
use serde::{Deserialize, Serialize};

use super::mesh::{self, Placement};
use super::{Hull, Scene, Shape, Solid};
use crate::error::{Error, Result};
use crate::json;

/// Length below which a quaternion has no direction.
const NO_LENGTH: f64 = 1e-6;

/// What a scene file has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    boxes: Vec<Entry>,
    #[serde(default)]
    hulls: Vec<Entry>,
    #[serde(default)]
    meshes: Vec<Entry>,
}

/// A scene without meshes, which are hulls once they are read.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    #[serde(default)]
    boxes: Vec<Entry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hulls: Vec<Entry>,
}

/// A solid or a mesh: what its list does not have is refused by [`Entry::only`].
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    /// Metres per unit of a mesh.
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<f64>,
    /// The axis of a mesh that points up: z, y, x, -y, …
    #[serde(skip_serializing_if = "Option::is_none")]
    up: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    center: Option<[f64; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    half_extents: Option<[f64; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<Vec<[f64; 3]>>,
    /// About z, rad.
    #[serde(skip_serializing_if = "Option::is_none")]
    yaw: Option<f64>,
    /// w, x, y, z
    #[serde(skip_serializing_if = "Option::is_none")]
    quaternion: Option<[f64; 4]>,
    /// From and to, s.
    #[serde(skip_serializing_if = "Option::is_none")]
    during: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Vec<String>>,
}

/// Fields that some lists have and others have not.
const FIELDS: [&str; 5] = ["half_extents", "points", "file", "scale", "up"];

/// What an entry has that cannot be used: the field, what is found there, and what to do.
struct Refusal {
    field: String,
    found: String,
    advice: &'static str,
}

impl Refusal {
    fn new(field: &str, found: impl Into<String>, advice: &'static str) -> Self {
        Self {
            field: field.to_string(),
            found: found.into(),
            advice,
        }
    }

    /// Of the entry `i` of `list`.
    fn of(mut self, list: &str, i: usize) -> Self {
        self.field = format!("{list}[{i}].{}", self.field);
        self
    }
}

impl File {
    /// The scene of the file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`] when it or a mesh cannot be read, [`Error::Input`] naming what cannot be used.
    pub(super) fn read(path: &Path) -> Result<Scene> {
        let origin = path.display().to_string();
        let file: Self = json::read(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let refused = |Refusal {
                           field,
                           found,
                           advice,
                       }| Error::input(&origin, field, found, advice);
        let document = Document {
            boxes: file.boxes,
            hulls: file.hulls,
        };
        let mut scene = document.scene().map_err(&refused)?;
        for (i, entry) in file.meshes.into_iter().enumerate() {
            let placed = entry
                .placement()
                .map_err(|refusal| refused(refusal.of("meshes", i)))?;
            let (file, placement) = placed;
            let solids = mesh::solids(&folder.join(file), &placement)?;
            scene
                .solids
                .extend(solids.into_iter().map(|solid| entry.clone().about(solid)));
        }
        Ok(scene)
    }
}

impl Document {
    fn scene(self) -> std::result::Result<Scene, Refusal> {
        let of = |list: &'static str, make: fn(Entry) -> std::result::Result<Solid, Refusal>| {
            move |(i, entry)| make(entry).map_err(|refusal: Refusal| refusal.of(list, i))
        };
        let boxes = self
            .boxes
            .into_iter()
            .enumerate()
            .map(of("boxes", Entry::cuboid));
        let hulls = self
            .hulls
            .into_iter()
            .enumerate()
            .map(of("hulls", Entry::hull));
        let solids = boxes.chain(hulls).collect::<std::result::Result<_, _>>()?;
        Ok(Scene { solids })
    }
}

impl TryFrom<Document> for Scene {
    type Error = String;

    fn try_from(document: Document) -> std::result::Result<Self, String> {
        document.scene().map_err(
            |Refusal {
                 field,
                 found,
                 advice,
             }| format!("{field}: {found}, expected {advice}"),
        )
    }
}

impl From<Scene> for Document {
    fn from(scene: Scene) -> Self {
        let of = |list: &str| {
            let solids = scene
                .solids
                .iter()
                .filter(|solid| solid.shape.kind() == list);
            solids.cloned().map(Entry::from).collect()
        };
        Self {
            boxes: of("boxes"),
            hulls: of("hulls"),
        }
    }
}

impl Entry {
    /// Refuses the fields of other lists than the one whose own ones are `wanted`.
    fn only(&self, wanted: &[&str]) -> std::result::Result<(), Refusal> {
        let given = [
            self.half_extents.is_some(),
            self.points.is_some(),
            self.file.is_some(),
            self.scale.is_some(),
            self.up.is_some(),
        ];
        let foreign = FIELDS
            .iter()
            .zip(given)
            .find(|(field, given)| *given && !wanted.contains(field));
        match foreign {
            Some((field, _)) => {
                let advice =
                    "half_extents for boxes, points for hulls, file, scale and up for meshes";
                Err(Refusal::new(field, "a field of another list", advice))
            }
            None => Ok(()),
        }
    }

    fn cuboid(self) -> std::result::Result<Solid, Refusal> {
        self.only(&["half_extents"])?;
        let advice = "center and half_extents of a box, each [x, y, z], m";
        let missing = |field| move || Refusal::new(field, "nothing", advice);
        let half = self.half_extents.ok_or_else(missing("half_extents"))?;
        self.center.ok_or_else(missing("center"))?;
        Ok(self.solid(Shape::Box(half.into())))
    }

    fn hull(mut self) -> std::result::Result<Solid, Refusal> {
        self.only(&["points"])?;
        let points = self.points.take().unwrap_or_default();
        let points: Vec<_> = points.into_iter().map(Vector3::from).collect();
        let advice = "at least four points [x, y, z], m, that are not in one plane";
        let hull = Hull::new(&points)
            .map_err(|unfit| Refusal::new("points", unfit.to_string(), advice))?;
        Ok(self.solid(Shape::Hull(hull)))
    }

    /// The file of a mesh and where it is.
    fn placement(&self) -> std::result::Result<(PathBuf, Placement), Refusal> {
        self.only(&["file", "scale", "up"])?;
        let advice = "the path of a mesh, .obj, .glb or .gltf";
        let file = self
            .file
            .clone()
            .ok_or_else(|| Refusal::new("file", "nothing", advice))?;
        let scale = self.scale.unwrap_or(1.0);
        if !(scale.is_finite() && scale > 0.0) {
            return Err(Refusal::new(
                "scale",
                scale.to_string(),
                "metres per unit of the file",
            ));
        }
        let up = self.up.as_deref().map(|up| {
            up.parse().map_err(|_| {
                Refusal::new(
                    "up",
                    up,
                    "the axis of the file that points up: z, y, x, -z, -y or -x",
                )
            })
        });
        let placement = Placement {
            scale,
            up: up.transpose()?,
            pose: self.pose(),
        };
        if !placement.pose.rotation.coords.iter().all(|x| x.is_finite()) {
            let advice = "yaw in radians or a quaternion [w, x, y, z] of length 1";
            return Err(Refusal::new("quaternion", "no rotation", advice));
        }
        Ok((file, placement))
    }

    /// World ← its frame.
    fn pose(&self) -> Isometry3<f64> {
        let rotation = match self.quaternion {
            // A quaternion without direction makes a rotation that `Solid::check` refuses.
            Some([w, x, y, z]) => {
                let quaternion = Quaternion::new(w, x, y, z);
                let norm = quaternion.norm();
                let scale = if norm > NO_LENGTH { norm } else { f64::NAN };
                UnitQuaternion::new_unchecked(quaternion / scale)
            }
            None => UnitQuaternion::from_axis_angle(&Vector3::z_axis(), self.yaw.unwrap_or(0.0)),
        };
        let center = Vector3::from(self.center.unwrap_or_default());
        Isometry3::from_parts(Translation3::from(center), rotation)
    }

    /// The solid of a `shape` that it places.
    fn solid(self, shape: Shape) -> Solid {
        let pose = self.pose();
        self.about(Solid {
            name: None,
            shape,
            pose,
            during: None,
            links: None,
        })
    }

    /// `solid`, called and touchable as it says.
    fn about(self, solid: Solid) -> Solid {
        Solid {
            name: self.name.or(solid.name),
            during: self.during.map(|[from, to]| from..to),
            links: self.links,
            ..solid
        }
    }
}

impl From<Solid> for Entry {
    fn from(solid: Solid) -> Self {
        let rotation = solid.pose.rotation;
        let (half_extents, points) = match &solid.shape {
            Shape::Box(half) => (Some((*half).into()), None),
            Shape::Hull(hull) => (
                None,
                Some(hull.points().iter().map(|p| (*p).into()).collect()),
            ),
        };
        Self {
            name: solid.name,
            center: Some(solid.pose.translation.vector.into()),
            half_extents,
            points,
            quaternion: Some([rotation.w, rotation.i, rotation.j, rotation.k]),
            during: solid.during.map(|during| [during.start, during.end]),
            links: solid.links,
            ..Self::default()
        }
    }
}
