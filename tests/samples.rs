//! The motions in `data/`: they are what the generator makes, and what a body can do.

use std::path::PathBuf;

use motionfit::metrics::{MotionMetrics, acceleration_tv};
use motionfit::motion::skeleton::{ANKLES, bones};
use motionfit::motion::synthesis::{self, Exercise, Walk, center_of_mass};
use motionfit::motion::{self, Motion, ReadOptions};
use nalgebra::Vector3;

/// Height of the ankle of a flat foot, m.
const STANDING_ANKLE: f64 = 0.045 * 1.74;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(format!("{name}.npy"))
}

fn samples() -> impl Iterator<Item = (&'static str, Motion)> {
    synthesis::SAMPLES
        .into_iter()
        .map(|name| (name, synthesis::make_sample(name).unwrap()))
}

fn array(motion: &Motion) -> ndarray::Array3<f32> {
    let joints: Vec<f32> = motion
        .joints
        .iter()
        .flatten()
        .flat_map(|p| [p.x as f32, p.y as f32, p.z as f32])
        .collect();
    ndarray::Array3::from_shape_vec((motion.len(), 17, 3), joints).unwrap()
}

/// Second differences of `points`, m/s².
fn accelerations(points: &[Vector3<f64>], fps: f64) -> Vec<Vector3<f64>> {
    points
        .windows(3)
        .map(|w| (w[2] - w[1] * 2.0 + w[0]) * fps * fps)
        .collect()
}

fn centers(motion: &Motion) -> Vec<Vector3<f64>> {
    motion.joints.iter().map(center_of_mass).collect()
}

/// `MOTIONFIT_WRITE_SAMPLES=1 cargo test --release --test samples` writes the files anew.
#[test]
fn the_files_are_what_the_generator_makes() {
    for (name, motion) in samples() {
        let made = array(&motion);
        if std::env::var_os("MOTIONFIT_WRITE_SAMPLES").is_some_and(|value| value == "1") {
            ndarray_npy::write_npy(file(name), &made).unwrap();
        }
        let kept: ndarray::Array3<f32> = ndarray_npy::read_npy(file(name)).unwrap();
        assert_eq!(made.shape(), [150, 17, 3], "{name}");
        for (a, b) in made.iter().zip(&kept) {
            assert!((a - b).abs() < 1e-6, "{name}: {a} is not {b}");
        }
    }
    assert!(synthesis::make_sample("handstand").is_none());
}

#[test]
fn the_embedded_samples_are_the_files_and_need_no_repair() {
    for name in synthesis::SAMPLES {
        let reading = motion::read(&file(name), &ReadOptions::default()).unwrap();
        assert_eq!(reading.motion, motion::sample(name).unwrap());
        for note in [
            "h36m17, 150 frames",
            "units: m (",
            "up axis: z",
            "floor: at z = 0",
        ] {
            assert!(
                reading.notes.iter().any(|n| n.contains(note)),
                "{name}: {:?}",
                reading.notes
            );
        }
        assert_eq!(reading.notes.len(), 5, "{name}: {:?}", reading.notes);
    }
    assert!(motion::sample("handstand").is_none());
}

#[test]
fn bones_keep_their_lengths_and_nothing_is_below_the_ground() {
    for (name, motion) in samples() {
        for (parent, child) in bones() {
            let length = |t: usize| (motion.joints[t][child] - motion.joints[t][parent]).norm();
            for t in 0..motion.len() {
                assert!(
                    (length(t) - length(0)).abs() < 1e-9,
                    "{name}, frame {t}, bone {child}"
                );
            }
        }
        for joints in &motion.joints {
            // Heel and ball of the foot are on the ground when the ankle is at its standing height.
            assert!(joints.iter().all(|p| p.z > STANDING_ANKLE - 1e-3), "{name}");
        }
    }
}

#[test]
fn flat_feet_stand_still() {
    for (name, motion) in samples() {
        for ankle in ANKLES {
            let flat = |t: usize| motion.joints[t][ankle].z < STANDING_ANKLE + 2e-3;
            let mut frames = 0;
            for t in (1..motion.len()).filter(|&t| flat(t) && flat(t - 1)) {
                let moved = motion.joints[t][ankle] - motion.joints[t - 1][ankle];
                assert!(
                    moved.norm() * motion.fps < 0.15,
                    "{name}, frame {t}: {moved}"
                );
                frames += 1;
            }
            assert!(
                frames > motion.len() / 5,
                "{name}: flat in {frames} frames only"
            );
        }
    }
}

