//! A motion made ready for tracking: body, reference poses, PD targets and what the terms compare with.
//! Nothing of it changes while it is solved.

use std::ops::Range;

use nalgebra::{Isometry3, UnitQuaternion, Vector2, Vector3};

use super::differences::{accelerations, jerks, nearby};
use super::feedforward::feedforward;
use super::footing::{self, Footing, Hold, footings};
use super::loads::{Pressure, Reference, loads_in_steps, pressures_in_steps, shears_in_steps};
use super::settings::{Settings, SimulatorKind};
use super::sighting::Sighting;
use super::supports;
use super::weights::Weights;
use crate::body::{
    Ball, Body, BodyModel, CapsulePair, ContactPoint, Pose, capsule_pairs, near_pairs,
};
use crate::error::{Error, Result};
use crate::keypoints::Observation;
use crate::motion::{JOINTS, Joints, Motion, acceleration_tv, mean_distance};
use crate::scene::Scene;
use crate::simulation::{
    Assistance, ControlTrack, Drive, Engine, Frame, GRAVITY, Knots, Lockstep, Path, Physics,
    Rapier, Replica, Rollout, Simulator, Single, World, net_moments, simulated_feet,
};

/// Stiffness of full assistance per kilogram, 1/s²: the body's weight sags by 14 mm.
const ASSISTANCE: f64 = 700.0;

/// How deep a contact sphere may be in a box at the start, m: skin and markers are off by less.
const DEEPEST_START: f64 = 0.1;

/// What all windows of a motion share.
pub struct TrackingProblem {
    /// The humanoid.
    pub body: Body,
    /// What there is to touch beside the ground.
    pub scene: Scene,
    /// How many of the scene's solids, the last ones, are supports that were inferred.
    pub(super) inferred: usize,
    /// How the engine steps.
    pub physics: Physics,
    /// The engine.
    rapier: Rapier,
    /// What windows are simulated with.
    simulator: Box<dyn Simulator>,
    /// Weights of the terms.
    pub weights: Weights,
    /// The observed motion, at the working rate.
    pub motion: Motion,
    /// Reference poses, one per frame.
    pub poses: Vec<Pose>,
    /// PD targets before any offset.
    pub(super) track: ControlTrack,
    /// Accelerations of the observed joints, smoothed, one entry per frame, m per frame².
    pub(super) accelerations: Vec<Joints>,
    /// Sizes of the observed joints' jerks, averaged over the frames around, one entry per frame,
    /// m per frame³.
    pub(super) jerks: Vec<[f64; JOINTS]>,
    /// The observed ankles `[right, left]` in the step to a frame, one entry per frame.
    pub(super) footings: Vec<[Footing; 2]>,
    /// Centres of mass of the links in the reference poses, m.
    link_centers: Vec<Vec<Vector3<f64>>>,
    /// Centre of mass of the whole body in the reference poses, m.
    pub(super) mass_centers: Vec<Vector3<f64>>,
    /// Its accelerations, low-passed, m/s²; zero in the first and last frame.
    pub(super) mass_center_accelerations: Vec<Vector3<f64>>,
    /// Vertical forces on the feet `[right, left]` in the step to every frame that the reference poses imply, as
    /// shares of body weight; `None` where they do not tell.
    pub(super) foot_loads: Vec<Option<[f64; 2]>>,
    /// Horizontal forces on them, in the same way, world frame.
    pub(super) foot_shears: Vec<Option<[Vector2<f64>; 2]>>,
    /// Where the feet `[right, left]` press on the ground in the step to every frame, by the reference poses.
    pub(super) pressures: Vec<[Option<Pressure>; 2]>,
    /// Balls of the feet.
    pub(super) balls: Vec<Ball>,
    /// From the ankles to them in the reference poses, one entry per frame, m.
    pub(super) ball_tracks: Vec<Vec<Vector3<f64>>>,
    /// Parts of the body that come near each other, where that counts.
    pub(super) overlaps: Vec<CapsulePair>,
    /// The controlled axes, (link, axis), in the order x holds them.
    pub(super) axes: Vec<(usize, usize)>,
    /// Number of cameras.
    pub(super) views: usize,
    /// What the cameras saw, `views` entries for every frame.
    pub(super) sightings: Vec<Sighting>,
}

/// A body fitted to a motion, in its reference poses.
struct Figure {
    body: Body,
    scene: Scene,
    /// How many of the scene's solids, the last ones, are supports that were inferred.
    inferred: usize,
    poses: Vec<Pose>,
}

