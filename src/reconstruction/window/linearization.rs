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
//!
//! What arms and head move depends little on the rest of the motion. A further Jacobian of a window may
//! leave these steady columns out; what is kept for the next window then are those of the first one, with
//! the worlds in which they and the rollout that they were compared with ended.

use std::sync::{Mutex, MutexGuard, PoisonError};

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
    /// The ends of the unperturbed rollouts: that of the first Jacobian, if columns of it are kept, and
    /// that of the last.
    bases: Vec<Tail>,
    /// Where the columns ended.
    columns: Vec<Column>,
}

/// Where a column of a Jacobian ended.
struct Column {
    /// The end of the perturbed rollout.
    tail: Tail,
    /// Which of the unperturbed ones it was compared with.
    base: usize,
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

    /// What is remembered, where something is to be.
    fn memory(&self) -> Option<MutexGuard<'_, Option<LastJacobian>>> {
        let memory = self.memory.as_ref()?;
        Some(memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The columns that a further Jacobian may leave out: none while those to be kept are not known.
    pub(super) fn left_out(&self) -> Vec<usize> {
        match self.memory().is_some_and(|last| last.is_none()) {
            true => Vec::new(),
            false => self.steady.clone(),
        }
    }

    /// Residuals and Jacobian at x, without the columns `left_out`, which are zero.
    pub(super) fn linearize(&self, x: &[f64], left_out: &[usize]) -> (DVector<f64>, DMatrix<f64>) {
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
                if left_out.binary_search(&n).is_ok() {
                    return None;
                }
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
        if let Some(mut memory) = self.memory() {
            let last = Tail::of(record, self.start.past());
            // What is left out stays as it was in the first Jacobian.
            let earlier = memory.take().filter(|_| !left_out.is_empty());
            let base = usize::from(earlier.is_some());
            let column = |tail| Column { tail, base };
            let mut columns: Vec<_> = columns.into_iter().map(|t| t.map(column)).collect();
            let mut whole = jacobian.clone();
            let mut bases = Vec::new();
            if let Some(earlier) = earlier {
                bases.extend(earlier.bases.into_iter().next());
                for (n, column) in earlier.columns.into_iter().enumerate() {
                    if columns[n].is_none() {
                        columns[n] = Some(column);
                        whole.set_column(n, &earlier.jacobian.column(n));
                    }
                }
            }
            bases.push(last);
            *memory = Some(LastJacobian {
                first: self.first,
                frames: self.frames,
                free: self.free.clone(),
                knots,
                jacobian: whole,
                bases,
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
        let axes = self.clip.axes.len();
        // The variable of the earlier window that variable n was.
        let before = |n: usize| {
            let k = self.free.start + n / axes;
            let n = k.checked_sub(earlier.free.start)? * axes + n % axes;
            earlier.free.contains(&k).then_some(n)
        };
        let residuals: Vec<_> = earlier
            .bases
            .iter()
            .map(|base| self.go_on(&base.restart(known), &knots))
            .collect();
        let last = earlier.bases.len() - 1;
        let mut jacobian = DMatrix::zeros(self.len(), self.free.len() * axes);
        jacobian
            .as_mut_slice()
            .par_chunks_mut(self.len())
            .enumerate()
            .for_each(|(n, column)| {
                let (tail, base) = match before(n) {
                    Some(n) => {
                        let slopes = earlier.jacobian.column(n);
                        let slopes = slopes.iter().skip(shift * count);
                        for (slope, earlier) in column[..known * count].iter_mut().zip(slopes) {
                            *slope = share * earlier;
                        }
                        (&earlier.columns[n].tail, earlier.columns[n].base)
                    }
                    None => (&earlier.bases[last], last),
                };
                self.difference(&residuals[base], &knots, n, &tail.restart(known), column);
            });
        Some(jacobian)
    }

    /// Residuals of the frames after that of `restart`, zero before, and of the knots.
    fn go_on(&self, restart: &Restart, knots: &Knots) -> DVector<f64> {
        let record = self.rollout(restart, knots, |_, _| ());
        let count = self.terms.count();
        let mut residuals = DVector::zeros(self.len());
        let (frames, rest) = residuals.as_mut_slice().split_at_mut(self.frames * count);
        let from = restart.frame * count;
        self.frame_residuals(&record, restart.past, restart.frame, &mut frames[from..]);
        self.knot_residuals(knots, rest);
        residuals
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
