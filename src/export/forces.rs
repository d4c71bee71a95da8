//! What the ground does to the feet, sampled at a rate of choice.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use nalgebra::Vector3;
use ndarray::{Array0, Array2, Array3, arr0};
use ndarray_npy::{NpzReader, NpzWriter, WriteNpzError};

use super::Recording;
use super::npz::{center, force, ground_reactions};
use crate::error::{Error, Result};
use crate::simulation::Contact;

/// The name of the file in a run's directory.
pub const FILE: &str = "forces.npz";

/// Wrenches of the ground on the feet.
pub struct FootForces {
    /// Samples per second, Hz.
    pub rate: f64,
    /// The wrench on the `[right, left]` foot, averaged over the sample's time, which ends at `i / rate`.
    pub samples: Vec<[Option<Contact>; 2]>,
}

impl FootForces {
    /// Of every frame of `recording`.
    pub fn of_frames(recording: &Recording) -> Self {
        let frames = recording.trajectory.frames.iter();
        Self {
            rate: recording.trajectory.fps,
            samples: frames
                .map(|frame| ground_reactions(&recording.body, &frame.contacts))
                .collect(),
        }
    }

    /// Means over 1/`rate` s of the simulation steps of `recording`.
    ///
    /// # Errors
    /// [`Error::Input`] when the simulation's steps were not recorded, or are longer than that.
    pub fn at_rate(recording: &Recording, rate: f64) -> Result<Self> {
        let frames = &recording.trajectory.frames;
        let per_frame = frames.get(1).map_or(0, |frame| frame.steps.len());
        let step_rate = recording.trajectory.fps * per_frame as f64;
        if per_frame == 0 || !(rate > 0.0 && rate <= step_rate) {
            let advice = format!("give at most the simulation's {step_rate} Hz");
            return Err(Error::input(
                "the command line",
                "--force-rate",
                rate,
                advice,
            ));
        }
        let steps: Vec<_> = frames
            .iter()
            .skip(1)
            .flat_map(|frame| &frame.steps)
            .map(|contacts| ground_reactions(&recording.body, contacts))
            .collect();
        let count = (steps.len() as f64 * rate / step_rate).floor() as usize;
        let sample = |i: usize| [0, 1].map(|foot| mean(&steps, foot, i, step_rate / rate));
        Ok(Self {
            rate,
            samples: std::iter::once([None, None])
                .chain((0..count).map(sample))
                .collect(),
        })
    }
}

