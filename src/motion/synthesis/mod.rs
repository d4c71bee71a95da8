//! Motions of our own making: walks, turns, squats and jumps that a body can perform.
//!
//! They are built so that a simulated body without any force on its root can track them: feet on
//! the ground do not slide, the centre of mass moves as the ground reaction under those feet
//! allows, and falls freely in flight. See [`walk()`] for how.
//!
//! # References
//! * D. A. Winter, *The Biomechanics and Motor Control of Human Gait*, 2nd ed. 1991: joint angles.
//! * P. de Leva, J. Biomechanics 29 (1996), 1223–1230: segment lengths, masses, centres of mass.
//! * M. P. Murray, A. B. Drought, R. C. Kory, J. Bone Joint Surg. 46-A (1964), 335–360, and M. P.
//!   Murray, S. B. Sepic, E. J. Barnard, Phys. Ther. 47 (1967), 272–284: rotations of trunk and
//!   arms, step width, phases of the stride.
//! * N. Sekiya et al., J. Human Movement Studies 30 (1996), 241–257: step length and cadence.
//! * S. Kajita et al., ICRA 2003: the cart-table model.

mod balance;
mod curves;
mod exercises;
mod figure;
mod gait;

pub use exercises::{Exercise, jump, squat, stand};
pub use figure::{Figure, Posture, center_of_mass};
pub use gait::{Walk, walk};

use super::Motion;

/// Names of the samples that come with the program.
pub const SAMPLES: [&str; 4] = ["walk", "turn", "squat", "jump"];

/// Makes the sample `name` (one of [`SAMPLES`]) anew, as kept in `data/`: 3 s at 50 fps.
pub fn make_sample(name: &str) -> Option<Motion> {
    let motion = match name {
        "walk" => walk(&Walk::default()),
        "turn" => walk(&Walk {
            speed: 0.9,
            turn: 2.0,
            ..Walk::default()
        }),
        "squat" => squat(&Exercise::default()),
        "jump" => jump(&Exercise::default()),
        _ => return None,
    };
    Some(Motion {
        name: name.to_string(),
        ..motion
    })
}
