//! Standard proportions of a body, as fractions of stature.

use crate::motion::JOINTS;
use crate::motion::skeleton::*;

/// Stature assumed when none is given, m, and how far it may be off (one σ).
pub const STATURE: (f64, f64) = (1.72, 0.09);

/// Length of the bone that ends in `joint` over stature (0 for the pelvis) and its spread over
/// people and over definitions of the joints, as a fraction of itself.
///
/// Limbs and trunk by de Leva (1996), table 4; widths, neck and head are means of adult
/// motion-capture skeletons.
pub fn bone(joint: usize) -> (f64, f64) {
    match joint {
        RIGHT_HIP | LEFT_HIP => (0.055, 0.15),
        RIGHT_KNEE | LEFT_KNEE => (0.2385, 0.06),
        RIGHT_ANKLE | LEFT_ANKLE => (0.2450, 0.06),
        SPINE => (0.1370, 0.10),
        THORAX => (0.1440, 0.10),
        NECK => (0.0700, 0.40),
        HEAD => (0.0750, 0.40),
        LEFT_SHOULDER | RIGHT_SHOULDER => (0.1080, 0.10),
        LEFT_ELBOW | RIGHT_ELBOW => (0.1640, 0.08),
        LEFT_WRIST | RIGHT_WRIST => (0.1400, 0.15),
        _ => (0.0, 1.0),
    }
}

/// Lengths of all bones of a body `stature` m tall, by the joint they end in, m.
pub fn bones(stature: f64) -> [f64; JOINTS] {
    std::array::from_fn(|joint| bone(joint).0 * stature)
}
