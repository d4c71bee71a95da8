//! Motion of the centre of mass that a body can perform with its feet on the ground, and the smooth
//! curves it is made of.

use nalgebra::Vector3;

/// Gravity, m/s².
pub const GRAVITY: f64 = 9.81;

/// Horizontal motion of a centre of mass of given `height` (m above the ground) whose ground
/// reaction acts at `pressure` (centre of pressure, m), both at `fps`.
///
/// The cart-table model (Kajita et al., ICRA 2003, Eq. (10), with a moving height):
///
/// ```text
/// ẍ = (g + z̈) / z · (x − p)
/// ```
///
/// solved over the whole clip at once (tridiagonal), resting above the centre of pressure before
/// its first and after its last frame. While z̈ = −g (in flight) the motion is free. The pressure
/// must be padded with a second or so at both ends if the clip is to begin in motion.
pub fn balance(pressure: &[Vector3<f64>], height: &[f64], fps: f64) -> Vec<Vector3<f64>> {
    let len = pressure.len();
    // −x[t−1] + (2 + k) x[t] − x[t+1] = k p[t], k = (g + z̈) / (z fps²), by the Thomas algorithm.
    let stiffness = |t: usize| {
        let (before, after) = (height[t.saturating_sub(1)], height[(t + 1).min(len - 1)]);
        let acceleration = (after - 2.0 * height[t] + before) * fps * fps;
        // A foot pushes and never pulls; rounding may say otherwise in flight.
        ((GRAVITY + acceleration) / height[t]).max(0.0) / (fps * fps)
    };
    let mut upper = vec![0.0; len];
    let mut right = vec![Vector3::zeros(); len];
    for t in 0..len {
        let k = stiffness(t);
        let (lower, mut rhs) = match t.checked_sub(1) {
            Some(before) => (upper[before], pressure[t] * k + right[before]),
            None => (0.0, pressure[t] * k + pressure[t]),
        };
        if t + 1 == len {
            rhs += pressure[t];
        }
        let pivot = 2.0 + k - lower;
        upper[t] = 1.0 / pivot;
        right[t] = rhs / pivot;
    }
    let mut center = right;
    for t in (0..len - 1).rev() {
        let next = center[t + 1];
        center[t] += next * upper[t];
    }
    center
}

/// The fifth-degree polynomial through a state (value, rate, acceleration) at each end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quintic {
    start: f64,
    coefficients: [f64; 6],
}

impl Quintic {
    /// From the state `from` at time `start` to the state `to` at time `end` (s).
    pub fn new(start: f64, from: [f64; 3], end: f64, to: [f64; 3]) -> Self {
        let h = end - start;
        let (c0, c1, c2) = (from[0], from[1], from[2] / 2.0);
        // What the last three coefficients must add at the end.
        let d = to[0] - (c0 + h * (c1 + h * c2));
        let v = (to[1] - (c1 + 2.0 * h * c2)) * h;
        let a = (to[2] - 2.0 * c2) * h * h / 2.0;
        let (h3, h4, h5) = (h.powi(3), h.powi(4), h.powi(5));
        let c3 = (10.0 * d - 4.0 * v + a) / h3;
        let c4 = (-15.0 * d + 7.0 * v - 2.0 * a) / h4;
        let c5 = (6.0 * d - 3.0 * v + a) / h5;
        Self {
            start,
            coefficients: [c0, c1, c2, c3, c4, c5],
        }
    }

    /// Its value at time `t`.
    pub fn value(&self, t: f64) -> f64 {
        let s = t - self.start;
        self.coefficients
            .iter()
            .rev()
            .fold(0.0, |sum, c| sum * s + c)
    }
}

/// From 0 to 1 between the times `start` and `end`, at rest at both.
pub fn ease(t: f64, start: f64, end: f64) -> f64 {
    let s = ((t - start) / (end - start)).clamp(0.0, 1.0);
    s * s * s * (10.0 + s * (6.0 * s - 15.0))
}

/// Value, rate and acceleration of `f` at `t`, by central differences.
pub fn state(f: impl Fn(f64) -> f64, t: f64) -> [f64; 3] {
    let h = 1e-3;
    let (before, here, after) = (f(t - h), f(t), f(t + h));
    [
        here,
        (after - before) / (2.0 * h),
        (after - 2.0 * here + before) / (h * h),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quintics_meet_both_ends() {
        let (from, to) = ([0.3, -1.0, 2.0], [1.0, 0.5, -9.81]);
        let curve = Quintic::new(0.4, from, 0.9, to);
        for (time, expected) in [(0.4, from), (0.9, to)] {
            for (found, expected) in state(|t| curve.value(t), time).into_iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-3 * (1.0 + f64::abs(expected)),
                    "{found}"
                );
            }
        }
        assert_eq!(
            (
                ease(0.0, 1.0, 2.0),
                ease(1.5, 1.0, 2.0),
                ease(3.0, 1.0, 2.0)
            ),
            (0.0, 0.5, 1.0)
        );
    }

    #[test]
    fn the_centre_of_mass_obeys_the_cart_table_equation() {
        let fps = 50.0;
        let pressure: Vec<_> = (0..200)
            .map(|t| Vector3::new(0.2 * ease(f64::from(t), 80.0, 120.0), 0.1, 0.0))
            .collect();
        let center = balance(&pressure, &vec![0.9; 200], fps);
        for t in 1..199 {
            let acceleration = (center[t + 1] - center[t] * 2.0 + center[t - 1]) * fps * fps;
            let expected = (center[t] - pressure[t]) * (GRAVITY / 0.9);
            assert!((acceleration - expected).norm() < 1e-9);
        }
        assert!((center[0] - pressure[0]).norm() < 1e-3);
        assert!((center[199] - pressure[199]).norm() < 1e-3);
        // It leaves before the pressure does.
        assert!(center[90].x > pressure[90].x);
    }
}
