use super::*;

/// A second at 50 frames a second, ankles at the places that `at` gives for `(foot, time)`.
fn joints(at: impl Fn(usize, f64) -> Vector3<f64>) -> Vec<Joints> {
    let frame = |t: u32| {
        let mut joints = Joints::default();
        for foot in [0, 1] {
            joints[ANKLES[foot]] = at(foot, f64::from(t) / 50.0);
        }
        joints
    };
    (0..50).map(frame).collect()
}

#[test]
fn a_foot_that_swings_does_not_rest_and_the_other_carries() {
    let swinging = Vector3::new(1.5, 0.0, 0.3);
    let walk = joints(|foot, time| match foot {
        0 => Vector3::z() * 0.07,
        _ => Vector3::z() * 0.07 + swinging * (time - 0.5).max(0.0),
    });
    let rests = resting(&walk, 50.0, 1.7, 0.05);
    assert!(rests[10][0] > 0.9 && rests[10][1] > 0.9, "{:?}", rests[10]);
    assert!(rests[40][0] > 0.9 && rests[40][1] < 0.01, "{:?}", rests[40]);
    let [right, left] = carrying(&walk, 50.0);
    // Both stand: neither carries alone.
    assert!(right[10] < 0.1 && left[10] < 0.1);
    assert!(right[45] > 0.9 && left[45] < 0.1);
    assert!(stance(&walk)[45][1] < 0.1);
}

#[test]
fn a_runners_foot_touches_at_its_lowest() {
    let run = joints(|_, time| Vector3::new(3.0 * time, 0.0, 0.1 + (time - 0.5).abs()));
    let touches = touching(&run, 50.0);
    assert!(touches[25][0] > 0.99 && touches[30][0] < 0.1);
    assert!(resting(&run, 50.0, 1.7, 0.05)[25][0] < 1e-3);
}

#[test]
fn a_heel_that_is_down_stays_so_for_longer() {
    assert!(is_down(0.01, 0.5, false) && !is_down(0.03, 0.5, false));
    assert!(is_down(0.03, 1.4, true) && !is_down(0.06, 0.5, true));
    assert!(may_carry(0.05, 0.9) && !may_carry(0.05, 1.1) && !may_carry(0.07, 0.0));
    assert!(standing_at_speed(0.0) == 1.0 && standing_at_speed(1.0) < 0.01);
}

#[test]
fn a_foot_that_never_stood_stands_where_the_other_does() {
    let heights = |low: f64| vec![low, low + 0.2, low];
    assert_eq!(standing_heights([heights(0.08), heights(0.3)]), [0.08; 2]);
    assert_eq!(
        standing_heights([heights(0.08), heights(0.09)]),
        [0.08, 0.09]
    );
}
