//! How accurately the samples are reconstructed: bounds 10 to 15 % above what was measured when they were written down.
//!
//! What is beyond them may be a flaw, or the price of something else: then the new figures belong here.

use motionfit::evaluation::measure;
use motionfit::motion::sample;
use motionfit::reconstruction::{Settings, optimizer_of_windows, reconstruct};

/// How long each sample is tracked, frames at 50 fps.
const FRAMES: usize = 61;

/// Upper bounds of what is measured of a sample.
struct Bounds {
    name: &'static str,
    /// Mean distance of the joints from those observed, mm.
    mpjpe_mm: f64,
    /// The farthest of a frame's means, mm.
    worst_mm: f64,
    /// Total variation of the joints' accelerations over the observed one.
    variation: f64,
    /// Mean depth of the soles below the ground, mm.
    penetration_mm: f64,
}

const BOUNDS: [Bounds; 4] = [
    Bounds {
        name: "walk",
        mpjpe_mm: 6.1,
        worst_mm: 10.4,
        variation: 1.2,
        penetration_mm: 7.0,
    },
    Bounds {
        name: "turn",
        mpjpe_mm: 5.9,
        worst_mm: 10.5,
        variation: 1.45,
        penetration_mm: 7.6,
    },
    Bounds {
        name: "squat",
        mpjpe_mm: 1.6,
        worst_mm: 3.3,
        variation: 3.0,
        penetration_mm: 2.8,
    },
    Bounds {
        name: "jump",
        mpjpe_mm: 2.0,
        worst_mm: 3.8,
        variation: 1.17,
        penetration_mm: 3.3,
    },
];

#[test]
fn the_samples_are_met_as_well_as_before() {
    let settings = Settings::default();
    let optimizer = optimizer_of_windows("lm-search", settings.seed).unwrap();
    let mut worse = Vec::new();
    for bounds in BOUNDS {
        let mut motion = sample(bounds.name).unwrap();
        motion.joints.truncate(FRAMES);
        let run = reconstruct(&motion, &settings, optimizer.as_ref(), None).unwrap();
        let found = measure(&run);
        let measured = [
            ("mean distance, mm", found.mpjpe_global_mm, bounds.mpjpe_mm),
            ("worst frame, mm", found.max_frame_error_mm, bounds.worst_mm),
            (
                "variation of accelerations over the observed one",
                found.motion.acceleration_tv / found.reference.acceleration_tv,
                bounds.variation,
            ),
            (
                "penetration, mm",
                found.motion.penetration_mm,
                bounds.penetration_mm,
            ),
        ];
        for (what, value, bound) in measured {
            println!("{}: {what} {value:.3}, bound {bound}", bounds.name);
            if value.is_nan() || value > bound {
                worse.push(format!("{}: {what} {value:.3}, bound {bound}", bounds.name));
            }
        }
    }
    assert!(worse.is_empty(), "{}", worse.join("\n"));
}
