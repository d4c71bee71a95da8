//! The Jacobian of a window, by causal forward differences, and what the next window makes of it.
//!
//! A knot cannot move frames before the knot ahead of it, so its columns leave the unperturbed simulation
//! there and cost only the rest of the window; several are simulated [at once](Lockstep), on all threads.
//!
//! Windows overlap, and the next one starts where this one has led: what moves which frame is known
//! already, except for the frames that the next window adds at its end. A window can therefore
//! keep the states in which its columns ended; from there they are simulated through the added
//! frames only, at a third of the cost of a Jacobian (two thirds where ten frames were kept, not five).
//! What results is the Jacobian at the point of the last one, a step away from where the next window
//! starts: an estimate.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nalgebra::{DMatrix, DVector, Isometry3};
use rayon::prelude::*;

use super::{Past, PhysicsWindow, Record, Recorded};
use crate::objective::{Jacobian, Objective, Residuals};
use crate::simulation::{Knots, LinkState, PathFrame, Replica, World};

/// The last Jacobian of a window, and where its columns ended.
pub struct LastJacobian {
    first: usize,
    frames: usize,
    free: std::ops::Range<usize>,
    knots: Knots,
    jacobian: Jacobian,
    /// Where the unperturbed rollout ended.
    base: (World, Before),
    /// Where the columns ended: the links and what was before.
    columns: Vec<(Vec<LinkState>, Before)>,
}

/// Link poses one frame and two frames earlier, where they are known.
type Before = [Option<Vec<Isometry3<f64>>>; 2];

/// Those before the end of `record`, before which the links were in `past`.
fn before_end(record: &Record, past: Past) -> Before {
    let last = record.links.len() - 1;
    [1, 2].map(|ago| record.before(last, ago, past).map(<[_]>::to_vec))
}

fn as_past(before: &Before) -> Past<'_> {
    before.each_ref().map(Option::as_deref)
}

/// An unperturbed rollout, with which columns are compared.
struct Base<'a> {
    /// Frames after the window's first frame at which it starts.
    frame: usize,
    rollout: Arc<Recorded>,
    past: Past<'a>,
    /// Residuals of the frames after the start, zero before, and of the knots.
    residuals: DVector<f64>,
}

/// A column to be found.
struct Branch<'a> {
    /// Frames after the window's first frame at which the perturbed rollout leaves the base.
    onset: usize,
    /// Where it starts, if not there, and from when on.
    start: Option<(&'a [LinkState], Past<'a>)>,
}

impl LastJacobian {
    /// The Jacobian, residuals by variables.
    pub fn matrix(&self) -> &DMatrix<f64> {
        &self.jacobian
    }
}

