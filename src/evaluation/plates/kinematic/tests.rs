use super::*;

const WEIGHT: f64 = 70.0 * GRAVITY;

/// A body of 70 kg at 50 frames a second that does what is said of every frame: where its centre of mass is and which
/// feet stand. Its feet are 0.2 m apart, 0.2 m long, and point forward.
fn observed(
    count: usize,
    center: impl Fn(f64) -> Vector3<f64>,
    stands: impl Fn(usize) -> [bool; 2],
) -> Observed {
    let sole = |y: f64| [-0.1, 0.1].map(|x| Vector3::new(x, y, 0.0));
    Observed {
        fps: 50.0,
        mass: 70.0,
        centers: (0..count).map(|t| center(t as f64 / 50.0)).collect(),
        soles: vec![[sole(-0.1), sole(0.1)]; count],
        stands: (0..count).map(stands).collect(),
        ahead: vec![Vector2::x(); count],
    }
}

/// A walk in place with steps of 0.4 s, the feet being both down for a fifth of them; it is pushed forwards.
fn stepping() -> Observed {
    let center = |time: f64| {
        let turn = std::f64::consts::TAU * time / 0.8;
        Vector3::new(
            0.2 * time * time,
            0.02 * turn.sin(),
            1.0 + 0.005 * (2.0 * turn).cos(),
        )
    };
    observed(80, center, |t| {
        let (step, within) = (t / 20, t % 20);
        [within < 4 || step % 2 == 0, within < 4 || step % 2 == 1]
    })
}

#[test]
fn who_stands_has_half_the_weight_on_each_foot() {
    let standing = observed(50, |_| Vector3::new(0.05, 0.0, 1.0), |_| [true; 2]);
    for feet in standing.pushes() {
        for push in feet {
            assert!((push.force - Vector3::z() * (0.5 * WEIGHT)).norm() < 1e-6);
            assert!((push.center.unwrap().x - 0.05).abs() < 1e-9);
        }
    }
    // Above the left foot, a good part of it is on the left one.
    let leaning = observed(50, |_| Vector3::new(0.3, 0.05, 1.0), |_| [true; 2]);
    let [right, left] = leaning.pushes()[25];
    assert!((right.force.z - 0.25 * WEIGHT).abs() < 1e-6);
    assert!((left.force.z - 0.75 * WEIGHT).abs() < 1e-6);
    assert!(
        (left.center.unwrap().x - 0.1).abs() < 1e-9,
        "not before the ball"
    );
}

#[test]
fn who_falls_is_not_pushed() {
    let height = |time: f64| Vector3::z() * (2.0 - 0.5 * GRAVITY * time * time);
    let falling = observed(50, height, |_| [true, false]);
    for [right, left] in &falling.pushes()[10..40] {
        assert!(right.force.norm() < 0.01 * WEIGHT, "{right:?}");
        assert_eq!((left.force, left.center), (Vector3::zeros(), None));
    }
    let in_the_air = observed(50, |_| Vector3::z(), |_| [false; 2]);
    let pushed = in_the_air.pushes().into_iter().flatten();
    assert!(pushed.into_iter().all(|push| push == Push::default()));
}

#[test]
fn the_feet_together_push_with_mass_times_acceleration() {
    let walk = stepping();
    let total = walk.total();
    let upwards: f64 = total.iter().map(|force| force.z).sum();
    assert!((upwards / 80.0 / WEIGHT - 1.0).abs() < 0.05);
    let forwards = total[20..60].iter().map(|force| force.x / 70.0);
    assert!(forwards.into_iter().all(|a| (a - 0.4).abs() < 0.01));
    for (t, [right, left]) in walk.pushes().iter().enumerate().skip(1) {
        let mean = 0.5 * (total[t - 1] + total[t]);
        assert!((right.force + left.force - mean).norm() < 1e-9);
    }
}

#[test]
fn a_step_goes_smoothly_from_one_foot_to_the_other() {
    let walk = stepping();
    // From frame 20 on the left foot, which was in the air, comes down; at 24 the right one leaves.
    let pushes = walk.pushes();
    let right: Vec<f64> = (18..27).map(|t| pushes[t][0].force.z / WEIGHT).collect();
    assert!(right.is_sorted_by(|a, b| a >= b), "{right:?}");
    assert!(right[0] > 0.8 && right[8] == 0.0, "{right:?}");
    assert!(pushes[18][1].force.norm() == 0.0 && pushes[26][1].force.z > 0.8 * WEIGHT);
    for remains in [along_remains, across_remains] {
        assert!((remains(0.0) - 1.0).abs() < 1e-12);
        assert!(remains(2.0).abs() < 1e-3);
    }
}

#[test]
fn a_foot_stands_while_its_heel_or_ball_is_low_and_slow() {
    let mut observed = observed(60, |_| Vector3::z(), |_| [true; 2]);
    let moved = |observed: &mut Observed, foot: usize, by: &dyn Fn(f64) -> Vector3<f64>| {
        for (t, soles) in observed.soles.iter_mut().enumerate().skip(30) {
            soles[foot] = soles[foot].map(|end| end + by((t - 30) as f64 / 50.0));
        }
    };
    assert_eq!(observed.standing(), [[true; 2]; 60]);
    moved(&mut observed, 1, &|time| Vector3::x() * (2.0 * time));
    assert_eq!(
        observed.standing()[40],
        [true, false],
        "the left foot is fast"
    );
    moved(&mut observed, 0, &|_| Vector3::z() * 0.06);
    assert_eq!(observed.standing()[20], [true, true]);
    // The right foot is in the air: what is lower has to carry the body.
    assert_eq!(observed.standing()[40], [false, true]);
    // One that comes down has to be lower than one that leaves.
    let mut slow = observed_at(0.03);
    assert_eq!(slow.standing()[40], [true, true]);
    slow.soles[..10]
        .iter_mut()
        .for_each(|soles| soles[0][0].z = 0.2);
    slow.soles[..10]
        .iter_mut()
        .for_each(|soles| soles[0][1].z = 0.2);
    assert_eq!(slow.standing()[40], [false, true]);
}

/// A body whose right foot is so high above where it stands most of the time, m.
fn observed_at(height: f64) -> Observed {
    let mut observed = observed(60, |_| Vector3::z(), |_| [true; 2]);
    for soles in &mut observed.soles[..50] {
        soles[0] = soles[0].map(|end| end + Vector3::z() * height);
    }
    observed
}
