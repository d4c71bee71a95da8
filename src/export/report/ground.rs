//! What the ground does to each foot, as the report draws it.

use nalgebra::{Isometry3, Vector2, Vector3};
use serde_json::{Value, json};

use super::rounded;
use crate::body::Side;
use crate::export::Recording;
use crate::export::feet::Foot;
use crate::motion::directions_of_travel;
use crate::simulation::{Contact, Frame, GRAVITY, Push};

/// Pushes on the feet `[right, left]` over the interval that ends at each frame; none where they are not known.
pub type Pushes = [[Option<Push>; 2]];

/// The series of `recording` and, unless there is nothing, those of what plates `measured`.
pub(super) fn data(recording: &Recording, measured: &Pushes) -> Value {
    let frames = &recording.trajectory.frames;
    let on =
        |frame: &Frame, side| Push::from(Contact::on_foot(&frame.contacts, &recording.body, side));
    let simulated = frames
        .iter()
        .map(|frame| Side::BOTH.map(|side| Some(on(frame, side))));
    let view = View::new(recording);
    let measured = (!measured.is_empty()).then(|| view.series(measured));
    json!({
        "simulated": view.series(&simulated.collect::<Vec<_>>()),
        "measured": measured,
    })
}

/// How pushes are looked at.
struct View<'a> {
    recording: &'a Recording,
    /// The direction of travel in every frame.
    ahead: Vec<Vector2<f64>>,
    /// The feet, where they have heel and ball.
    feet: Option<[Foot; 2]>,
}

impl<'a> View<'a> {
    /// The direction of travel is the observed body's, or else the simulated one's.
    fn new(recording: &'a Recording) -> Self {
        let fps = recording.trajectory.fps;
        let ahead = match recording.reference.is_empty() {
            true => directions_of_travel(&recording.joints(), fps),
            false => directions_of_travel(&recording.reference, fps),
        };
        Self {
            recording,
            ahead,
            feet: Foot::both(&recording.body),
        }
    }

    /// Per frame and foot, `forces`: forwards, to the left, up, as shares of the body's weight, and `pressure`: the
    /// centre of pressure under the simulated foot, mm from the heel towards the ball and to the left of that line.
    fn series(&self, pushes: &Pushes) -> Value {
        let frames = &self.recording.trajectory.frames;
        let weight = self.recording.body.mass() * GRAVITY;
        let forces = pushes.iter().zip(&self.ahead).map(|(feet, ahead)| {
            feet.map(|push| {
                push.map(|push| turned(&push.force, ahead).map(|f| rounded(f / weight, 3)))
            })
        });
        let pressure = pushes.iter().zip(frames).map(|(feet, frame)| {
            [0, 1].map(|foot| {
                let center = feet[foot]?.center?;
                self.under(foot, &center, &frame.links)
            })
        });
        json!({
            "forces": forces.collect::<Vec<_>>(),
            "pressure": pressure.collect::<Vec<_>>(),
        })
    }

    /// Where `point` is under a foot of the body with its links at `links`.
    fn under(
        &self,
        foot: usize,
        point: &Vector3<f64>,
        links: &[Isometry3<f64>],
    ) -> Option<[f64; 2]> {
        let [heel, ball] = self.feet.as_ref()?[foot].points(links);
        let forward = (ball - heel).xy().try_normalize(1e-6)?;
        let [along, across, _] = turned(&(point - heel), &forward);
        Some([along, across].map(|distance| rounded(1e3 * distance, 1)))
    }
}

/// The parts of `vector` along the horizontal direction `ahead`, to the left of it, and up.
fn turned(vector: &Vector3<f64>, ahead: &Vector2<f64>) -> [f64; 3] {
    let left = Vector2::new(-ahead.y, ahead.x);
    [vector.xy().dot(ahead), vector.xy().dot(&left), vector.z]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;

    #[test]
    fn what_is_measured_stands_beside_what_is_simulated() {
        let recording = fixture::moving("walk");
        let count = recording.trajectory.frames.len();
        let weight = recording.body.mass() * GRAVITY;
        let ahead = directions_of_travel(&recording.joints(), 50.0)[4];
        let heel = Foot::both(&recording.body).unwrap()[1]
            .points(&recording.trajectory.frames[4].links)[0];
        let push = Push {
            force: weight * Vector3::new(0.1 * ahead.x, 0.1 * ahead.y, 0.5),
            center: Some(heel),
        };
        let mut measured = vec![[None; 2]; count];
        measured[4][1] = Some(push);
        let data = data(&recording, &measured);
        let series = &data["measured"];
        assert_eq!(series["forces"][4], json!([null, [0.1, 0.0, 0.5]]));
        assert_eq!(series["pressure"][4], json!([null, [0.0, 0.0]]));
        assert_eq!(series["forces"][5], json!([null, null]));
        assert_eq!(data["simulated"]["forces"][4][1], json!([0.0, 0.0, 0.0]));
        assert_eq!(super::data(&recording, &[])["measured"], Value::Null);
    }
}
