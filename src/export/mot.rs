//! Ground reactions for OpenSim: a storage file (`.mot`) and the external loads (`.xml`) that point to it.
//!
//! Both are in OpenSim's frame: x forward, y up, z to the right; (x, y, z) here is (x, z, −y) there.

use std::fmt::Write as _;

use nalgebra::Vector3;

use super::forces::FootForces;
use super::npz::{center, force};
use crate::body::Side;
use crate::simulation::Contact;

/// Names of the feet in columns and identifiers, `[right, left]`.
const FEET: [&str; 2] = ["right", "left"];

/// Links of OpenSim's models (gait2392, Rajagopal) that the forces are applied to.
const OPENSIM_BODIES: [&str; 2] = ["calcn_r", "calcn_l"];

/// The forces as a storage file named `name`: force, N, centre of pressure, m (0 in the air), and free moment,
/// N·m, of the right and the left foot, in the ground's frame.
pub fn encode(forces: &FootForces, name: &str) -> String {
    let mut text = format!(
        "{name}\nversion=1\nnRows={}\nnColumns={}\ninDegrees=yes\nendheader\ntime",
        forces.samples.len(),
        1 + 9 * FEET.len()
    );
    for foot in FEET {
        for column in [force_name(foot), point_name(foot), moment_name(foot)] {
            for axis in ["x", "y", "z"] {
                let _ = write!(text, "\t{column}{axis}");
            }
        }
    }
    text.push('\n');
    // Means are over the time that ends at a sample: at the first one nothing has been simulated yet, and zero
    // would be a fall. It has the forces of the second.
    let first = forces.samples.get(1).or(forces.samples.first());
    let samples = first.into_iter().chain(forces.samples.iter().skip(1));
    for (i, sample) in samples.enumerate() {
        let _ = write!(text, "{:.6}", i as f64 / forces.rate);
        for contact in sample {
            for value in columns(contact.as_ref()) {
                let _ = write!(text, "\t{value:.6}");
            }
        }
        text.push('\n');
    }
    text
}

/// The external loads whose forces stand in the storage file `mot`.
pub fn external_loads(name: &str, mot: &str) -> String {
    let loads: String = Side::BOTH.map(|side| external_force(side.index())).concat();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<OpenSimDocument Version=\"40000\">\n\
         \t<ExternalLoads name=\"{name}\">\n\t\t<objects>\n{loads}\t\t</objects>\n\
         \t\t<datafile>{mot}</datafile>\n\t</ExternalLoads>\n</OpenSimDocument>\n",
        name = escaped(name),
        mot = escaped(mot),
    )
}

fn external_force(foot: usize) -> String {
    let name = FEET[foot];
    format!(
        "\t\t\t<ExternalForce name=\"{name}\">\n\
         \t\t\t\t<applied_to_body>{}</applied_to_body>\n\
         \t\t\t\t<force_expressed_in_body>ground</force_expressed_in_body>\n\
         \t\t\t\t<point_expressed_in_body>ground</point_expressed_in_body>\n\
         \t\t\t\t<force_identifier>{}</force_identifier>\n\
         \t\t\t\t<point_identifier>{}</point_identifier>\n\
         \t\t\t\t<torque_identifier>{}</torque_identifier>\n\
         \t\t\t</ExternalForce>\n",
        OPENSIM_BODIES[foot],
        force_name(name),
        point_name(name),
        moment_name(name),
    )
}

fn force_name(foot: &str) -> String {
    format!("ground_force_{foot}_v")
}

fn point_name(foot: &str) -> String {
    format!("ground_force_{foot}_p")
}

fn moment_name(foot: &str) -> String {
    format!("ground_moment_{foot}_m")
}

/// Force, point and free moment in OpenSim's frame.
fn columns(contact: Option<&Contact>) -> Vec<f64> {
    let contact = contact.copied();
    let point = contact.map_or(Vector3::zeros(), |_| center(contact));
    let moment = contact.map_or(0.0, |contact| contact.free_moment);
    [force(contact), point, Vector3::z() * moment]
        .iter()
        .flat_map(|v| [v.x, v.z, -v.y])
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_match_the_header_and_the_identifiers() {
        let wrench = Contact {
            free_moment: 3.0,
            ..Contact::at(
                6,
                Vector3::new(0.4, -0.1, 0.0),
                Vector3::z() * 500.0,
                Vector3::new(20.0, 30.0, 0.0),
            )
        };
        let forces = FootForces {
            rate: 100.0,
            samples: vec![[None, None], [Some(wrench), None]],
        };
        let text = encode(&forces, "walk");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[2], lines[3]), ("nRows=2", "nColumns=19"));
        let header: Vec<&str> = lines[6].split('\t').collect();
        let row: Vec<f64> = lines[8].split('\t').map(|v| v.parse().unwrap()).collect();
        assert_eq!((header.len(), row.len()), (19, 19));
        let value = |name: &str| row[header.iter().position(|h| *h == name).unwrap()];
        assert_eq!(value("time"), 0.01);
        let [first, second] = [7, 8].map(|line| lines[line].split_once('\t').unwrap().1);
        assert_eq!(first, second);
        let right =
            ["vx", "vy", "vz", "px", "pz"].map(|n| value(&format!("ground_force_right_{n}")));
        assert_eq!(right, [20.0, 500.0, -30.0, 0.4, 0.1]);
        assert_eq!(value("ground_moment_right_my"), 3.0);
        let xml = external_loads("a & b", "grf.mot");
        for identifier in [
            "ground_force_left_v",
            "ground_force_left_p",
            "ground_moment_left_m",
        ] {
            assert!(xml.contains(&format!(">{identifier}<")), "{xml}");
            assert!(header.contains(&format!("{identifier}x").as_str()));
        }
        assert!(xml.contains("a &amp; b"));
    }
}
