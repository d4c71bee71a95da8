//! Feedforward control: PD targets that lead so far that the motors already give what the reference poses need, by inverse
//! dynamics of the poses and of what the ground does to the feet in them. What is optimized are the offsets from there.
//! Where the poses do not tell what carries the body, targets do not lead.

use nalgebra::Vector3;

use super::loads::{FORCE_CUTOFF, Forces, Reference, hold_ends};
use crate::motion::low_pass;
use crate::simulation::{Contact, LinkState, net_moments};

/// By how much the PD targets have to lead the reference poses so that the motors give the net moments about the joints:
/// rotation vectors in the frames of the links, frame by frame and link by link, rad. They are low-passed as the
/// accelerations are, and no larger than the torques that the joints can give.
pub(super) fn feedforward(
    reference: &Reference,
    forces: &[Option<Forces>],
) -> Vec<Vec<Vector3<f64>>> {
    let (body, frames) = (reference.body, reference.links.len());
    let mut leads = vec![vec![Vector3::zeros(); body.links.len()]; frames];
    let states = between(reference);
    for t in 1..frames.saturating_sub(1) {
        let Some(forces) = &forces[t] else {
            continue;
        };
        let contacts: Vec<Contact> = forces.iter().flatten().copied().collect();
        let step = [states[t - 1].as_slice(), &states[t]];
        let moments = net_moments(body, step, &contacts, 1.0 / reference.fps);
        for (i, link) in body.links.iter().enumerate().skip(1) {
            let moment = reference.links[t][i].rotation.inverse() * moments[i];
            let limit = link.joint.torque_limit;
            leads[t][i] = moment.map(|m| m.clamp(-limit, limit)) / link.joint.stiffness;
        }
    }
    hold_ends(&mut leads);
    for i in 1..body.links.len() {
        let track: Vec<_> = leads.iter().map(|leads| leads[i]).collect();
        let smooth = low_pass(&track, reference.fps, FORCE_CUTOFF);
        for (leads, smooth) in leads.iter_mut().zip(smooth) {
            leads[i] = smooth;
        }
    }
    leads
}

/// The links half a frame after every frame but the last, with their low-passed velocities.
fn between(reference: &Reference) -> Vec<Vec<LinkState>> {
    let Reference {
        body, links, fps, ..
    } = *reference;
    let centers: Vec<Vec<Vector3<f64>>> = (links.iter())
        .map(|links| body.link_mass_centers(links).collect())
        .collect();
    let steps = 0..links.len() - 1;
    let tracks = (0..body.links.len()).map(|i| {
        let linear = |t: usize| fps * (centers[t + 1][i] - centers[t][i]);
        let turn = |t: usize| links[t + 1][i].rotation * links[t][i].rotation.inverse();
        let angular = |t: usize| fps * turn(t).scaled_axis();
        let smooth = |track: Vec<_>| low_pass(&track, fps, FORCE_CUTOFF);
        [
            smooth(steps.clone().map(linear).collect()),
            smooth(steps.clone().map(angular).collect()),
        ]
    });
    let tracks: Vec<_> = tracks.collect();
    let state = |t: usize, i: usize| LinkState {
        center: 0.5 * (centers[t][i] + centers[t + 1][i]),
        rotation: links[t][i].rotation.slerp(&links[t + 1][i].rotation, 0.5),
        linear: tracks[i][0][t],
        angular: tracks[i][1][t],
    };
    let all = |t: usize| (0..body.links.len()).map(|i| state(t, i)).collect();
    steps.clone().map(all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{Subject, fit, reference_poses};
    use crate::motion::sample;
    use crate::scene::Scene;
    use crate::simulation::GRAVITY;

    /// What targets lead by in 20 frames of a still pose of the sample squat, moved up by `lift`, m.
    fn leads_of_a_still_pose(lift: f64) -> (crate::body::Body, Vec<Vec<Vector3<f64>>>) {
        let motion = sample("squat").unwrap();
        let body = fit(&motion, &Subject::default()).unwrap();
        let mut pose = reference_poses(&body, &motion).unwrap()[0].clone();
        pose.root.translation.vector.z += lift;
        let links = vec![body.forward_kinematics(&pose); 20];
        let centers: Vec<_> = links.iter().map(|links| body.mass_center(links)).collect();
        let reference = Reference {
            body: &body,
            scene: &Scene::default(),
            links: &links,
            fps: motion.fps,
        };
        let leads = feedforward(&reference, &reference.ground(&centers).forces);
        (body, leads)
    }

    #[test]
    fn the_ankles_of_who_stands_still_hold_the_body_upright_against_the_ground() {
        let (body, leads) = leads_of_a_still_pose(0.0);
        for leads in leads {
            let mut moment = 0.0; // about the ankles, plantar flexion, N·m
            for (link, lead) in body.links.iter().zip(&leads) {
                if link.foot.is_some() {
                    moment += link.joint.stiffness * lead.y;
                }
            }
            // The centre of mass of who stands is 3 to 6 cm ahead of the ankles (Winter 2009).
            let arm = moment / (body.mass() * GRAVITY);
            assert!(arm > 0.01 && arm < 0.09, "{arm}");
        }
    }

    #[test]
    fn who_is_held_by_something_unknown_does_not_tell() {
        let (_, leads) = leads_of_a_still_pose(1.0);
        assert!(leads.iter().flatten().all(|lead| *lead == Vector3::zeros()));
    }
}
