//! The Jacobian of a window, by causal forward differences, and what the next window makes of it.
//!
//! A knot cannot move frames before the knot ahead of it, so its columns restart from a snapshot of
//! the world there and cost only the rest of the window; columns run in parallel.
//!
//! Windows overlap, and the next one starts where this one has led: what moves which frame is known
//! already, except for the frames that the next window adds at its end. A window can therefore
//! keep the worlds in which its columns ended; from there they are simulated through the added
//! frames only, at a third of the cost of a Jacobian (two thirds where ten frames were kept, not five).
//! What results is the Jacobian at the point of the last one, a step away from where the next window
//! starts: an estimate.

use std::sync::{Mutex, PoisonError};

use nalgebra::{DMatrix, DVector, Isometry3};
use rayon::prelude::*;

use super::{DIFFERENCE_STEP, Past, PhysicsWindow, Record, Restart};
use crate::objective::Residuals;
use crate::simulation::{Knots, World};

/// The last Jacobian of a window, and where its columns ended.
pub struct LastJacobian {
    first: usize,
    frames: usize,
    free: std::ops::Range<usize>,
    knots: Knots,
    jacobian: DMatrix<f64>,
    /// The unperturbed rollout's end.
    base: Tail,
    /// The perturbed ones' ends, one per column.
    columns: Vec<Tail>,
}

/// The end of a rollout.
struct Tail {
    world: World,
    /// Link poses in the last frame.
    links: Vec<Isometry3<f64>>,
    /// Those one frame and two frames earlier, where they are known.
    past: [Option<Vec<Isometry3<f64>>>; 2],
}

impl Tail {
    /// That of `record`, before which the links were in `past`.
    fn of(mut record: Record, past: Past) -> Self {
        let last = record.links.len() - 1;
        let past = [1, 2].map(|ago| record.before(last, ago, past).map(<[_]>::to_vec));
        Self {
            links: record.links.swap_remove(last),
            past,
            world: record.end,
        }
    }

    /// Where to go on from, `frame` frames after the window's first frame.
    fn restart(&self, frame: usize) -> Restart<'_> {
        Restart {
            world: &self.world,
            frame,
            links: &self.links,
            past: self.past.each_ref().map(Option::as_deref),
        }
    }
}