/// The forces as an `.npz` archive: `rate` (), Hz; `forces` (N, 2, 3), N, `points` (N, 2, 3), m, NaN in the air,
/// and `free_moments` (N, 2), N·m, of the `[right, left]` foot, z up.
///
/// # Errors
/// [`Error::Internal`] when the archive cannot be assembled.
pub fn encode(forces: &FootForces) -> Result<Vec<u8>> {
    let failed = |e: WriteNpzError| Error::Internal(format!("{FILE}: {e}"));
    let samples = &forces.samples;
    let vectors = |part: fn(Option<Contact>) -> Vector3<f64>| {
        Array3::from_shape_fn((samples.len(), 2, 3), |(i, foot, axis)| {
            part(samples[i][foot])[axis]
        })
    };
    let moments = Array2::from_shape_fn((samples.len(), 2), |(i, foot)| {
        samples[i][foot].map_or(0.0, |contact| contact.free_moment)
    });
    let mut npz = NpzWriter::new_compressed(Cursor::new(Vec::new()));
    npz.add_array("rate", &arr0(forces.rate)).map_err(failed)?;
    npz.add_array("forces", &vectors(force)).map_err(failed)?;
    npz.add_array("points", &vectors(center)).map_err(failed)?;
    npz.add_array("free_moments", &moments).map_err(failed)?;
    Ok(npz.finish().map_err(failed)?.into_inner())
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// [`Error::Input`] for another file.
pub fn read(path: &Path) -> Result<FootForces> {
    let unusable = |e: &dyn std::fmt::Display| {
        Error::input(path.display(), "forces", e, "run the reconstruction again")
    };
    let file = File::open(path).map_err(|e| unusable(&e))?;
    let mut npz = NpzReader::new(file).map_err(|e| unusable(&e))?;
    let rate: Array0<f64> = npz.by_name("rate").map_err(|e| unusable(&e))?;
    let forces: Array3<f64> = npz.by_name("forces").map_err(|e| unusable(&e))?;
    let points: Array3<f64> = npz.by_name("points").map_err(|e| unusable(&e))?;
    let moments: Array2<f64> = npz.by_name("free_moments").map_err(|e| unusable(&e))?;
    let count = forces.dim().0;
    if [forces.dim(), points.dim()] != [(count, 2, 3); 2] || moments.dim() != (count, 2) {
        return Err(unusable(&format!("shape {:?}", forces.shape())));
    }
    let vector = |array: &Array3<f64>, i, foot| {
        Vector3::new(
            array[[i, foot, 0]],
            array[[i, foot, 1]],
            array[[i, foot, 2]],
        )
    };
    let contact = |i: usize, foot: usize| {
        let force = vector(&forces, i, foot);
        (force != Vector3::zeros()).then(|| Contact {
            link: foot,
            point: vector(&points, i, foot),
            force,
            normal: Vector3::z() * force.z,
            free_moment: moments[[i, foot]],
        })
    };
    Ok(FootForces {
        rate: rate[()],
        samples: (0..count)
            .map(|i| [0, 1].map(|foot| contact(i, foot)))
            .collect(),
    })
}

/// The mean wrench on `foot` over the `i`-th stretch of `length` steps, shares of steps counted as such.
fn mean(steps: &[[Option<Contact>; 2]], foot: usize, i: usize, length: f64) -> Option<Contact> {
    let (from, to) = (i as f64 * length, (i + 1) as f64 * length);
    let first = from.floor() as usize;
    let last = (to.ceil() as usize).min(steps.len());
    let scaled: Vec<Contact> = (first..last)
        .filter_map(|step| {
            let (start, end) = (from.max(step as f64), to.min(step as f64 + 1.0));
            Some(steps[step][foot]?.scaled((end - start).max(0.0) / length))
        })
        .collect();
    Contact::total(&scaled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Side;
    use crate::export::fixture;

    #[test]
    fn forces_at_any_rate_have_the_impulse_of_the_steps() {
        let mut recording = fixture::recording();
        let links = recording.body.links.iter();
        let foot = links
            .clone()
            .position(|link| link.foot == Some(Side::Left))
            .unwrap();
        let mut impulse = 0.0;
        for (t, frame) in recording.trajectory.frames.iter_mut().enumerate() {
            frame.steps = (0..4)
                .map(|n| {
                    let force = (100 * t + 10 * n) as f64;
                    if t > 0 {
                        impulse += force / 200.0;
                    }
                    let place = Vector3::new(0.01 * n as f64, 0.0, 0.0);
                    vec![Contact::at(
                        foot,
                        place,
                        Vector3::z() * force,
                        Vector3::zeros(),
                    )]
                })
                .collect();
        }
        recording.trajectory.fps = 50.0;
        let count = recording.trajectory.frames.len() - 1;
        for rate in [50.0, 100.0, 200.0] {
            let forces = FootForces::at_rate(&recording, rate).unwrap();
            assert_eq!(forces.samples.len(), 1 + count * (rate / 50.0) as usize);
            let vertical = |[right, left]: &[Option<Contact>; 2]| {
                assert!(right.is_none());
                left.map_or(0.0, |contact| contact.force.z)
            };
            let sum: f64 = forces.samples.iter().map(vertical).sum();
            assert!((sum / rate - impulse).abs() < 1e-9, "{rate}: {sum}");
        }
        let error = FootForces::at_rate(&recording, 500.0).err().unwrap();
        assert!(error.to_string().contains("200 Hz"), "{error}");
    }
}
