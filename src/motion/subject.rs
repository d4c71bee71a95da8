//! Who moves, as far as it is known.

use std::ops::RangeInclusive;

/// Masses of people, kg.
pub const MASSES: RangeInclusive<f64> = 10.0..=300.0;
/// Statures of people, m.
pub const STATURES: RangeInclusive<f64> = 0.5..=2.5;

/// What is known of the subject beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Subject {
    /// Mass, kg; otherwise 22.5 kg/m² × stature².
    pub mass: Option<f64>,
    /// Standing height, m; otherwise from the bones. Sets mass and feet, not the bones.
    pub stature: Option<f64>,
}

impl Subject {
    /// What is known, and where nothing is, what `other` says.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            mass: self.mass.or(other.mass),
            stature: self.stature.or(other.stature),
        }
    }
}
