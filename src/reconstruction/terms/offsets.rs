//! The offsets of the PD targets: their size and their change from knot to knot, rad. More weight: targets
//! nearer to the reference poses, and smoother ones.

use super::Scope;
use crate::simulation::Knots;

pub const NAMES: [&str; 2] = ["offset", "smoothness"];

/// How many times more the change of the offsets counts where jerks count in full, for those come at the
/// knots: a half more there than in between. In all motions it would cost dances a quarter of accuracy.
const SMOOTHER: f64 = 30.0;

/// The terms of the offsets of all free knots.
pub struct OffsetTerms<'a> {
    size: f64,
    change: f64,
    /// The controlled axes, (link, axis).
    axes: &'a [(usize, usize)],
    /// The free knots.
    free: std::ops::Range<usize>,
}

impl<'a> OffsetTerms<'a> {
    /// Those of the `free` knots of `scope`'s window.
    pub(in crate::reconstruction) fn new(scope: &Scope<'a>, free: std::ops::Range<usize>) -> Self {
        let weights = &scope.problem.weights;
        let axes = &scope.problem.axes;
        let count = ((free.len() * axes.len()) as f64).sqrt();
        Self {
            size: weights.offset / count,
            change: weights.smoothness * (1.0 + SMOOTHER * scope.emphasis.jerk) / count,
            axes,
            free,
        }
    }

    /// Writes the residuals of `knots` into `out`: sizes of the free ones, axis by axis, then their changes.
    pub fn residuals(&self, knots: &Knots, out: &mut [f64]) {
        let (sizes, changes) = out.split_at_mut(self.free.len() * self.axes.len());
        let out = sizes.iter_mut().zip(changes);
        let knots_and_axes = self
            .free
            .clone()
            .flat_map(|k| self.axes.iter().map(move |axis| (k, axis)));
        for ((k, (link, axis)), (size, change)) in knots_and_axes.zip(out) {
            let here = knots.at(k)[*link][*axis];
            let before = match k == knots.first {
                true => here,
                false => knots.at(k - 1)[*link][*axis],
            };
            *size = self.size * here;
            *change = self.change * (here - before);
        }
    }
}
