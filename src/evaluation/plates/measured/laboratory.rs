//! Force plates of a C3D file: from their channels to forces, in the laboratory.
//!
//! Types 1 to 4: <https://www.c3d.org/HTML/Documents/forceplatformtype.htm>.

use nalgebra::{Matrix3, Vector3};

use super::plate::{LOADED, Plate};
use crate::error::{Error, Result};
use crate::motion::files::c3d::{Analog, C3d, ForcePlate};

/// The plates of `file`, m and N, and the times of their samples, s.
///
/// # Errors
/// [`Error::Input`] when it has no plates, or some of another type.
pub fn plates(file: &C3d, origin: &str) -> Result<(Vec<f64>, Vec<Plate>)> {
    let advice = "give a trial with force plates and their channels, or an .npz or .mot of forces";
    let refuse = |field: &str, found: String| Err(Error::input(origin, field, found, advice));
    let channels = file.analog.channels();
    if file.plates.is_empty() || channels == 0 {
        let found = format!("{} and {channels} channels", file.plates.len());
        return refuse("force plates", found);
    }
    let metre = match file.unit.as_str() {
        "m" => 1.0,
        "cm" => 1e-2,
        _ => 1e-3,
    };
    let mut all = Vec::new();
    for (number, plate) in (1..).zip(&file.plates) {
        let needed = if plate.kind == 3 { 8 } else { 6 };
        let is_known =
            matches!(plate.kind, 1..=3) || plate.kind == 4 && plate.calibration.is_some();
        if !is_known {
            return refuse(
                &format!("type of force plate {number}"),
                plate.kind.to_string(),
            );
        }
        if plate.channels.len() < needed || plate.channels.iter().any(|k| *k >= channels) {
            let found = format!("{:?}", plate.channels);
            return refuse(&format!("channels of force plate {number}"), found);
        }
        all.push(Sensor { plate, metre }.read(&file.analog));
    }
    turn_up(&mut all);
    let samples = file.analog.values.len() / channels;
    if samples < 2 || !(file.analog.rate.is_finite() && file.analog.rate > 0.0) {
        let found = format!("{samples} at {} Hz", file.analog.rate);
        return refuse("samples of the force plates", found);
    }
    let time = (0..samples).map(|k| k as f64 / file.analog.rate);
    Ok((time.collect(), all))
}

/// Some systems write what the plate feels, others what the foot feels: the ground pushes upwards.
fn turn_up(plates: &mut [Plate]) {
    let up: f64 = plates
        .iter()
        .flat_map(|plate| &plate.force)
        .map(|force| force.z)
        .sum();
    if up < 0.0 {
        plates
            .iter_mut()
            .flat_map(|plate| &mut plate.force)
            .for_each(|force| *force = -*force);
    }
}

/// A plate, and its unit of length in m.
struct Sensor<'a> {
    plate: &'a ForcePlate,
    metre: f64,
}

impl Sensor<'_> {
    /// Forces and centres of pressure of every sample in the axes of the laboratory.
    fn read(&self, analog: &Analog) -> Plate {
        let corners = self.plate.corners.map(|corner| corner * self.metre);
        let axes = axes(&corners);
        let middle = corners.iter().sum::<Vector3<f64>>() / 4.0;
        let moment = self
            .plate
            .channels
            .get(3)
            .and_then(|k| analog.units.get(*k));
        let metre = match moment {
            Some(unit) if unit.to_lowercase().contains("mm") => 1e-3,
            Some(unit) if unit.to_lowercase().ends_with('m') => 1.0,
            _ => self.metre,
        };
        let (mut force, mut center) = (Vec::new(), Vec::new());
        for row in analog.values.chunks_exact(analog.channels()) {
            let values: Vec<f64> = self.plate.channels.iter().map(|k| row[*k]).collect();
            let (own, pressure) = self.wrench(&values, metre);
            force.push(axes * own);
            let is_loaded = own.z.abs() > LOADED;
            center.push(is_loaded.then(|| middle + axes * pressure));
        }
        Plate {
            force,
            center,
            foot: None,
            corners: Some(corners),
        }
    }

    /// Force, N, and centre of pressure, m, of one sample in the axes of the plate, whose z points down; `metre` is the
    /// unit of length of the moments.
    fn wrench(&self, channels: &[f64], metre: f64) -> (Vector3<f64>, Vector3<f64>) {
        let six = |c: &[f64]| {
            (
                Vector3::new(c[0], c[1], c[2]),
                Vector3::new(c[3], c[4], c[5]),
            )
        };
        let (force, moment) = match (self.plate.kind, &self.plate.calibration) {
            (1, _) => {
                let center = Vector3::new(channels[3], channels[4], 0.0) * self.metre;
                return (Vector3::new(channels[0], channels[1], channels[2]), center);
            }
            (3, _) => return self.of_eight(channels),
            (_, Some(matrix)) => {
                let row = |k: usize| -> f64 {
                    let row = matrix[6 * k..6 * k + 6].iter();
                    row.zip(channels).map(|(a, b)| a * b).sum()
                };
                six(&[0, 1, 2, 3, 4, 5].map(row))
            }
            _ => six(channels),
        };
        // From the sensors' origin, which is below, to the middle of the top.
        let top = self.plate.origin * self.metre;
        let top = if top.z > 0.0 { -top } else { top };
        (
            force,
            pressure(&force, &(moment * metre - top.cross(&force))),
        )
    }

    /// The same of eight forces: fx12, fx34, fy14, fy23, fz1 to fz4.
    fn of_eight(&self, c: &[f64]) -> (Vector3<f64>, Vector3<f64>) {
        let [a, b, depth] = [0, 1, 2].map(|k| self.plate.origin[k].abs() * self.metre);
        let force = Vector3::new(c[0] + c[1], c[2] + c[3], c[4] + c[5] + c[6] + c[7]);
        let moment = Vector3::new(
            b * (c[4] + c[5] - c[6] - c[7]),
            a * (-c[4] + c[5] + c[6] - c[7]),
            0.0,
        );
        let top = Vector3::new(0.0, 0.0, -depth);
        (force, pressure(&force, &(moment - top.cross(&force))))
    }
}

