use super::*;
use crate::motion::sample;

/// Depths of the soles `[right, left]` below the ankles, m.
fn soles(motion: &Motion) -> [f64; 2] {
    let body = fit(motion, &Subject::default()).unwrap();
    ["right_foot", "left_foot"].map(|name| {
        let foot = body.links.iter().find(|link| link.name == name).unwrap();
        let (center, radius) = foot.contact_spheres()[0];
        radius - center.z
    })
}

#[test]
fn soles_reach_the_ground_however_low_the_ankles_are() {
    let squat = sample("squat").unwrap();
    let lowered = |by: f64, feet: &[usize]| {
        let mut motion = squat.clone();
        for joints in &mut motion.joints {
            feet.iter().for_each(|foot| joints[ANKLES[*foot]].z -= by);
        }
        motion
    };
    let usual = soles(&squat);
    for millimetres in 1..40 {
        let by = 1e-3 * f64::from(millimetres);
        let [right, left] = soles(&lowered(by, &[0, 1]));
        assert!((right - (usual[0] - by)).abs() < 2e-3, "{right} by {by}");
        assert!((left - (usual[1] - by)).abs() < 2e-3, "{left} by {by}");
    }
    // A leg that is held up has a foot like the other one.
    let [right, left] = soles(&lowered(-0.2, &[1]));
    assert_eq!(right, left);
    // Nobody's ankle is in the ground.
    assert!(
        soles(&lowered(0.3, &[0, 1]))
            .iter()
            .all(|depth| *depth > 0.02)
    );
}
