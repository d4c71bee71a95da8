//! From observed motion to simulated motion.

use nalgebra::{Isometry3, Vector3};

use crate::body::{self, Body, Pose};
use crate::error::Result;
use crate::motion::Motion;
use crate::objective::{Evaluation, Order};
use crate::optim::{LevenbergMarquardt, Optimizer};
use crate::simulation::{ControlTrack, Engine, Frame, Knots, Physics, Trajectory, Velocity, World};
use loss::Weights;
use window::PhysicsWindow;

pub mod loss;
pub mod window;

#[derive(Clone, Debug)]
pub struct Settings {
    pub physics: Physics,
    pub weights: Weights,
    pub window: usize,
    pub advance: usize,
    pub spacing: usize,
    pub plan: Vec<(f64, usize)>,
    pub iterations: usize,
    pub damping: f64, pub good: f64, pub stall: f64,
    pub verbose: bool,
}

pub struct Lab {
    pub body: Body,
    pub poses: Vec<Pose>,
    pub trajectory: Trajectory,
    pub jacobians: usize,
}

/// Velocities of the links at frame `t` of `poses`, by central differences.
pub fn link_velocities(body: &Body, poses: &[Pose], fps: f64, t: usize) -> Vec<Velocity> {
    let (a, b) = (t.saturating_sub(1), (t + 1).min(poses.len() - 1));
    let dt = (b - a) as f64 / fps;
    let (before, after) = (body.forward_kinematics(&poses[a]), body.forward_kinematics(&poses[b]));
    before
        .iter()
        .zip(&after)
        .map(|(p, q): (&Isometry3<f64>, &Isometry3<f64>)| Velocity {
            linear: (q.translation.vector - p.translation.vector) / dt,
            angular: (q.rotation * p.rotation.inverse()).scaled_axis() / dt,
        })
        .collect()
}

pub fn lab(motion: &Motion, s: &Settings) -> Result<Lab> {
    let body = body::fit(motion, None)?;
    let poses = body::reference_poses(&body, motion);
    let fps = motion.fps;
    let steps = s.physics.steps_per_frame(fps);
    let track = ControlTrack::new(&body, &poses, fps, steps);
    let mass_centers: Vec<Vector3<f64>> = poses.iter().map(|p| body.mass_center(&body.forward_kinematics(p))).collect();
    let link_centers: Vec<Vec<Vector3<f64>>> = poses.iter().map(|p| body.forward_kinematics(p).iter().zip(&body.links).map(|(pose, link)| pose.transform_point(&link.center_of_mass.into()).coords).collect()).collect();
    let total = motion.len() - 1;
    let mut knots = Knots::zeros(s.spacing, motion.len() + s.window, body.links.len());
    let links = body.forward_kinematics(&poses[0]);
    let velocities = link_velocities(&body, &poses, fps, 0);
    let mut world = World::new(&body, &s.physics, &links, &velocities);
    let mut frames = vec![Frame { links, ..Frame::default() }];
    let mut jacobians = 0;
    let mut first = 0;
    while first < total {
        let length = s.window.min(total - first);
        let k0 = first / s.spacing;
        let free = if first == 0 { 0 } else { k0 + 1 }..(first + length).div_ceil(s.spacing) + 1;
        let mut window = PhysicsWindow::new(
            &body, &s.physics, &s.weights, &track, &motion.joints, &mass_centers, &link_centers, fps, first, length,
            world.clone(), knots.clone(), free,
        );
        let lm = LevenbergMarquardt { initial_damping: s.damping, ..LevenbergMarquardt::default() };
        let mut x = window.point();
        let mut f0 = 0.0;
        let mut linearized = 0;
        let mut best = (f64::INFINITY, x.clone());
        let plan: Vec<(f64, usize)> = if first == 0 { s.plan.clone() } else { vec![(0.0, s.iterations)] };
        for (assistance, iterations) in plan {
            window.assistance = assistance;
            let (value0, value, point, n) = run(&window, &lm, &x, iterations, if first == 0 { 0.0 } else { s.good }, s.stall)?;
            if s.verbose && first == 0 { println!("   assistance {assistance}: {value0:.2} -> {value:.2} in {n} {:?}", window.term_losses(&x)); }
            f0 = value0; linearized += n; x = point.clone(); best = (value, point);
        }
        jacobians += linearized;
        knots = window.knots_at(&best.1);
        window.knots = knots.clone();
        if std::env::var("KEEP").is_err() { window.assistance = 0.0; }
        let advance = s.advance.min(total - first);
        
        let mut engine = Engine::new(&s.physics);
        for t in first..first + advance {
            let mut targets = Vec::new();
            for step in t * steps..(t + 1) * steps {
                targets = window.set_targets(&mut world, &knots, step);
                world.step(&mut engine);
            }
            frames.push(Frame {
                links: world.link_poses().collect(),
                targets,
                torques: world.torques(&engine),
                contacts: world.contacts(&engine),
            });
        }
        if s.verbose {
            let e = frame_error(&body, frames.last().map(|f| f.links.as_slice()).unwrap_or(&[]), &motion.joints[first + advance]);
            println!("  window {first:4}+{length} f0 {f0:9.4} -> {:9.4} its {linearized} end error {:.1} mm  {}", best.0, e * 1e3,
              window.term_losses(&best.1).iter().map(|(n, v)| format!("{n} {v:.3}")).collect::<Vec<_>>().join(" "));
        }
        first += advance;
    }
    Ok(Lab { body, poses, trajectory: Trajectory { fps, frames }, jacobians })
}

pub fn frame_error(body: &Body, links: &[Isometry3<f64>], observed: &[Vector3<f64>; 17]) -> f64 {
    let markers = body.marker_positions(links);
    markers.iter().zip(observed).map(|(a, b)| (a - b).norm()).sum::<f64>() / 17.0
}

pub fn run(window: &PhysicsWindow, lm: &LevenbergMarquardt, x0: &[f64], iterations: usize, good: f64, stall: f64) -> Result<(f64, f64, Vec<f64>, usize)> {
    let mut state = lm.init(x0);
    let (mut f0, mut last, mut n) = (0.0, f64::INFINITY, 0);
    let mut best = (f64::INFINITY, x0.to_vec());
    loop {
        let query = lm.ask(&state);
        if lm.converged(&state) { break; }
        if query.order == Order::Jacobian {
            if n >= iterations || (n >= 1 && (best.0 < good || best.0 > stall * last)) { break; }
            last = best.0;
        }
        let x = query.x.to_vec();
        let evaluation = Evaluation::of(window, &x, query.order);
        if query.order == Order::Jacobian { n += 1; if n == 1 { f0 = evaluation.value; last = f0; } }
        if evaluation.value < best.0 { best = (evaluation.value, x); }
        lm.tell(&mut state, &evaluation)?;
    }
    Ok((f0, best.0, best.1, n))
}
