//! Force plates of a C3D file.

use nalgebra::Vector3;

use super::section::Section;

/// A force plate.
#[derive(Clone, Debug, PartialEq)]
pub struct ForcePlate {
    /// Its type: 1 (forces, centre of pressure, free moment), 2 (forces and moments), 3 (eight forces),
    /// 4 (2 with a matrix).
    pub kind: usize,
    /// Corners of its top, in the file's unit and the axes of the laboratory: at +x +y, −x +y, −x −y and
    /// +x −y of the plate.
    pub corners: [Vector3<f64>; 4],
    /// From the middle of its top to the origin of its sensors (types 2 and 4) in the plate's axes, in
    /// the file's unit. Its sign differs between systems.
    pub origin: Vector3<f64>,
    /// Indices of its analog channels, from 0.
    pub channels: Vec<usize>,
    /// The matrix by which its channels become forces and moments, row by row; only of type 4.
    pub calibration: Option<Vec<f64>>,
}

/// Every plate of a file.
pub fn all(section: &Section) -> Vec<ForcePlate> {
    let used = section.number("FORCE_PLATFORM", "USED").unwrap_or(0.0);
    (0..used.clamp(0.0, 255.0) as usize)
        .filter_map(|plate| one(section, plate))
        .collect()
}

/// The plate with the index `plate`; `None` where something of it is missing.
fn one(section: &Section, plate: usize) -> Option<ForcePlate> {
    let get = |name: &str| section.get("FORCE_PLATFORM", name);
    let corners = get("CORNERS")?.values.get(12 * plate..12 * plate + 12)?;
    let origin = get("ORIGIN")?.values.get(3 * plate..3 * plate + 3)?;
    let channel = get("CHANNEL")?;
    let rows = *channel.shape.first()?;
    let channels = channel
        .counts()
        .get(rows * plate..rows * plate + rows)?
        .to_vec();
    let kind = *get("TYPE")?.counts().get(plate)?;
    Some(ForcePlate {
        kind,
        corners: std::array::from_fn(|k| Vector3::from_column_slice(&corners[3 * k..3 * k + 3])),
        origin: Vector3::from_column_slice(origin),
        channels: channels.iter().filter_map(|k| k.checked_sub(1)).collect(),
        calibration: (kind == 4)
            .then(|| calibration(section, plate, rows))
            .flatten(),
    })
}

/// The square matrix of a plate, which the file has column by column.
fn calibration(section: &Section, plate: usize, rows: usize) -> Option<Vec<f64>> {
    let size = rows * rows;
    let all = &section.get("FORCE_PLATFORM", "CAL_MATRIX")?.values;
    let columns = all.get(size * plate..size * (plate + 1))?;
    let transposed = (0..size).map(|k| columns[k % rows * rows + k / rows]);
    Some(transposed.collect())
}
