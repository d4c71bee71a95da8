//! The kinematic fit, on the sample walk seen by cameras that are made here.

use motionfit::keypoints::fit::{Fit, fit};
use motionfit::keypoints::{Keypoint, Observation, View, confusions};
use motionfit::metrics::{Alignment, mpjpe, mpjpe_global};
use motionfit::motion::camera::Camera;
use motionfit::motion::skeleton::mirrored;
use motionfit::motion::{self, Joints};
use nalgebra::{Matrix3, Rotation3, Vector2, Vector3};

const FRAMES: usize = 40;

/// Normal numbers from a portable generator.
struct Draws(u64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((self.0 >> 11) as f64 + 0.5) / 2f64.powi(53)
    }

    fn normal(&mut self) -> f64 {
        let (a, b) = (self.uniform(), self.uniform());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}

/// The walk at 25 fps.
fn truth() -> Vec<Joints> {
    let joints = motion::sample("walk").unwrap().joints;
    joints.into_iter().step_by(2).take(FRAMES).collect()
}

/// A camera 1.5 m high and 5 m from the walk, at `degrees` about the vertical from its front.
fn camera(degrees: f64, truth: &[Joints]) -> Camera {
    let middle = (truth[0][0] + truth[truth.len() - 1][0]) / 2.0;
    let camera = Camera::standing([1000.0, 1000.0], 1145.0, 1.5, 0.08);
    let turn = Rotation3::from_axis_angle(&Vector3::z_axis(), (180.0 + degrees).to_radians());
    let mut camera = camera.moved(&turn, 0.0);
    let position = Vector3::new(middle.x, middle.y, 1.5) - turn * Vector3::x() * 5.0;
    camera.translation = -(camera.rotation * position);
    camera.name = format!("camera at {degrees}");
    camera
}

/// The view of `camera` with 2 px of noise.
fn view(camera: Camera, truth: &[Joints], draws: &mut Draws) -> View {
    let mut keypoint = |p: &Vector3<f64>| Keypoint {
        pixel: camera.project(p).unwrap() + Vector2::new(draws.normal(), draws.normal()) * 2.0,
        confidence: 0.9,
    };
    let frames = truth
        .iter()
        .map(|joints| joints.each_ref().map(&mut keypoint))
        .collect();
    View { camera, frames }
}

fn observation(degrees: &[f64], truth: &[Joints]) -> Observation {
    let mut draws = Draws(36);
    let views = degrees
        .iter()
        .map(|angle| view(camera(*angle, truth), truth, &mut draws))
        .collect();
    Observation::new("walk".into(), 25.0, views, None).unwrap()
}

/// MPJPE-G and MPJPE, mm.
fn errors(fit: &Fit, truth: &[Joints]) -> (f64, f64) {
    let (joints, root) = (&fit.joints, Alignment::Root);
    (
        1e3 * mpjpe_global(joints, truth),
        1e3 * mpjpe(joints, truth, root),
    )
}

#[test]
fn several_views_are_triangulated_even_if_one_is_wrong() {
    let truth = truth();
    let mut seen = observation(&[0.0, 70.0, 150.0, 250.0], &truth);
    let (global, _) = errors(&fit(&seen, None).unwrap(), &truth);
    assert!(global < 12.0, "{global} mm");
    // One camera confuses left and right, and some joints are lost.
    for (t, frame) in seen.views[1].frames.iter_mut().enumerate() {
        *frame = std::array::from_fn(|j| frame[mirrored(j)]);
        frame[t % 17] = Keypoint::MISSING;
    }
    let found = fit(&seen, None).unwrap();
    let (global, _) = errors(&found, &truth);
    assert!(global < 25.0, "{global} mm");
    let confused = confusions(&seen, &found.joints);
    assert_eq!(confused.len(), 1, "{confused:?}");
    assert!(confused[0].contains("camera at 70"));
}

#[test]
fn one_view_alone_finds_the_walk_and_knows_how_well() {
    let truth = truth();
    let found = fit(&observation(&[70.0], &truth), Some(1.74)).unwrap();
    let (global, local) = errors(&found, &truth);
    assert!(global < 120.0 && local < 60.0, "{global} and {local} mm");
    assert!((found.stature - 1.74).abs() < 0.05, "{} m", found.stature);
    let sigma: Vec<f64> = found.sigma.iter().flatten().copied().collect();
    let mean = 1e3 * sigma.iter().sum::<f64>() / sigma.len() as f64;
    assert!((10.0..120.0).contains(&mean), "{mean} mm");
}

#[test]
fn noisy_estimates_in_the_wrong_depth_are_put_right() {
    let truth = truth();
    let mut seen = observation(&[70.0], &truth);
    let camera = seen.views[0].camera.clone();
    let mut draws = Draws(7);
    let estimates: Vec<Joints> = truth
        .iter()
        .map(|joints| {
            let root = camera.to_camera(&joints[0]);
            let shift = camera.to_world(&(root * 1.05)) - joints[0];
            joints.map(|p| p + shift + Vector3::from_fn(|_, _| 0.06 * draws.normal()))
        })
        .collect();
    let before = 1e3 * mpjpe_global(&estimates, &truth);
    seen.estimates = Some(estimates);
    let (global, local) = errors(&fit(&seen, None).unwrap(), &truth);
    assert!(
        before > 200.0 && global < 80.0 && local < 40.0,
        "{before}, {global}, {local} mm"
    );
}

#[test]
fn the_fit_repeats_itself_bit_for_bit() {
    let seen = observation(&[40.0], &truth());
    assert_eq!(fit(&seen, None).unwrap(), fit(&seen, None).unwrap());
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let truth = truth();
    let seen = observation(&[0.0, 90.0], &truth);
    let mut views = seen.views.clone();
    views[1].frames.pop();
    let error = Observation::new("walk".into(), 25.0, views, None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("39") && error.contains("40"), "{error}");
    let estimates = Some(truth[..10].to_vec());
    let error = Observation::new("walk".into(), 25.0, seen.views.clone(), estimates).unwrap_err();
    assert!(error.to_string().contains("10 of estimates"), "{error}");
    // Cameras in the wrong order do not agree on anything.
    let mut swapped = observation(&[0.0, 70.0, 200.0], &truth);
    let first = swapped.views[0].frames.clone();
    swapped.views[0].frames = swapped.views[1].frames.clone();
    swapped.views[1].frames = swapped.views[2].frames.clone();
    swapped.views[2].frames = first;
    let error = fit(&swapped, None).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("same order"), "{error}");
}

#[test]
fn a_motion_that_no_camera_can_have_seen_is_refused() {
    let truth = truth();
    let mut seen = observation(&[70.0], &truth);
    let middle = (truth[0][0] + truth[FRAMES - 1][0]) / 2.0;
    // As far behind the camera as the walk is in front of it.
    let mut shift = (seen.views[0].camera.position() - middle) * 2.0;
    shift.z = 0.0;
    let behind = truth.iter().map(|joints| joints.map(|p| p + shift));
    seen.estimates = Some(behind.collect());
    let error = fit(&seen, None).map(|_| ()).unwrap_err().to_string();
    let expected = "a body behind camera camera at 70 in 40 of 40 frames";
    assert!(error.contains(expected), "{error}");
    assert!(error.contains("--estimates-frame"), "{error}");
    // A camera whose axes are no numbers.
    seen.estimates = Some(truth);
    seen.views[0].camera.rotation = Rotation3::from_matrix_unchecked(Matrix3::repeat(f64::NAN));
    let error = fit(&seen, None).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("no finite motion"), "{error}");
}