impl PhysicsWindow<'_> {
    /// The same window with the last Jacobian of the window before, or none.
    #[must_use]
    pub fn with_inherited(self, jacobian: Option<LastJacobian>) -> Self {
        Self {
            inherited: jacobian,
            ..self
        }
    }

    /// The same window that keeps its last Jacobian from now on.
    #[must_use]
    pub fn remembering(self) -> Self {
        Self {
            memory: Some(Mutex::new(None)),
            ..self
        }
    }

    /// The last Jacobian since [`remembering`](Self::remembering).
    pub fn take_last_jacobian(&mut self) -> Option<LastJacobian> {
        let memory = self.memory.take()?;
        memory.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered, where something is to be.
    fn memory(&self) -> Option<MutexGuard<'_, Option<LastJacobian>>> {
        let memory = self.memory.as_ref()?;
        Some(memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A matrix for the next Jacobian, residuals by variables: the last one, where nobody needs it any more. Fresh
    /// memory costs a tenth of the time that the columns take.
    fn matrix(&self) -> DMatrix<f64> {
        let last = self.memory().and_then(|mut memory| memory.take());
        let last = last.and_then(|last| Arc::into_inner(last.jacobian));
        let shape = (self.len(), self.dimension());
        let fitting = last.filter(|matrix| matrix.shape() == shape);
        fitting.unwrap_or_else(|| DMatrix::zeros(shape.0, shape.1))
    }

    /// Keeps `jacobian` at `knots`, where it is to be kept; its columns ended in `columns`.
    fn remember(
        &self,
        base: &Base,
        knots: Knots,
        jacobian: &Jacobian,
        columns: Vec<(Vec<LinkState>, Before)>,
    ) {
        if let Some(mut memory) = self.memory() {
            let before = before_end(&base.rollout.record, base.past);
            *memory = Some(LastJacobian {
                first: self.first,
                frames: self.frames,
                free: self.free.clone(),
                knots,
                jacobian: Arc::clone(jacobian),
                base: (base.rollout.rollout.end(), before),
                columns,
            });
        }
    }

    /// Residuals and Jacobian at x.
    pub(super) fn linearize(&self, x: &[f64]) -> (DVector<f64>, Jacobian) {
        let knots = self.knots_at(x);
        let rollout = self.rollout_at(x);
        let base = Base {
            frame: 0,
            residuals: self.assemble(&rollout.record, &knots),
            rollout,
            past: self.start.past(),
        };
        let axes = self.problem.axes.len();
        let branch = |n: usize| Branch {
            onset: self.onset(self.free.start + n / axes),
            start: None,
        };
        let branches: Vec<_> = (0..x.len()).map(branch).collect();
        let mut jacobian = self.matrix();
        for (mut column, branch) in jacobian.column_iter_mut().zip(&branches) {
            let before = branch.onset * self.terms.count();
            column.rows_mut(0, before).fill(0.0);
        }
        let columns = self.differentiate(&base, &knots, &branches, &mut jacobian);
        let jacobian = Arc::new(jacobian);
        self.remember(&base, knots, &jacobian, columns);
        (base.residuals, jacobian)
    }

    /// The Jacobian at the point of `earlier`, as far as its frames and knots go, with the frames and
    /// knots that are new added; `None` for a window that is longer or has more new frames than old
    /// ones.
    pub(super) fn inherited_jacobian(&self, earlier: &LastJacobian) -> Option<Jacobian> {
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
        let axes = self.problem.axes.len();
        // The variable of the earlier window that variable n was.
        let before = |n: usize| {
            let k = self.free.start + n / axes;
            let n = k.checked_sub(earlier.free.start)? * axes + n % axes;
            earlier.free.contains(&k).then_some(n)
        };
        let mut jacobian = self.matrix();
        jacobian.fill(0.0);
        for n in 0..jacobian.ncols() {
            if let Some(before) = before(n) {
                let slopes = earlier.jacobian.column(before);
                let slopes = slopes.rows(shift * count, known * count);
                let mut here = jacobian.view_mut((0, n), slopes.shape());
                here.copy_from(&slopes);
                here *= share;
            }
        }
        let (world, past) = &earlier.base;
        let past = as_past(past);
        let rollout = (self.rollouts_from(world, known, std::slice::from_ref(&knots))).remove(0);
        let mut residuals = DVector::zeros(self.len());
        let after = &mut residuals.as_mut_slice()[known * count..];
        self.residuals_after(known, (&rollout.record, past), &knots, after);
        let base = Base {
            frame: known,
            residuals,
            rollout,
            past,
        };
        let branch = |n: usize| {
            let column = before(n).map(|n| &earlier.columns[n]);
            let onset = self.onset(self.free.start + n / axes).max(known);
            Branch {
                onset: if column.is_some() { known } else { onset },
                start: column.map(|(links, before)| (&links[..], as_past(before))),
            }
        };
        let branches: Vec<_> = (0..jacobian.ncols()).map(branch).collect();
        let columns = self.differentiate(&base, &knots, &branches, &mut jacobian);
        let jacobian = Arc::new(jacobian);
        self.remember(&base, knots, &jacobian, columns);
        Some(jacobian)
    }

    /// Frames after the first at which knot `k` begins to act: fewer than the window has.
    fn onset(&self, k: usize) -> usize {
        (k.saturating_sub(1) * self.knots.spacing).saturating_sub(self.first)
    }

    /// Writes the derivatives of the frames after each branch's onset, and of the knots, into its column of
    /// `jacobian`; returns where the perturbed rollouts end. There is a branch for every variable.
    fn differentiate(
        &self,
        base: &Base,
        knots: &Knots,
        branches: &[Branch],
        jacobian: &mut DMatrix<f64>,
    ) -> Vec<(Vec<LinkState>, Before)> {
        let axes = &self.problem.axes;
        let step = self.problem.difference_step();
        let perturbed: Vec<(usize, Knots)> = (0..branches.len())
            .map(|n| {
                let k = self.free.start + n / axes.len();
                let (link, axis) = axes[n % axes.len()];
                let mut knots = knots.clone();
                knots.offsets[k - knots.first][link][axis] += step;
                (link, knots)
            })
            .collect();
        let copies = branches.iter().zip(&perturbed);
        let copies: Vec<Replica> = copies
            .map(|(branch, (link, knots))| Replica {
                onset: self.first + branch.onset,
                start: branch.start.map(|(links, _)| links),
                own: Some((*link, knots)),
            })
            .collect();
        let nominal = &base.rollout.rollout;
        let end = self.first + self.frames;
        let drive = (knots, self.assistance);
        let mut paths = self.problem.perturbed(nominal, &copies, drive, end);
        let column = |(n, column): (usize, &mut [f64])| {
            self.column(base, &branches[n], &perturbed[n], &paths[n], column)
        };
        let columns = jacobian.as_mut_slice().par_chunks_mut(self.len());
        let before: Vec<_> = columns.enumerate().map(column).collect();
        let ends = paths.iter_mut().filter_map(Vec::pop);
        ends.map(|end| end.links).zip(before).collect()
    }

    /// Writes the derivatives by one variable into `column`; returns the link poses before the end of
    /// `path`, which `branch` took with the knots of its `link`.
    fn column(
        &self,
        base: &Base,
        branch: &Branch,
        (link, knots): &(usize, Knots),
        path: &[PathFrame],
        column: &mut [f64],
    ) -> Before {
        let unperturbed = &base.rollout.record;
        let since = branch.onset - base.frame;
        let mut targets = unperturbed.targets[since..].to_vec();
        for (frame, targets) in (branch.onset..).zip(&mut targets).skip(1) {
            let step = (self.first + frame) * self.problem.track.steps_per_frame - 1;
            targets[*link] = self.problem.track.target(knots, *link, step).0;
        }
        let record = self.record(path, targets.into_iter());
        let past = match branch.start {
            Some((_, past)) => past,
            None => [1, 2].map(|ago| unperturbed.before(since, ago, base.past)),
        };
        let from = branch.onset * self.terms.count();
        let column = &mut column[from..];
        column.fill(0.0);
        self.residuals_after(branch.onset, (&record, past), knots, column);
        let step = self.problem.difference_step();
        for (slope, base) in column.iter_mut().zip(&base.residuals.as_slice()[from..]) {
            *slope = (*slope - base) / step;
        }
        before_end(&record, past)
    }
}