impl Figure {
    /// The body of `settings` in the poses of `motion`, with supports where they are asked for and missing.
    fn fit(motion: &Motion, settings: &Settings) -> Result<Self> {
        let model = match &settings.body {
            Some(model) => model.clone(),
            None => BodyModel::humanoid()?,
        };
        let model = model.of_sex(settings.sex)?;
        let body = model.fit(motion, &settings.subject())?;
        body.check_contacts()?;
        let mut inferred = 0;
        let mut scene = settings.scene.clone().unwrap_or_default();
        let mut poses = model.reference_poses(&body, motion, &scene);
        let kinematics = |pose: &Pose| body.forward_kinematics(pose);
        if settings.supports {
            let links = poses.iter().map(kinematics).collect();
            let found = supports::infer(&body, links, motion.fps, &scene);
            inferred = found.len();
            if inferred > 0 {
                scene.solids.extend(found);
                poses = model.reference_poses(&body, motion, &scene);
            }
        }
        check_start(&body, &scene, &body.forward_kinematics(&poses[0]))?;
        Ok(Self {
            body,
            scene,
            inferred,
            poses,
        })
    }
}

impl TrackingProblem {
    /// Fits body and reference poses to `motion`, which is at the working rate.
    ///
    /// # Errors
    /// As [`BodyModel::fit`].
    pub fn new(motion: Motion, settings: &Settings) -> Result<Self> {
        let Figure {
            body,
            scene,
            inferred,
            poses,
        } = Figure::fit(&motion, settings)?;
        let physics = settings.physics.at_rate(motion.fps);
        let steps_per_frame = physics.steps_per_frame(motion.fps);
        let mut track = ControlTrack::new(&body, &poses, motion.fps, steps_per_frame);
        let links: Vec<_> = (poses.iter())
            .map(|pose| body.forward_kinematics(pose))
            .collect();
        let centers = |links: &Vec<Isometry3<f64>>| body.link_mass_centers(links).collect();
        let mass_centers: Vec<_> = links.iter().map(|links| body.mass_center(links)).collect();
        let reference = Reference {
            body: &body,
            scene: &scene,
            links: &links,
            fps: motion.fps,
        };
        let ground = reference.ground(&mass_centers);
        if settings.strategies.feedforward {
            track.lead(&feedforward(&reference, &ground.forces));
        }
        let balls = Ball::of(&body);
        let from_ankles = |links: &Vec<_>| balls.iter().map(|b| b.from_ankle(links)).collect();
        let ball_tracks = links.iter().map(from_ankles).collect();
        let overlaps = match settings.weights.self_collision > 0.0 {
            true => near_pairs(capsule_pairs(&body), &links),
            false => Vec::new(),
        };
        Ok(Self {
            foot_loads: loads_in_steps(&ground.loads),
            foot_shears: shears_in_steps(&ground.forces, body.mass() * GRAVITY),
            pressures: pressures_in_steps(&ground.pressures),
            mass_center_accelerations: ground.accelerations,
            balls,
            ball_tracks,
            overlaps,
            link_centers: links.iter().map(centers).collect(),
            mass_centers,
            rapier: Rapier::new((&body, &scene), &physics),
            simulator: match settings.simulator {
                SimulatorKind::Batched => {
                    Box::new(Lockstep::<Single>::new((&body, &scene), &physics))
                }
                SimulatorKind::Engine => Box::new(Rapier::new((&body, &scene), &physics)),
            },
            axes: controlled_axes(&body),
            accelerations: accelerations(&motion.joints),
            jerks: nearby(&jerks(&motion.joints), motion.fps),
            footings: footings(&motion, &scene),
            views: 0,
            sightings: Vec::new(),
            scene,
            inferred,
            physics,
            weights: settings.weights.clone(),
            body,
            motion,
            poses,
            track,
        })
    }

    /// What is said about the supports that were inferred, one line for all; `None` without any.
    pub(super) fn supports_told(&self) -> Option<String> {
        let inferred = &self.scene.solids[self.scene.solids.len() - self.inferred..];
        let told = inferred.iter().map(|solid| {
            let name = solid.name.as_deref().unwrap_or("support");
            let height = solid.top();
            let during = solid.during.clone().unwrap_or_default();
            let [from, to] = [during.start, during.end].map(|time| time.max(0.0));
            format!("{name}, {height:.2} m high, from {from:.1} to {to:.1} s")
        });
        let told: Vec<String> = told.collect();
        let advice = "nobody recorded it; --supports none leaves it out";
        (!told.is_empty()).then(|| format!("inferred: {} ({advice})", told.join("; ")))
    }