impl PhysicsWindow<'_> {
    /// Takes over the last Jacobian of the window before, or none.
    pub fn inherit(&mut self, jacobian: Option<LastJacobian>) {
        self.inherited = jacobian;
    }

    /// Keeps the last Jacobian from now on; forgets what was kept.
    pub fn remember(&mut self) {
        self.memory = Some(Mutex::new(None));
    }

    /// The last Jacobian since [`remember`](Self::remember).
    pub fn take_last_jacobian(&mut self) -> Option<LastJacobian> {
        let memory = self.memory.take()?;
        memory.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Residuals and Jacobian at x.
    pub(super) fn linearize(&self, x: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        let knots = self.knots_at(x);
        let onsets: Vec<usize> = self.free.clone().map(|k| self.onset(k)).collect();
        // Where a knot begins to act, the world there.
        let mut snapshots = vec![self.start.world.clone(); self.frames];
        let links = self.start_links();
        let record = self.rollout(&self.restart(&links), &knots, |frame, world| {
            if onsets.contains(&frame) {
                snapshots[frame] = world.clone();
            }
        });
        let residuals = self.assemble(&record, &knots);
        let axes = self.clip.axes.len();
        let mut jacobian = DMatrix::zeros(self.len(), x.len());
        let columns: Vec<Option<Tail>> = jacobian
            .as_mut_slice()
            .par_chunks_mut(self.len())
            .enumerate()
            .map(|(n, column)| {
                let frame = onsets[n / axes];
                let restart = Restart {
                    world: &snapshots[frame],
                    frame,
                    links: &record.links[frame],
                    past: [1, 2].map(|ago| record.before(frame, ago, self.start.past())),
                };
                let tail = self.difference(&residuals, &knots, n, &restart, column);
                self.memory.as_ref().map(|_| tail)
            })
            .collect();
        if let Some(memory) = &self.memory {
            *memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(LastJacobian {
                first: self.first,
                frames: self.frames,
                free: self.free.clone(),
                knots,
                jacobian: jacobian.clone(),
                base: Tail::of(record, self.start.past()),
                columns: columns.into_iter().flatten().collect(),
            });
        }
        (residuals, jacobian)
    }

    /// The Jacobian at the point of `earlier`, as far as its frames and knots go, with the frames and
    /// knots that are new added; `None` for a window that is longer or has more new frames than old
    /// ones.
    pub(super) fn inherited_jacobian(&self, earlier: &LastJacobian) -> Option<DMatrix<f64>> {
        let shift = self.first.checked_sub(earlier.first)?;
        let known = earlier.frames.checked_sub(shift)?.min(self.frames);
        if self.frames > earlier.frames || self.frames - known > known {
            return None;
        }
        let count = self.terms.count();
        // Residuals are shares of the window.
        let share = (earlier.frames as f64 / self.frames as f64).sqrt();
        let mut knots = self.knots.clone();
        for k in self.free.start..earlier.free.end.min(self.free.end) {
            knots.offsets[k - knots.first].clone_from_slice(earlier.knots.at(k));
        }
        let restart = earlier.base.restart(known);
        let base = self.rollout(&restart, &knots, |_, _| ());
        let mut residuals = DVector::zeros(self.len());
        let (frames, rest) = residuals.as_mut_slice().split_at_mut(self.frames * count);
        self.frame_residuals(&base, restart.past, known, &mut frames[known * count..]);
        self.knot_residuals(&knots, rest);
        let axes = self.clip.axes.len();
        let mut jacobian = DMatrix::zeros(self.len(), self.free.len() * axes);
        jacobian
            .as_mut_slice()
            .par_chunks_mut(self.len())
            .enumerate()
            .for_each(|(n, column)| {
                let k = self.free.start + n / axes;
                let tail = match earlier.free.contains(&k) {
                    true => {
                        let n = (k - earlier.free.start) * axes + n % axes;
                        let slopes = earlier.jacobian.column(n);
                        let slopes = slopes.iter().skip(shift * count);
                        for (slope, earlier) in column[..known * count].iter_mut().zip(slopes) {
                            *slope = share * earlier;
                        }
                        &earlier.columns[n]
                    }
                    false => &earlier.base,
                };
                self.difference(&residuals, &knots, n, &tail.restart(known), column);
            });
        Some(jacobian)
    }

    /// Frames after the first at which knot `k` begins to act: fewer than the window has.
    fn onset(&self, k: usize) -> usize {
        (k.saturating_sub(1) * self.knots.spacing).saturating_sub(self.first)
    }

    /// Derivatives by variable `n` of the frames after that of `restart`, and of the knots; returns
    /// where the perturbed rollout ends.
    fn difference(
        &self,
        residuals: &DVector<f64>,
        knots: &Knots,
        n: usize,
        restart: &Restart,
        column: &mut [f64],
    ) -> Tail {
        let axes = &self.clip.axes;
        let k = self.free.start + n / axes.len();
        let (link, axis) = axes[n % axes.len()];
        let mut knots = knots.clone();
        knots.offsets[k - knots.first][link][axis] += DIFFERENCE_STEP;
        let moved = self.rollout(restart, &knots, |_, _| ());
        let from = restart.frame * self.terms.count();
        let (frames, rest) =
            column[from..].split_at_mut((self.frames - restart.frame) * self.terms.count());
        self.frame_residuals(&moved, restart.past, restart.frame, frames);
        self.knot_residuals(&knots, rest);
        for (slope, base) in column[from..].iter_mut().zip(residuals.iter().skip(from)) {
            *slope = (*slope - base) / DIFFERENCE_STEP;
        }
        Tail::of(moved, restart.past)
    }
}
