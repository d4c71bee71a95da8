//! What rotations of bones tell and positions don't: how limbs that are almost straight are turned about themselves,
//! and where the face looks.

use nalgebra::Vector3;

use super::{LEFT_ELBOW, LEFT_KNEE, RIGHT_ELBOW, RIGHT_KNEE};

/// The joints at which limbs bend, in the order of [`Turns::hinges`]. The joints before and after one of them are the
/// ends of its limb.
pub const HINGES: [usize; 4] = [RIGHT_KNEE, LEFT_KNEE, RIGHT_ELBOW, LEFT_ELBOW];

/// Directions below this length are none.
const NO_LENGTH: f64 = 1e-6;

/// The turns of limbs and head in one frame, as directions fixed to bones: unit vectors in the frame of the joints beside
/// them, zero (or NaN, while a file is read) where they are not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turns {
    /// Of [`HINGES`], the axis about which flexion turns positively, fixed to thigh or upper arm.
    pub hinges: [Vector3<f64>; 4],
    /// Where the face looks.
    pub facing: Vector3<f64>,
}

impl Turns {
    /// With every direction replaced, and brought to the length 1.
    pub fn map(self, map: impl Fn(Vector3<f64>) -> Vector3<f64>) -> Self {
        Self::of(self.directions().map(map))
    }

    /// The tracks of all directions over time, each passed through `filter`, which may change their number of frames, and
    /// brought to the length 1 again.
    pub fn filter(
        turns: &[Self],
        mut filter: impl FnMut(Vec<Vector3<f64>>) -> Vec<Vector3<f64>>,
    ) -> Vec<Self> {
        let track = |k: usize| turns.iter().map(|turns| turns.directions()[k]).collect();
        let tracks: [_; 5] = std::array::from_fn(|k| filter(track(k)));
        let frame = |t: usize| Self::of(std::array::from_fn(|k| tracks[k][t]));
        (0..tracks[0].len()).map(frame).collect()
    }

    fn directions(&self) -> [Vector3<f64>; 5] {
        let [a, b, c, d] = self.hinges;
        [a, b, c, d, self.facing]
    }

    fn of(directions: [Vector3<f64>; 5]) -> Self {
        let [a, b, c, d, facing] = directions.map(|v| v.try_normalize(NO_LENGTH).unwrap_or(v));
        Self {
            hinges: [a, b, c, d],
            facing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_are_filtered_one_by_one_and_stay_of_unit_length() {
        let turns = |x: Vector3<f64>| Turns {
            hinges: [x, -x, Vector3::y(), Vector3::zeros()],
            facing: Vector3::repeat(f64::NAN),
        };
        let two = [turns(Vector3::x()), turns(Vector3::z())];
        let middle = Turns::filter(&two, |track| vec![(track[0] + track[1]) / 2.0]);
        let slanted = Vector3::new(1.0, 0.0, 1.0).normalize();
        assert_eq!(middle.len(), 1);
        assert!((middle[0].hinges[0] - slanted).norm() < 1e-12);
        assert!((middle[0].hinges[1] + slanted).norm() < 1e-12);
        assert_eq!(middle[0].hinges[2..], [Vector3::y(), Vector3::zeros()]);
        assert!(middle[0].facing.x.is_nan());
        let longer = two[0].map(|v| 3.0 * v);
        assert_eq!(longer.hinges, two[0].hinges);
    }
}