#[test]
fn motions_are_as_quick_as_recorded_ones_and_no_quicker() {
    // Recorded walks: 99 % quantile of the joints' acceleration 9 to 40 m/s².
    for (name, motion) in samples() {
        let tracks = (0..17).map(|j| motion.joints.iter().map(|f| f[j]).collect::<Vec<_>>());
        let mut all: Vec<f64> = tracks
            .flat_map(|track| accelerations(&track, motion.fps))
            .map(|acceleration| acceleration.norm())
            .collect();
        all.sort_by(f64::total_cmp);
        let high = all[all.len() * 99 / 100];
        assert!((2.0..40.0).contains(&high), "{name}: {high}");
        assert!(all[all.len() - 1] < 80.0, "{name}: {}", all[all.len() - 1]);
        assert!(acceleration_tv(&motion.joints) < 0.05, "{name}");
        assert_eq!(
            MotionMetrics::of_observation(&motion, motion.len()).penetration_mm,
            0.0
        );
    }
}

#[test]
fn a_jumper_falls_freely() {
    let motion = synthesis::jump(&Exercise::default());
    let centers = centers(&motion);
    let accelerations = accelerations(&centers, motion.fps);
    let off_ground = |t: usize| ANKLES.iter().all(|&j| motion.joints[t][j].z > 0.17);
    let flight: Vec<usize> = (1..motion.len() - 1)
        .filter(|&t| off_ground(t - 1) && off_ground(t + 1))
        .collect();
    assert!(flight.len() > 12, "{} frames of flight", flight.len());
    for &t in &flight {
        let error = accelerations[t - 1] + Vector3::z() * 9.81;
        assert!(error.norm() < 0.05, "frame {t}: {}", accelerations[t - 1]);
    }
    let highest = centers.iter().map(|p| p.z).fold(0.0, f64::max);
    assert!(
        highest - centers[0].z > 0.25,
        "jumps {} m",
        highest - centers[0].z
    );
}

/// The ground can only push: the centre of pressure that a motion needs lies near a foot.
#[test]
fn the_ground_reaction_stays_under_the_feet() {
    let turn_right = Walk {
        turn: -1.5,
        speed: 1.0,
        heading: 0.7,
        ..Walk::default()
    };
    let mut motions: Vec<_> = samples().map(|(_, motion)| motion).collect();
    motions.extend([
        synthesis::stand(&Exercise::default()),
        synthesis::walk(&turn_right),
    ]);
    for motion in motions {
        let centers = centers(&motion);
        for (t, acceleration) in accelerations(&centers, motion.fps).into_iter().enumerate() {
            let (center, joints) = (centers[t + 1], &motion.joints[t + 1]);
            let push = acceleration.z + 9.81;
            assert!(push > -0.1, "{}, frame {t}: pulled down", motion.name);
            if push < 1.0 {
                continue;
            }
            // Cart-table model: p = x − ẍ z / (g + z̈).
            let pressure = center - acceleration * (center.z / push);
            let feet = ANKLES.map(|j| joints[j]);
            let (a, b) = (feet[0].xy(), feet[1].xy());
            let along = (pressure.xy() - a).dot(&(b - a)) / (b - a).norm_squared();
            let nearest = a + (b - a) * along.clamp(0.0, 1.0);
            let distance = (pressure.xy() - nearest).norm();
            assert!(
                distance < 0.2,
                "{}, frame {t}: {distance} m off the feet",
                motion.name
            );
        }
    }
}

#[test]
fn a_walk_goes_where_it_is_told() {
    let walk = Walk {
        heading: 1.0,
        turn: 0.0,
        speed: 1.3,
        ..Walk::default()
    };
    let motion = synthesis::walk(&walk);
    let travelled = motion.joints[149][0] - motion.joints[0][0];
    let expected = 1.3 * 149.0 / 50.0;
    assert!((travelled.norm() - expected).abs() < 0.15, "{travelled}");
    assert!((travelled.y.atan2(travelled.x) - 1.0).abs() < 0.03);
    let (_, turn) = samples().find(|(name, _)| *name == "turn").unwrap();
    // Hips and shoulders rotate against each other about the heading.
    let across = |t: usize| {
        let joints = &turn.joints[t];
        ((joints[4] - joints[1]).normalize() + (joints[11] - joints[14]).normalize()).xy()
    };
    let (first, last) = (across(0), across(149));
    let turned = first.perp(&last).atan2(first.dot(&last));
    assert!((turned - 2.0).abs() < 0.05, "turned by {turned}");
}

#[test]
fn knees_bend_as_published() {
    let motion = synthesis::walk(&Walk::default());
    let knee = |t: usize| {
        let [hip, knee, ankle] = [1, 2, 3].map(|j| motion.joints[t][j]);
        (knee - hip).angle(&(ankle - knee)).to_degrees()
    };
    let angles: Vec<f64> = (0..motion.len()).map(knee).collect();
    let (low, high) = angles
        .iter()
        .fold((180f64, 0f64), |(a, b), &x| (a.min(x), b.max(x)));
    // Winter 1991: 0.5° before heel contact to 65° in swing.
    assert!(
        low < 20.0 && (55.0..80.0).contains(&high),
        "{low} to {high} degrees"
    );
}
