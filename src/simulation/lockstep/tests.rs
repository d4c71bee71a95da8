use super::*;
use crate::body::{Pose, Subject, fit, reference_poses};
use crate::motion::sample;
use crate::simulation::{ControlTrack, Knots, PathFrame, Rapier, Velocity};

/// The first second of the sample walk: the body, its reference poses and their targets.
fn walk() -> (Body, Vec<Pose>, ControlTrack, Physics) {
    let mut motion = sample("walk").unwrap();
    motion.joints.truncate(50);
    let body = fit(&motion, &Subject::default()).unwrap();
    let poses = reference_poses(&body, &motion).unwrap();
    let physics = Physics::default().at_rate(motion.fps);
    let steps = physics.steps_per_frame(motion.fps);
    let track = ControlTrack::new(&body, &poses, motion.fps, steps);
    (body, poses, track, physics)
}

fn assert_same(path: &[PathFrame], expected: &[PathFrame]) {
    assert_eq!(path.len(), expected.len());
    let frames = || path.iter().zip(expected);
    for (a, b) in frames().skip(1) {
        let differences = [0, 1].map(|foot| {
            let (a, b) = (a.loads[foot], b.loads[foot]);
            let pressed = (a.vertical - b.vertical).abs() + (a.moment - b.moment).norm();
            pressed + (a.friction - b.friction).norm()
        });
        assert!(
            differences.iter().all(|difference| *difference < 1e-5),
            "{differences:?}"
        );
    }
    for (a, b) in frames().flat_map(|(a, b)| a.links.iter().zip(&b.links)) {
        assert!((a.center - b.center).norm() < 1e-12);
        assert!(a.rotation.angle_to(&b.rotation) < 1e-7);
        assert!((a.linear - b.linear).norm() < 1e-10);
        assert!((a.angular - b.angular).norm() < 1e-9);
    }
}

#[test]
fn copies_move_as_in_the_engine() {
    let (body, poses, track, physics) = walk();
    let links = body.links.len();
    let lockstep = Lockstep::<Double>::new((&body, &Scene::default()), &physics);
    for lift in [1.0, 0.0] {
        let mut start = poses[10].clone();
        start.root.translation.vector.z += lift;
        let start = body.forward_kinematics(&start);
        let velocity = Velocity {
            linear: Vector3::new(1.2, 0.1, 0.0),
            angular: Vector3::new(0.1, 0.2, -0.3),
        };
        let world = World::new(
            (&body, &Scene::default()),
            &physics,
            &start,
            &vec![velocity; links],
        );
        let knots = Knots::zeros(5, 60, links);
        let mut own = knots.clone();
        own.offsets[3][7].y = 1e-5;
        let drive = Drive {
            track: &track,
            knots: &knots,
            assistance: None,
        };
        let engine = Rapier::new((&body, &Scene::default()), &physics);
        let nominal = engine.nominal(&world, 0..30, &[drive]).remove(0);
        let copy = |onset, own| Replica {
            onset,
            start: None,
            own,
        };
        let copies = [copy(0, None), copy(10, Some((7, &own)))];
        let twins = lockstep.perturbed(&nominal, &copies, &drive, 30);
        let paths = engine.perturbed(&nominal, &copies, &drive, 30);
        assert_eq!(paths[0], nominal.path);
        for (twin, path) in twins.iter().zip(&paths) {
            assert_same(twin, path);
        }
    }
}

#[test]
fn a_copy_does_not_depend_on_the_others_nor_on_the_registers() {
    let (body, poses, track, physics) = walk();
    let links = body.links.len();
    let lockstep = Lockstep::<Double>::new((&body, &Scene::default()), &physics);
    let start = body.forward_kinematics(&poses[0]);
    let world = World::new(
        (&body, &Scene::default()),
        &physics,
        &start,
        &vec![Velocity::default(); links],
    );
    let knots = Knots::zeros(5, 60, links);
    let owns: Vec<_> = (1..links)
        .map(|link| {
            let mut own = knots.clone();
            own.offsets[1 + link / 8][link].x = 0.4;
            (link, own)
        })
        .collect();
    let copies: Vec<_> = owns
        .iter()
        .map(|(link, own)| Replica {
            onset: link / 8 * 5,
            start: None,
            own: Some((*link, own)),
        })
        .collect();
    let drive = Drive {
        track: &track,
        knots: &knots,
        assistance: None,
    };
    let nominal = lockstep.nominal(&world, 0..10, &[drive]).remove(0);
    let together = lockstep.perturbed(&nominal, &copies, &drive, 10);
    for (copy, expected) in copies.iter().zip(&together) {
        let alone = pulp::Scalar::new().vectorize(Run {
            precision: lockstep.precision,
            model: &lockstep.model,
            nominal: &nominal,
            copies: std::slice::from_ref(copy),
            drive: &drive,
            targets: &Targets::new(&lockstep.model, &drive, copy.onset..10),
            end: 10,
        });
        assert_eq!(&alone[0], expected);
    }
}

#[test]
fn a_rollout_does_not_depend_on_those_beside_it() {
    let (body, poses, track, physics) = walk();
    let links = body.links.len();
    let lockstep = Lockstep::<Single>::new((&body, &Scene::default()), &physics);
    let start = body.forward_kinematics(&poses[0]);
    let velocity = Velocity {
        linear: Vector3::new(1.2, 0.0, 0.0),
        angular: Vector3::zeros(),
    };
    let world = (&body, &Scene::default());
    let world = World::new(world, &physics, &start, &vec![velocity; links]);
    let knots: Vec<Knots> = (0..9)
        .map(|i| {
            let mut knots = Knots::zeros(5, 60, links);
            knots.offsets[1][7 + i / 5].y = 0.1 * i as f64;
            knots
        })
        .collect();
    let drive = |knots| Drive {
        track: &track,
        knots,
        assistance: None,
    };
    let drives: Vec<_> = knots.iter().map(drive).collect();
    let together = lockstep.nominal(&world, 0..20, &drives);
    assert_eq!(together.len(), drives.len());
    for (drive, beside) in drives.iter().zip(&together) {
        let alone = lockstep
            .nominal(&world, 0..20, std::slice::from_ref(drive))
            .remove(0);
        assert_eq!((&alone.path, &alone.orders), (&beside.path, &beside.orders));
        // Where it ends another one begins.
        let halfway = lockstep
            .nominal(&world, 0..10, std::slice::from_ref(drive))
            .remove(0);
        let rest = lockstep
            .nominal(&halfway.end(), 10..20, std::slice::from_ref(drive))
            .remove(0);
        assert_eq!(rest.orders, alone.orders[halfway.orders.len()..]);
        let apart = rest.path[10].links.iter().zip(&alone.path[20].links);
        for (a, b) in apart {
            assert!((a.center - b.center).norm() < 1e-10);
        }
    }
    assert!(together[0].orders != together[8].orders);
}
