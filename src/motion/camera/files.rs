//! Camera files: our JSON, AIST++ settings, and the arrays K, R, t of an `.npz` archive.

use std::path::Path;
use std::str::FromStr;

use nalgebra::{DMatrix, Matrix3, Quaternion, Rotation3, UnitQuaternion, Vector2, Vector3};
use serde::Deserialize;

use super::{Camera, Distortion};
use crate::error::{Error, Result};
use crate::json::read_text;
use crate::motion::calibration::{Axis, Unit};
use crate::motion::files::Archive;

/// How far from the world's origin a camera may stand without being taken for one in centimetres, m.
const FARTHEST: f64 = 50.0;

/// Lengths of a quaternion that was meant to have the length 1.
const UNIT_LENGTHS: std::ops::RangeInclusive<f64> = 0.5..=2.0;

/// A camera as it stands in a JSON file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCamera {
    name: Option<String>,
    /// Width and height, px.
    size: [f64; 2],
    /// Intrinsic matrix K, or `focal` and `center`.
    matrix: Option<[[f64; 3]; 3]>,
    focal: Option<[f64; 2]>,
    center: Option<[f64; 2]>,
    /// k1 k2 p1 p2 k3 (OpenCV).
    distortions: Option<Vec<f64>>,
    /// k1 k2 k3 and (p_x, p_y) (Human3.6M).
    h36m_radial: Option<[f64; 3]>,
    h36m_tangential: Option<[f64; 2]>,
    /// Camera ← world: a rotation vector, or the rows of a matrix.
    rotation: Option<RawRotation>,
    /// World ← camera as a quaternion w, x, y, z (Human3.6M).
    orientation_wxyz: Option<[f64; 4]>,
    /// The world's origin in camera coordinates, or where the camera stands in the world.
    translation: Option<[f64; 3]>,
    position: Option<[f64; 3]>,
    units: Option<String>,
    up: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RawRotation {
    Vector([f64; 3]),
    Rows([[f64; 3]; 3]),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RawFile {
    List(Vec<serde_json::Value>),
    Named { cameras: Vec<serde_json::Value> },
    One(serde_json::Value),
}

/// Reads the cameras of `path`, in a world with z up, in metres.
///
/// A `.json` file holds one camera, a list, or `{"cameras": [...]}`. A camera has `size`; `matrix`
/// (3×3) or `focal` and `center`; perhaps `distortions` (k1 k2 p1 p2 k3, OpenCV) or `h36m_radial`
/// and `h36m_tangential`; `rotation` (rotation vector or 3×3, camera ← world) or `orientation_wxyz`
/// (world ← camera); `translation` (in camera coordinates) or `position` (in the world); perhaps
/// `name`, `units` (m, cm, mm; metres unless given) and `up` (z unless given). The settings of
/// AIST++ are such lists, recognized by rotation vectors, distortions and translations of more than
/// 50 units together: cm, y up.
///
/// An `.npz` archive holds K (3,3), R (3,3), t (3) and size (2), metres, z up.
///
/// # Errors
/// For files that are missing or not as above, naming the camera and the field.
pub fn read_cameras(path: &Path) -> Result<Vec<Camera>> {
    let origin = path.display().to_string();
    if path.extension().is_some_and(|e| e == "npz") {
        return Ok(vec![from_archive(path)?]);
    }
    let text = read_text(path)?;
    let broken = |e: serde_json::Error| {
        Error::input(&origin, "JSON", e, "give a camera file (motionfit --help)")
    };
    let cameras = match serde_json::from_str(&text).map_err(broken)? {
        RawFile::List(cameras) | RawFile::Named { cameras } => cameras,
        RawFile::One(camera) => vec![camera],
    };
    if cameras.is_empty() {
        let advice = "give at least one camera";
        return Err(Error::input(&origin, "cameras", "none", advice));
    }
    let numbered = cameras.into_iter().enumerate();
    numbered
        .map(|(k, value)| {
            let origin = format!("{origin}: camera {k}");
            let advice =
                "give size, matrix or focal and center, rotation, translation (docs/cameras.md)";
            let raw: RawCamera = serde_json::from_value(value)
                .map_err(|e| Error::input(&origin, "fields", e, advice))?;
            camera(raw, &format!("camera{k}"), &origin)
        })
        .collect()
}

fn camera(raw: RawCamera, name: &str, origin: &str) -> Result<Camera> {
    let missing = |field: &str, advice: &str| Error::input(origin, field, "nothing", advice);
    let (focal, center) = match (raw.matrix, raw.focal, raw.center) {
        (Some(k), None, None) => ([k[0][0], k[1][1]], [k[0][2], k[1][2]]),
        (None, Some(focal), center) => (focal, center.unwrap_or(raw.size.map(|s| s / 2.0))),
        _ => return Err(missing("matrix", "give either matrix or focal and center")),
    };
    // AIST++ gives centimetres with y up and says so nowhere; no camera in metres is so far away.
    let is_far = |t: [f64; 3]| Vector3::from(t).norm() > FARTHEST;
    let is_aist = matches!(raw.rotation, Some(RawRotation::Vector(_)))
        && raw.distortions.is_some()
        && raw.matrix.is_some()
        && raw.translation.is_some_and(is_far);
    let unit = match raw.units {
        Some(unit) => parsed(&unit, "units", origin)?,
        None if is_aist => Unit::Centimetre,
        None => Unit::Metre,
    };
    let up = match raw.up {
        Some(up) => parsed(&up, "up", origin)?,
        None if is_aist => Axis::Y,
        None => Axis::Z,
    };
    let rotation = match (raw.rotation, raw.orientation_wxyz) {
        (Some(RawRotation::Vector(v)), None) => Rotation3::new(Vector3::from(v)),
        (Some(RawRotation::Rows(rows)), None) => {
            rotation(Matrix3::from_fn(|i, j| rows[i][j]), origin)?
        }
        (None, Some(wxyz)) => orientation(wxyz, origin)?.inverse(),
        _ => {
            let advice = "give either rotation or orientation_wxyz";
            return Err(missing("rotation", advice));
        }
    };
    let translation = match (raw.translation, raw.position) {
        (Some(t), None) => Vector3::from(t),
        (None, Some(position)) => -(rotation * Vector3::from(position)),
        _ => {
            let advice = "give either translation or position";
            return Err(missing("translation", advice));
        }
    };
    let camera = Camera {
        name: raw.name.unwrap_or_else(|| name.into()),
        size: raw.size,
        focal: Vector2::from(focal),
        center: Vector2::from(center),
        distortion: distortion(
            raw.distortions,
            raw.h36m_radial,
            raw.h36m_tangential,
            origin,
        )?,
        rotation,
        translation: translation * unit.metres(),
    };
    check(&camera, origin)?;
    Ok(camera.moved(&turn_of(up), 0.0))
}

/// What the text of `field` stands for.
fn parsed<T: FromStr<Err = Error>>(text: &str, field: &str, origin: &str) -> Result<T> {
    text.parse().map_err(|error| match error {
        Error::Input { found, advice, .. } => Error::input(origin, field, found, advice),
        other => other,
    })
}

/// The rotation that brings a world with `up` to z up.
fn turn_of(up: Axis) -> Rotation3<f64> {
    let columns = [Vector3::x(), Vector3::y(), Vector3::z()].map(|e| up.to_z_up(e));
    Rotation3::from_matrix_unchecked(Matrix3::from_columns(&columns))
}

fn distortion(
    opencv: Option<Vec<f64>>,
    radial: Option<[f64; 3]>,
    tangential: Option<[f64; 2]>,
    origin: &str,
) -> Result<Distortion> {
    match (opencv.as_deref(), radial, tangential) {
        (None, None, None) => Ok(Distortion::None),
        (Some([k1, k2, p1, p2, k3]), None, None) => Ok(Distortion::OpenCv {
            radial: [*k1, *k2, *k3],
            tangential: [*p1, *p2],
        }),
        (Some([k1, k2, p1, p2]), None, None) => Ok(Distortion::OpenCv {
            radial: [*k1, *k2, 0.0],
            tangential: [*p1, *p2],
        }),
        (None, Some(radial), tangential) => Ok(Distortion::Human36m {
            radial,
            tangential: tangential.unwrap_or_default(),
        }),
        (Some(other), None, None) => {
            let found = format!("{} numbers", other.len());
            let advice = "give the five of OpenCV: k1 k2 p1 p2 k3";
            Err(Error::input(origin, "distortions", found, advice))
        }
        _ => {
            let advice = "give distortions or h36m_radial and h36m_tangential";
            Err(Error::input(origin, "distortions", "two models", advice))
        }
    }
}

/// World ← camera.
fn orientation([w, x, y, z]: [f64; 4], origin: &str) -> Result<Rotation3<f64>> {
    let quaternion = Quaternion::new(w, x, y, z);
    if !UNIT_LENGTHS.contains(&quaternion.norm()) {
        let found = format!("({w}, {x}, {y}, {z})");
        let advice = "give a unit quaternion w, x, y, z that turns camera axes into world axes";
        return Err(Error::input(origin, "orientation_wxyz", found, advice));
    }
    Ok(UnitQuaternion::from_quaternion(quaternion).to_rotation_matrix())
}

fn rotation(matrix: Matrix3<f64>, origin: &str) -> Result<Rotation3<f64>> {
    let skew = (matrix * matrix.transpose() - Matrix3::identity()).norm();
    if !(skew < 1e-3 && matrix.determinant() > 0.0) {
        let found = format!(
            "a matrix with determinant {:.3}, {skew:.3} off orthogonal",
            matrix.determinant()
        );
        let advice = "give the rotation from world to camera axes (x right, y down, z forward)";
        return Err(Error::input(origin, "rotation", found, advice));
    }
    Ok(Rotation3::from_matrix(&matrix))
}

fn check(camera: &Camera, origin: &str) -> Result<()> {
    let refuse =
        |field: &str, found: String, advice: &str| Err(Error::input(origin, field, found, advice));
    let [width, height] = camera.size;
    if !(width >= 1.0 && height >= 1.0 && width.max(height) <= 1e5) {
        let found = format!("{width} × {height}");
        return refuse("size", found, "give width and height in pixels");
    }
    let focal = camera.focal;
    if !focal
        .iter()
        .all(|f| (0.05 * width..100.0 * width).contains(f))
    {
        let found = format!("{} and {} px", focal.x, focal.y);
        let advice = "give the focal lengths in pixels, of the order of the image width";
        return refuse("focal", found, advice);
    }
    let center = camera.center;
    let inside = (0.0..=width).contains(&center.x) && (0.0..=height).contains(&center.y);
    if !inside {
        let found = format!("({}, {})", center.x, center.y);
        return refuse(
            "center",
            found,
            "give the principal point in pixels, inside the image",
        );
    }
    if !camera
        .translation
        .iter()
        .all(|x| x.is_finite() && x.abs() < 1e3)
    {
        let found = format!("{:?} m", camera.translation.as_slice());
        return refuse("translation", found, "check units (m, cm or mm)");
    }
    Ok(())
}

fn from_archive(path: &Path) -> Result<Camera> {
    let origin = path.display().to_string();
    let mut archive = Archive::open(path)?;
    let mut matrix = |name: &str, rows: usize, columns: usize| -> Result<DMatrix<f64>> {
        let array = archive.array(name)?;
        let count: usize = array.shape.iter().product();
        if count != rows * columns {
            let found = format!("{:?}", array.shape);
            let advice = "a camera archive has K (3, 3), R (3, 3), t (3), size (2)";
            return Err(Error::input(&origin, name, found, advice));
        }
        Ok(DMatrix::from_row_slice(rows, columns, &array.values))
    };
    let (k, r) = (matrix("K", 3, 3)?, matrix("R", 3, 3)?);
    let (t, size) = (matrix("t", 3, 1)?, matrix("size", 2, 1)?);
    let camera = Camera {
        name: "camera".into(),
        size: [size[0], size[1]],
        focal: Vector2::new(k[(0, 0)], k[(1, 1)]),
        center: Vector2::new(k[(0, 2)], k[(1, 2)]),
        distortion: Distortion::None,
        rotation: rotation(r.fixed_view::<3, 3>(0, 0).into(), &origin)?,
        translation: Vector3::new(t[0], t[1], t[2]),
    };
    check(&camera, &origin)?;
    Ok(camera)
}

#[cfg(test)]
mod tests;
