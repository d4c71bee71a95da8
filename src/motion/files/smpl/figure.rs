//! The body that takes the poses of a file: where its joints are at rest, and how large it is.

use nalgebra::Vector3;

use super::betas::Betas;
use super::body::{self, COUNT, STATURE};
use super::model::BodyModel;

/// What is known of a body's size.
pub struct Size {
    /// The length of a metre in the file's unit.
    pub metre: f64,
    /// Standing height as the user says, m.
    pub stature: Option<f64>,
    /// The length of the body's metre in the file's unit, as the file says.
    pub scale: Option<f64>,
}

/// A body at rest.
pub struct Figure {
    /// From the parent to every joint, as [`body::OFFSETS`], in the body's metre.
    pub offsets: [Vector3<f64>; COUNT],
    /// The length of that metre in the file's unit.
    pub scale: f64,
    /// What it is.
    title: String,
    /// Where its shape is from, unless it is nobody's.
    shape: Option<String>,
}

impl Figure {
    /// The body of average proportions, as large as `size` says.
    pub fn average(size: &Size) -> Self {
        let (scale, words) = match (size.stature, size.scale) {
            (Some(stature), _) => (
                size.metre * stature / STATURE,
                format!("{stature:.2} m tall (--stature)"),
            ),
            (None, Some(scale)) => (scale, "sized as the file says".to_string()),
            (None, None) => (
                size.metre,
                format!("{STATURE:.2} m tall, as the file does not say (--stature)"),
            ),
        };
        Self {
            offsets: body::offsets(),
            scale,
            title: average(&words),
            shape: None,
        }
    }

    /// A body whose `offsets` are in the file, in metres, as the array `name`.
    pub fn resting(offsets: [Vector3<f64>; COUNT], name: &str, size: &Size) -> Self {
        Self {
            offsets,
            scale: size.metre,
            title: average(&format!("sized by {name}")),
            shape: None,
        }
    }

    /// The body that `model` has by `betas`, or else its mean. It has a size of its own, which the file's scale changes,
    /// and the user's stature overrules.
    pub fn shaped(model: &BodyModel, betas: Option<&Betas>, size: &Size) -> Self {
        let offsets = model.offsets(betas.map_or(&[], |betas| &betas.values));
        let own = body::stature(&offsets);
        let (scale, words) = match (size.stature, size.scale) {
            (Some(stature), _) => (
                size.metre * stature / own,
                format!("{stature:.2} m tall (--stature), {own:.2} m by its shape"),
            ),
            (None, Some(scale)) => (scale, "sized as the file says".to_string()),
            (None, None) => (size.metre, format!("{own:.2} m tall")),
        };
        Self {
            offsets,
            scale,
            title: format!("taken by the body of the model, {words}; hands are not used"),
            shape: Some(format!(
                "body: from {}, {}",
                model.origin(),
                used(betas, model.coefficients())
            )),
        }
    }

    /// What there is to say of it in a file whose parameters are called `names`.
    pub fn notes(&self, names: &str) -> Vec<String> {
        let title = format!("skeleton: SMPL's pose parameters ({names}), {}", self.title);
        [Some(title), self.shape.clone()]
            .into_iter()
            .flatten()
            .collect()
    }
}

fn average(words: &str) -> String {
    format!("taken by a body of average proportions, {words}; shape (betas) and hands are not used")
}

/// Which of the `betas` a model of `most` coefficients uses.
fn used(betas: Option<&Betas>, most: usize) -> String {
    let Some(betas) = betas else {
        return "its mean shape, as the motion has no betas".to_string();
    };
    let count = betas.values.len();
    let words = match count.cmp(&most) {
        std::cmp::Ordering::Less => format!("{count} betas, of {most} that it has"),
        std::cmp::Ordering::Equal => format!("{count} betas"),
        std::cmp::Ordering::Greater => format!("{most} betas, of {count} that the motion has"),
    };
    match betas.frames {
        1 => words,
        frames => format!("{words}, the mean of {frames} frames"),
    }
}
