//! The metrics against NumPy (`tools/golden_metrics.py` writes `tests/golden/metrics.json`).

use motionfit::metrics::{self, Alignment, FootTrack};
use motionfit::motion::{JOINTS, Joints};
use nalgebra::Vector3;
use serde_json::Value;

const FRAMES: usize = 40;
const FPS: f64 = 50.0;

/// The generator of the script: uniform numbers in [0, 1).
struct Draws(u64);

impl Draws {
    fn number(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / 2f64.powi(53)
    }

    fn point(&mut self) -> Vector3<f64> {
        Vector3::from_fn(|_, _| self.number())
    }

    fn frame(&mut self) -> Joints {
        std::array::from_fn(|_| self.point())
    }

    fn walk(&mut self, scale: f64) -> Vec<Vector3<f64>> {
        let mut at = Vector3::zeros();
        let mut step = || {
            at += self.point() * scale;
            at
        };
        (0..FRAMES).map(|_| step()).collect()
    }
}

/// Reference, estimate, feet.
fn inputs() -> (Vec<Joints>, Vec<Joints>, [FootTrack; 2]) {
    let mut draws = Draws(2023);
    let body = draws.frame();
    let steps = draws.walk(0.04);
    let reference: Vec<Joints> = steps
        .iter()
        .map(|step| body.map(|p| p + step + draws.point() * 0.05))
        .collect();
    let mut estimate: Vec<Joints> = reference
        .iter()
        .map(|frame| frame.map(|p| p.yzx() * 0.9 + draws.point() * 0.1))
        .collect();
    estimate[5].iter_mut().for_each(|p| p.y = -p.y);
    let mut feet = [FootTrack::default(), FootTrack::default()];
    for foot in &mut feet {
        foot.height = (0..FRAMES)
            .map(|_| draws.number() * 0.012 - 0.004)
            .collect();
    }
    for foot in &mut feet {
        foot.ankle = draws.walk(0.02);
    }
    (reference, estimate, feet)
}

fn assert_close(golden: &Value, found: f64, name: &str) {
    let golden = golden
        .as_f64()
        .unwrap_or_else(|| panic!("{name} is not in the golden file"));
    assert!(
        (found - golden).abs() <= 1e-9 * golden.abs().max(1.0),
        "{name}: {found}, not {golden}"
    );
}

#[test]
fn metrics_equal_numpy() {
    let golden: Value = serde_json::from_str(include_str!("golden/metrics.json")).unwrap();
    let (reference, estimate, feet) = inputs();
    let errors = metrics::frame_errors(&estimate, &reference);
    let heights: Vec<Vec<f64>> = (0..FRAMES)
        .map(|t| feet.iter().map(|foot| foot.height[t]).collect())
        .collect();
    let checks = [
        ("mpjpe_global", metrics::mpjpe_global(&estimate, &reference)),
        ("max_frame_error", errors.into_iter().fold(0.0, f64::max)),
        (
            "mpjpe_root",
            metrics::mpjpe(&estimate, &reference, Alignment::Root),
        ),
        (
            "mpjpe_centroid",
            metrics::mpjpe(&estimate, &reference, Alignment::Centroid),
        ),
        (
            "mpjpe_hips",
            metrics::mpjpe(&estimate, &reference, Alignment::Hips),
        ),
        (
            "mpjpe_procrustes",
            metrics::mpjpe_procrustes(&estimate, &reference),
        ),
        ("acceleration_tv", metrics::acceleration_tv(&estimate)),
        ("jitter", metrics::jitter(&estimate, FPS)),
        ("penetration", metrics::penetration(&heights)),
        (
            "ground_distance",
            metrics::ground_distance(&estimate, &reference),
        ),
    ];
    for (name, found) in checks {
        assert_close(&golden[name], found, name);
    }
    let skate = metrics::foot_skate(&feet, FPS, 0.005, 0.5);
    let observed = metrics::observed_feet(&reference, None);
    let observed = metrics::foot_skate(&observed, FPS, 0.025, 0.5);
    for (name, found) in [("foot_skate", skate), ("observed_foot_skate", observed)] {
        assert_close(&golden[name][0], found.either, name);
        assert_close(&golden[name][1], found.sum, name);
        assert!(
            found.either > 0.0 && found.either < 1.0,
            "{name} tests nothing"
        );
    }
    assert_eq!(JOINTS, 17);
}