/// Where on the top the force goes through, given the moment about its middle.
fn pressure(force: &Vector3<f64>, moment: &Vector3<f64>) -> Vector3<f64> {
    Vector3::new(-moment.y / force.z, moment.x / force.z, 0.0)
}

/// The axes of a plate by its corners at +x +y, −x +y, −x −y and +x −y, as columns.
fn axes(corners: &[Vector3<f64>; 4]) -> Matrix3<f64> {
    let [a, b, c, d] = corners;
    let x = (a + d - b - c).normalize();
    let z = x.cross(&(a + b - c - d)).normalize();
    Matrix3::from_columns(&[x, z.cross(&x), z])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plate of 600 by 400 mm, whose x is the laboratory's y, and z points down.
    fn plate(kind: usize, origin: [f64; 3]) -> ForcePlate {
        let corner = |x: f64, y: f64| Vector3::new(1000.0 + y, 500.0 + x, 0.0);
        ForcePlate {
            kind,
            corners: [
                corner(300.0, 200.0),
                corner(-300.0, 200.0),
                corner(-300.0, -200.0),
                corner(300.0, -200.0),
            ],
            origin: origin.into(),
            channels: (0..if kind == 3 { 8 } else { 6 }).collect(),
            calibration: (kind == 4).then(|| Matrix6::identity().as_slice().to_vec()),
        }
    }
    type Matrix6 = nalgebra::Matrix6<f64>;

    fn read(plate: &ForcePlate, channels: &[f64]) -> Plate {
        let analog = Analog {
            names: vec![String::new(); channels.len()],
            units: ["N", "N", "N", "Nmm", "Nmm", "Nmm", "N", "N"][..channels.len()]
                .iter()
                .map(|unit| unit.to_string())
                .collect(),
            rate: 1000.0,
            values: channels.to_vec(),
        };
        let metre = 1e-3;
        let mut plates = [Sensor { plate, metre }.read(&analog)];
        turn_up(&mut plates);
        let [plate] = plates;
        plate
    }

    #[test]
    fn every_type_gives_force_and_centre_of_pressure() {
        // 800 N on the plate 100 mm along its x and 50 mm along its y, 30 N along its x; sensors 40 mm below the top.
        let (fx, fz, x, y, depth) = (30.0, 800.0, 100.0, 50.0, 40.0);
        let moment = [y * fz, -depth * fx - x * fz];
        let six = [fx, 0.0, fz, moment[0], moment[1], 0.0];
        let (a, b) = (200.0, 150.0);
        // Such forces of the four legs as have these moments.
        let (p, q) = (moment[0] / b, (moment[1]) / a);
        let fz4 = [fz + p - q, fz + p + q, fz - p + q, fz - p - q].map(|f| f / 4.0);
        let eight = [fx, 0.0, 0.0, 0.0, fz4[0], fz4[1], fz4[2], fz4[3]];
        let cases: [(ForcePlate, &[f64]); 5] = [
            (plate(1, [0.0; 3]), &[fx, 0.0, fz, x, y, 0.0]),
            (plate(2, [0.0, 0.0, -depth]), &six),
            (plate(2, [0.0, 0.0, depth]), &six),
            (plate(4, [0.0, 0.0, -depth]), &six),
            (plate(3, [a, b, -depth]), &eight),
        ];
        for (plate, channels) in cases {
            for sign in [1.0, -1.0] {
                let is_place = |k: usize| plate.kind == 1 && k > 2;
                let channels = channels.iter().enumerate();
                let channels = channels.map(|(k, v)| if is_place(k) { *v } else { sign * v });
                let found = read(&plate, &channels.collect::<Vec<f64>>());
                let push = Vector3::new(0.0, -fx, fz);
                // The plate's axes are turned: x is y, y is x, z is down.
                assert!((found.force[0] - push).norm() < 1e-9, "{:?}", found.force);
                let center = found.center[0].unwrap();
                let expected = Vector3::new(1.05, 0.6, 0.0);
                assert!((center - expected).norm() < 1e-9, "{} {center}", plate.kind);
            }
        }
    }

    #[test]
    fn what_is_no_plate_is_refused() {
        let mut file = C3d {
            names: Vec::new(),
            points: Vec::new(),
            frames: 0,
            fps: 100.0,
            unit: "mm".into(),
            analog: Analog::default(),
            plates: Vec::new(),
            subject: crate::motion::Subject::default(),
            notes: Vec::new(),
        };
        let told = |file: &C3d| plates(file, "x.c3d").err().unwrap().to_string();
        assert!(told(&file).contains("force plates: found 0 and 0 channels"));
        file.analog.names = vec![String::new(); 6];
        file.plates = vec![plate(7, [0.0; 3])];
        assert!(told(&file).contains("type of force plate 1: found 7"));
        file.plates = vec![plate(3, [0.0; 3])];
        assert!(told(&file).contains("channels of force plate 1"));
        file.plates = vec![plate(2, [0.0; 3])];
        file.analog.values = vec![0.0; 12];
        let expected = "samples of the force plates: found 2 at 0 Hz";
        assert!(told(&file).contains(expected), "{}", told(&file));
    }
}