    /// Adds the keypoints of `observation` to what the windows are compared with; every
    /// `every`-th frame of the clip is one of it. The clip's motion is a fit then: too smooth to be the
    /// measure of jerks, and too uncertain to tell of skating by millimetres: that is left to the
    /// soles of the simulated feet.
    pub fn watch(&mut self, observation: &Observation, every: usize) {
        for footing in self.footings.iter_mut().flatten() {
            footing.hold = Some(Hold::of_soles());
        }
        self.views = observation.views.len();
        self.sightings = (0..self.motion.len())
            .flat_map(|t| {
                let joints = &self.motion.joints[t];
                let seen = (t % every == 0).then_some(t / every);
                observation.views.iter().map(move |view| {
                    let keypoints = seen.and_then(|s| view.frames.get(s));
                    Sighting::new(&view.camera, keypoints, joints)
                })
            })
            .collect();
    }

    /// Simulates one frame from `t` on and records it.
    pub fn advance(
        &self,
        world: &mut World,
        engine: &mut Engine,
        knots: &Knots,
        t: usize,
    ) -> Frame {
        let steps = self.track.steps_per_frame;
        let share = 1.0 / steps as f64;
        let mut frame = Frame {
            torques: vec![Vector3::zeros(); self.body.links.len()],
            moments: vec![Vector3::zeros(); self.body.links.len()],
            ..Frame::default()
        };
        let mut before = world.links();
        let drive = Drive {
            track: &self.track,
            knots,
            assistance: None,
        };
        for step in t * steps..(t + 1) * steps {
            self.rapier.step((world, engine), &drive, None, step);
            for (mean, torque) in frame.torques.iter_mut().zip(world.torques(engine)) {
                *mean += share * torque;
            }
            let contacts = world.contacts(engine);
            let after = world.links();
            let states = [before.as_slice(), &after];
            let moments = net_moments(&self.body, states, &contacts, self.physics.timestep);
            for (mean, moment) in frame.moments.iter_mut().zip(moments) {
                *mean += share * moment;
            }
            before = after;
            for contact in &contacts {
                frame.add_contact(*contact, share);
            }
            frame.steps.push(contacts);
        }
        frame.targets = self.targets(knots, t + 1);
        frame.links = world.link_poses().collect();
        frame
    }

    /// Mean distance of the 17 joints from those observed at frame `t`, m.
    pub fn frame_error(&self, links: &[Isometry3<f64>], t: usize) -> f64 {
        mean_distance(&self.body.marker_positions(links), &self.motion.joints[t])
    }

    /// How much jerkier than the observed joints those of `frames` are from frame `from` on: the ratio
    /// of the sums of all jerks; 0 where there are none, and where the motion is a fit to keypoints.
    pub(super) fn jerkiness(&self, frames: &[Frame], from: usize) -> f64 {
        let observed = acceleration_tv(&self.motion.joints[from..frames.len()]);
        if self.views > 0 || observed == 0.0 {
            return 0.0;
        }
        acceleration_tv(&self.joints_of(&frames[from..])) / observed
    }

