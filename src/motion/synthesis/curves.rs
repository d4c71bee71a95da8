//! Published joint-angle curves of walking.

use std::f64::consts::TAU;

/// Mean sagittal angles over a stride at natural cadence, every 4 % from heel contact, degrees.
///
/// D. A. Winter, *The Biomechanics and Motor Control of Human Gait: Normal, Elderly and
/// Pathological*, 2nd ed., University of Waterloo Press 1991, mean of the natural-cadence group,
/// rounded to 0.1°. Flexion and dorsiflexion are positive.
pub const HIP: [f64; 25] = [
    19.3, 18.5, 17.3, 15.2, 12.0, 8.5, 4.9, 1.4, -1.5, -4.1, -6.4, -8.4, -10.0, -11.0, -10.3, -7.0,
    -1.1, 5.9, 12.1, 16.5, 19.5, 21.4, 21.9, 20.8, 19.5,
];
/// As [`HIP`], the knee.
pub const KNEE: [f64; 25] = [
    4.0, 10.5, 17.4, 21.3, 21.2, 18.9, 15.7, 12.5, 9.9, 8.3, 7.7, 8.6, 11.5, 17.0, 26.0, 38.7,
    52.1, 61.7, 64.9, 61.6, 53.3, 40.9, 25.4, 9.9, 1.1,
];
/// As [`HIP`], the ankle.
pub const ANKLE: [f64; 25] = [
    0.0, -3.9, -4.0, -0.5, 3.0, 5.1, 6.1, 6.8, 7.5, 8.4, 9.2, 9.6, 8.7, 4.7, -3.3, -13.1, -19.5,
    -18.1, -12.0, -6.0, -1.6, -0.1, -0.4, -0.3, 1.0,
];

/// How far the thigh is before the vertical when the hip angle is zero, degrees: what makes the
/// foot of the mean curves lie flat in mid stance.
pub const THIGH_OFFSET: f64 = 4.5;

/// Harmonics kept of every curve; Winter's curves have practically nothing above.
const HARMONICS: usize = 7;

/// A smooth periodic curve: a Fourier series.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    mean: f64,
    /// Amplitudes of cosine and sine of each harmonic.
    harmonics: [[f64; 2]; HARMONICS],
}

impl Curve {
    /// The series through `samples` (degrees), equally spaced over the period; its values are in
    /// radians.
    pub fn new(samples: &[f64; 25]) -> Self {
        let count = samples.len() as f64;
        let projection = |k: usize, wave: fn(f64) -> f64| {
            let angle = |i: usize| TAU * (k * i) as f64 / count;
            samples
                .iter()
                .enumerate()
                .map(|(i, y)| y.to_radians() * wave(angle(i)))
                .sum::<f64>()
        };
        Self {
            mean: projection(0, f64::cos) / count,
            harmonics: std::array::from_fn(|k| {
                [f64::cos, f64::sin].map(|wave| projection(k + 1, wave) * 2.0 / count)
            }),
        }
    }

    /// Its value (rad) at `phase`, whose period is 1.
    pub fn value(&self, phase: f64) -> f64 {
        let waves = self
            .harmonics
            .iter()
            .enumerate()
            .map(|(k, [cosine, sine])| {
                let angle = TAU * (k + 1) as f64 * phase;
                cosine * angle.cos() + sine * angle.sin()
            });
        self.mean + waves.sum::<f64>()
    }
}

/// The three curves of a leg.
#[derive(Clone, Debug, PartialEq)]
pub struct LegCurves {
    hip: Curve,
    knee: Curve,
    ankle: Curve,
}

impl LegCurves {
    /// Winter's means.
    pub fn winter() -> Self {
        Self {
            hip: Curve::new(&HIP),
            knee: Curve::new(&KNEE),
            ankle: Curve::new(&ANKLE),
        }
    }

    /// Angle of the thigh before the vertical and flexion of the knee, rad, at `phase` of the
    /// stride (0 at heel contact).
    pub fn leg(&self, phase: f64) -> [f64; 2] {
        [
            self.hip.value(phase) + THIGH_OFFSET.to_radians(),
            self.knee.value(phase),
        ]
    }

    /// Angle of the foot to the ground, rad, toes up positive.
    pub fn foot(&self, phase: f64) -> f64 {
        let [thigh, knee] = self.leg(phase);
        thigh - knee + self.ankle.value(phase)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_follow_their_tables() {
        for table in [&HIP, &KNEE, &ANKLE] {
            let curve = Curve::new(table);
            for (i, degrees) in table.iter().enumerate() {
                let value = curve.value(i as f64 / 25.0).to_degrees();
                assert!((value - degrees).abs() < 0.8, "{i}: {value} for {degrees}");
            }
            assert!((curve.value(0.3) - curve.value(1.3)).abs() < 1e-12);
        }
    }

    #[test]
    fn the_foot_lands_on_its_heel_lies_flat_and_leaves_over_the_toes() {
        let curves = LegCurves::winter();
        assert!(curves.foot(0.0) > 0.25);
        for phase in [0.15, 0.25, 0.35] {
            assert!(
                curves.foot(phase).abs() < 0.05,
                "{phase}: {}",
                curves.foot(phase)
            );
        }
        assert!(curves.foot(0.62) < -0.9);
    }
}
