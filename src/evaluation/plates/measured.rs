//! What force plates measured.

mod archive;
mod file;
mod laboratory;
mod plate;
mod steps;
mod storage;

use nalgebra::Vector3;

use crate::simulation::Push;
pub use file::{Place, PlateFile};

/// Share of an interval in which a foot has to be measured; less is rounding.
const WHOLE: f64 = 1.0 - 1e-6;

/// Records of force plates, foot by foot.
#[derive(Clone, Debug, PartialEq)]
pub struct ForcePlates {
    /// The file they were read from.
    pub(super) origin: String,
    /// Times, s, rising; 0 is the first frame of the motion.
    time: Vec<f64>,
    /// Forces on the `[right, left]` foot, z up, N.
    force: Vec<[Vector3<f64>; 2]>,
    /// Their centres of pressure, m; none in the air.
    center: Vec<[Option<Vector3<f64>>; 2]>,
    /// Whether the plates measure the whole load of the `[right, left]` foot.
    valid: Vec<[bool; 2]>,
}

impl ForcePlates {
    /// The means for the feet `[right, left]` over the interval that ends at each of `count` frames, the first of which
    /// is `offset` s after the beginning of the record; none where a foot is not measured throughout, nor before the
    /// first frame, where nothing is simulated.
    pub fn frames(&self, fps: f64, count: usize, offset: f64) -> Vec<[Option<Push>; 2]> {
        let at = |t: usize| {
            let end = offset + t as f64 / fps;
            [0, 1].map(|foot| {
                self.interval(foot, [end - 1.0 / fps, end])
                    .filter(|_| t > 0)
            })
        };
        (0..count).map(at).collect()
    }

    /// The means for `foot` between two times, s, that of the centre of pressure weighted by the vertical force;
    /// none where it is not measured throughout.
    fn interval(&self, foot: usize, [from, to]: [f64; 2]) -> Option<Push> {
        let (first, last) = (self.time[0], self.time[self.time.len() - 1]);
        if from < first - 1e-6 || to > last + 1e-6 {
            return None;
        }
        let mean = |value: &dyn Fn(usize) -> Vector3<f64>| self.mean(value, from, to);
        let valid = mean(&|i| Vector3::repeat(f64::from(u8::from(self.valid[i][foot]))));
        if valid.x < WHOLE {
            return None;
        }
        let load = |i: usize| match self.center[i][foot] {
            Some(_) => self.force[i][foot].z,
            None => 0.0,
        };
        let moment = mean(&|i| load(i) * self.center[i][foot].unwrap_or_default());
        let load = mean(&|i| Vector3::repeat(load(i))).x;
        Some(Push {
            force: mean(&|i| self.force[i][foot]),
            center: (load > 0.0).then(|| moment / load),
        })
    }

    /// The mean of `value` between two times, straight between samples.
    fn mean(&self, value: &dyn Fn(usize) -> Vector3<f64>, from: f64, to: f64) -> Vector3<f64> {
        let at = |time: f64| {
            let i = self
                .time
                .partition_point(|t| *t <= time)
                .clamp(1, self.time.len() - 1);
            let span = self.time[i] - self.time[i - 1];
            let share = ((time - self.time[i - 1]) / span).clamp(0.0, 1.0);
            (1.0 - share) * value(i - 1) + share * value(i)
        };
        let inner =
            self.time.partition_point(|t| *t <= from)..self.time.partition_point(|t| *t < to);
        let inner = inner.map(|i| (self.time[i], value(i)));
        let points = std::iter::once((from, at(from)))
            .chain(inner)
            .chain([(to, at(to))]);
        let points: Vec<_> = points.collect();
        let area = |w: &[(f64, Vector3<f64>)]| 0.5 * (w[1].0 - w[0].0) * (w[0].1 + w[1].1);
        points.windows(2).map(area).sum::<Vector3<f64>>() / (to - from)
    }
}