    /// The joints of simulated frames.
    fn joints_of<'f>(&self, frames: impl IntoIterator<Item = &'f Frame>) -> Vec<Joints> {
        let markers = |frame: &Frame| self.body.marker_positions(&frame.links);
        frames.into_iter().map(markers).collect()
    }

    /// In how many steps more feet of `settled` frames, the first one being frame `from`, and of `next` ones
    /// skate than the observed ones do: their ankles, taken to stand `excess` m higher. Where the motion is a
    /// fit to keypoints, in how many they do by their soles.
    pub(super) fn surplus_skating(
        &self,
        from: usize,
        settled: &[Frame],
        next: &[Frame],
        excess: [f64; 2],
    ) -> isize {
        let frames = settled.iter().chain(next);
        if self.views > 0 {
            let links = frames.map(|frame| frame.links.as_slice());
            return footing::skating(
                &simulated_feet((&self.body, &self.scene), links),
                self.motion.fps,
            );
        }
        let footings = &self.footings[from + 1..];
        footing::surplus_skating(&self.joints_of(frames), footings, excess, self.motion.fps)
    }

    /// How much higher the ankles `[right, left]` of `frames`, the first ones of the clip, stand than the
    /// observed ones do meanwhile, m.
    pub(super) fn standing_excess(&self, frames: &[Frame]) -> [f64; 2] {
        let fps = self.motion.fps;
        let frames = &frames[..frames.len().min(footing::enough_frames(fps))];
        let observed = &self.motion.joints[..frames.len()];
        footing::standing_excess(&self.joints_of(frames), observed, fps)
    }

    /// PD targets of the links in the last simulation step to frame `t`, rotation parent ← child.
    pub(super) fn targets(&self, knots: &Knots, t: usize) -> Vec<UnitQuaternion<f64>> {
        let step = t * self.track.steps_per_frame - 1;
        let target = |link| self.track.target(knots, link, step).0;
        let own = (1..self.body.links.len()).map(target);
        std::iter::once(UnitQuaternion::identity())
            .chain(own)
            .collect()
    }

    /// Positions and velocities of the links' centres of mass in the reference at simulation step `step`, m
    /// and m/s.
    fn reference_centers(&self, step: usize) -> Vec<(Vector3<f64>, Vector3<f64>)> {
        let t = (step / self.track.steps_per_frame).min(self.link_centers.len() - 2);
        let fraction = step as f64 / self.track.steps_per_frame as f64 - t as f64;
        let centers = self.link_centers[t].iter().zip(&self.link_centers[t + 1]);
        let center = |(here, next): (&Vector3<f64>, &Vector3<f64>)| {
            let rise = next - here;
            (here + fraction * rise, self.motion.fps * rise)
        };
        centers.map(center).collect()
    }

    /// Number of rollouts that are simulated at the cost of one.
    pub(super) fn side_by_side(&self) -> usize {
        self.simulator.side_by_side()
    }

    /// Simulates `frames` from `start` on with PD targets of each of `knots` and `share` of the assistance.
    pub(super) fn nominal(
        &self,
        start: &World,
        frames: Range<usize>,
        (knots, share): (&[Knots], f64),
    ) -> Vec<Rollout> {
        self.driven(knots, share, |drives| {
            self.simulator.nominal(start, frames, drives)
        })
    }

    /// Step of forward differences between rollouts, rad.
    pub(super) fn difference_step(&self) -> f64 {
        self.simulator.difference_step()
    }

    /// Simulates `replicas` that leave `nominal` with PD targets of `knots` and `share` of the assistance, up to frame
    /// `end`.
    pub(super) fn perturbed(
        &self,
        nominal: &Rollout,
        replicas: &[Replica],
        (knots, share): (&Knots, f64),
        end: usize,
    ) -> Vec<Path> {
        self.driven(std::slice::from_ref(knots), share, |drives| {
            (self.simulator).perturbed(nominal, replicas, &drives[0], end)
        })
    }

    /// What `simulate` makes of each of `knots` and `share` of the assistance, which pulls every link towards its reference:
    /// m (k Δp + d Δv), with k and d critically damped.
    fn driven<T>(&self, knots: &[Knots], share: f64, simulate: impl FnOnce(&[Drive]) -> T) -> T {
        let centers = |step| self.reference_centers(step);
        let (stiffness, damping) = assistance(share);
        let assistance = Assistance {
            stiffness,
            damping,
            centers: &centers,
        };
        let drive = |knots| Drive {
            track: &self.track,
            knots,
            assistance: (share > 0.0).then_some(assistance),
        };
        simulate(&knots.iter().map(drive).collect::<Vec<_>>())
    }
}

/// Refuses a body whose `links` are inside a solid of `scene` at the start.
fn check_start(body: &Body, scene: &Scene, links: &[Isometry3<f64>]) -> Result<()> {
    for point in ContactPoint::of(body) {
        let link = &body.links[point.link].name;
        for (i, solid) in scene.solids.iter().enumerate() {
            let can_touch = solid.is_for(link) && solid.is_there(0.0);
            let depth = -point.nearest(links, std::iter::once(solid)).distance;
            if can_touch && depth > DEEPEST_START {
                let found = format!("{link} {depth:.2} m inside at the start");
                let advice =
                    "the body has to start outside of solids: move this one, or leave it out";
                return Err(Error::input("scene", scene.name_of(i), found, advice));
            }
        }
    }
    Ok(())
}

/// Stiffness, 1/s², and damping, 1/s, of `share` of the assistance.
fn assistance(share: f64) -> (f64, f64) {
    let stiffness = ASSISTANCE * share;
    (stiffness, 2.0 * stiffness.sqrt())
}

/// The controlled axes of the body: (link, axis), in the order x holds them.
fn controlled_axes(body: &Body) -> Vec<(usize, usize)> {
    let axes = |i: usize| (0..3).filter(move |axis| body.links[i].joint.controlled[*axis]);
    (1..body.links.len())
        .flat_map(|i| axes(i).map(move |axis| (i, axis)))
        .collect()
}

#[cfg(test)]
mod tests;
