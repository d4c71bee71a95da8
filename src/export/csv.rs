//! A table with one row per frame: time, simulated joints, joint torques, ground reactions.

use nalgebra::Vector3;

use super::Recording;
use crate::error::{Error, Result};
use crate::motion::skeleton::NAMES;

/// The recording as CSV: `time_s`, `<joint>_<x|y|z>_m`, `<link>_torque_<x|y|z>_nm`,
/// `<link>_contact_<x|y|z>_n` (only links that can touch the ground), in the z-up world frame.
///
/// # Errors
/// [`Error::Internal`] when the table cannot be assembled.
pub fn encode(recording: &Recording) -> Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let broken = |e: csv::Error| Error::Internal(format!("motion.csv: {e}"));
    table.write_record(header(recording)).map_err(broken)?;
    for t in 0..recording.trajectory.frames.len() {
        let row = row(recording, t)
            .into_iter()
            .map(|value| format!("{value:.6}"));
        table.write_record(row).map_err(broken)?;
    }
    table
        .into_inner()
        .map_err(|e| Error::Internal(format!("motion.csv: {e}")))
}

fn header(recording: &Recording) -> Vec<String> {
    let links = &recording.body.links;
    let torques = links
        .iter()
        .skip(1)
        .map(|link| (format!("{}_torque", link.name), "nm"));
    let contacts = ground_links(recording).map(|l| (format!("{}_contact", links[l].name), "n"));
    let joints = NAMES.iter().map(|name| (name.to_string(), "m"));
    let columns = joints.chain(torques).chain(contacts);
    std::iter::once("time_s".to_string())
        .chain(
            columns.flat_map(|(name, unit)| {
                ["x", "y", "z"].map(|axis| format!("{name}_{axis}_{unit}"))
            }),
        )
        .collect()
}

fn row(recording: &Recording, t: usize) -> Vec<f64> {
    let frame = &recording.trajectory.frames[t];
    let joints = recording.body.marker_positions(&frame.links);
    let contacts = ground_links(recording).map(|l| {
        let here = frame.contacts.iter().filter(|contact| contact.link == l);
        here.map(|contact| contact.force).sum::<Vector3<f64>>()
    });
    let vectors = joints
        .into_iter()
        .chain(frame.torques.iter().skip(1).copied())
        .chain(contacts);
    std::iter::once(t as f64 / recording.trajectory.fps)
        .chain(vectors.flat_map(|v| [v.x, v.y, v.z]))
        .collect()
}

fn ground_links(recording: &Recording) -> impl Iterator<Item = usize> + '_ {
    let links = recording.body.links.iter().enumerate();
    links
        .filter(|(_, link)| link.shapes.iter().any(|shape| shape.collides))
        .map(|(l, _)| l)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;

    #[test]
    fn every_row_has_the_values_its_header_promises() {
        let recording = fixture::recording();
        let bytes = encode(&recording).unwrap();
        let mut table = csv::Reader::from_reader(bytes.as_slice());
        let header = table.headers().unwrap().clone();
        let rows: Vec<csv::StringRecord> = table.records().map(|row| row.unwrap()).collect();
        assert_eq!(rows.len(), 5);
        let value = |t: usize, name: &str| -> f64 {
            let column = header.iter().position(|column| column == name).unwrap();
            rows[t][column].parse().unwrap()
        };
        assert_eq!(value(3, "time_s"), 0.06);
        assert_eq!(value(3, "right_foot_contact_z_n"), 303.0);
        assert_eq!(value(3, "left_foot_contact_z_n"), 0.0);
        assert_eq!(value(2, "left_leg_torque_x_nm"), 4.0);
        let knee = recording.joints()[4][2].y;
        assert!((value(4, "right_knee_y_m") - knee).abs() < 1e-6);
    }
}
