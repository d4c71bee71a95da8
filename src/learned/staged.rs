//! A guided optimizer in stages: it descends by the network, and then, as the run shows, either follows a
//! valley by line searches or surveys the objective from afar for a lower minimum.
//!
//! 1. **Opening.** The network, for a seventh of the budget. It descends fast, whatever the units, and
//!    comes to rest in the next minimum.
//! 2. **Descent.** Where slopes along its last steps fell as often as in a valley, whose coordinates depend
//!    on each other, L-BFGS goes on from the best point with line searches, which the network cannot make.
//! 3. **Survey.** Once at rest, [`survey`](super::survey) looks for a lower minimum in a box of twice the
//!    distance that the opening has gone, and a descent follows from the best point seen; again in half the
//!    box while the budget lasts.
//! 4. **Resumption.** When a survey shows nothing, or there is no budget for another, the network goes on
//!    from where it was.
//!
//! The rules were set by hand; the network knows nothing of them.

use std::collections::VecDeque;

use super::directions::{LONGEST, rms};
use super::survey::{News, Survey};
use super::{Batch, Learned};
use crate::error::Result;
use crate::objective::{Evaluation, Order};
use crate::optim::{Budget, LBfgs, Optimizer, Query};

/// The share of the budget that the opening has, and the fewest evaluations of one.
const OPENING: f64 = 0.15;
const SHORTEST_OPENING: usize = 25;

/// The budget that is planned with where there is no other.
const UNLIMITED: usize = 1000;

/// Steps whose slopes are compared.
const STEPS: usize = 10;

/// The share of falling slopes from which on a run is taken to be in a valley.
const VALLEY: f64 = 0.15;

/// Half widths of the first box, in units of the distance gone in the opening, and of every other box, in
/// units of the one before.
const FIRST_BOX: f64 = 2.0;
const NEXT_BOX: f64 = 0.5;

/// ‖∇f‖∞ at which a descent ends.
const GRADIENT_TOLERANCE: f64 = 1e-9;

/// A guided network, line searches and surveys.
#[derive(Clone, Debug)]
pub struct Staged {
    learned: Learned,
    /// Length of the network's first steps, in units of x.
    first_scale: f64,
    descent: LBfgs,
}

/// Where a run is.
#[derive(Clone, Debug)]
pub struct StagedState {
    start: Vec<f64>,
    /// Evaluations in all, and those done.
    budget: usize,
    done: usize,
    network: Batch,
    slopes: Slopes,
    /// The best point, `(N,)`, and the look at it.
    best: Option<(Vec<f64>, Evaluation)>,
    /// Half width of the last survey's first box.
    half_width: Option<f64>,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    Opening,
    Descent(Box<<LBfgs as Optimizer>::State>),
    Survey(Box<Survey>),
    Resumption,
}

/// How slopes changed along the last steps.
#[derive(Clone, Debug, Default)]
struct Slopes {
    last: Option<(Vec<f64>, Vec<f64>)>,
    /// Coordinates whose slope fell in the direction they moved, by step.
    falling: VecDeque<usize>,
}

impl Slopes {
    /// Takes in a point and its gradient, `(N,)` each.
    fn observe(&mut self, x: &[f64], gradient: &[f64]) {
        if let Some((last, before)) = &self.last {
            let moved = x.iter().zip(last).map(|(x, last)| x - last);
            let changed = gradient.iter().zip(before).map(|(g, before)| g - before);
            let falling = moved.zip(changed).filter(|(s, y)| s * y < 0.0).count();
            if self.falling.len() == STEPS {
                self.falling.pop_front();
            }
            self.falling.push_back(falling);
        }
        self.last = Some((x.to_vec(), gradient.to_vec()));
    }

    /// The share of coordinates with falling slopes.
    fn share(&self) -> f64 {
        let variables = self.last.as_ref().map_or(1, |(x, _)| x.len());
        let all = (variables * self.falling.len()).max(1);
        self.falling.iter().sum::<usize>() as f64 / all as f64
    }
}

impl Staged {
    /// Around `learned`, whose first steps are `first_scale` long, in units of x.
    pub fn new(learned: Learned, first_scale: f64) -> Self {
        Self {
            learned,
            first_scale,
            descent: LBfgs {
                gradient_tolerance: GRADIENT_TOLERANCE,
                ..LBfgs::default()
            },
        }
    }

    /// Line searches from the best point on, unless it is a minimum already.
    fn descend(&self, state: &mut StagedState) -> Result<()> {
        let Some((x, look)) = &state.best else {
            state.stage = Stage::Resumption;
            return Ok(());
        };
        let mut descent = self.descent.init(x);
        self.descent.tell(&mut descent, look)?;
        if self.descent.converged(&descent) {
            self.look_around(state);
        } else {
            state.stage = Stage::Descent(Box::new(descent));
        }
        Ok(())
    }

    /// A survey around the best point, or, where there is no budget for one, the network again.
    fn look_around(&self, state: &mut StagedState) {
        let survey = state.best.as_ref().and_then(|(center, _)| {
            let gone = center.iter().zip(&state.start).map(|(x, start)| x - start);
            let gone = rms(&gone.collect::<Vec<f64>>());
            let first = (FIRST_BOX * gone).max(LONGEST * self.first_scale);
            let half_width = state.half_width.map_or(first, |last| NEXT_BOX * last);
            let left = state.budget.saturating_sub(state.done);
            let is_first = state.half_width.is_none();
            Survey::new(center.clone(), half_width, (left, state.budget), is_first)
        });
        state.stage = match survey {
            Some(survey) => {
                state.half_width = Some(survey.half_width());
                Stage::Survey(Box::new(survey))
            }
            None => Stage::Resumption,
        };
    }

    fn start(&self, x0: &[f64], budget: usize) -> StagedState {
        StagedState {
            start: x0.to_vec(),
            budget: budget.min(UNLIMITED),
            done: 0,
            network: self.learned.init(x0),
            slopes: Slopes::default(),
            best: None,
            half_width: None,
            stage: Stage::Opening,
        }
    }
}

impl Optimizer for Staged {
    type State = StagedState;

    fn init(&self, x0: &[f64]) -> StagedState {
        self.start(x0, UNLIMITED)
    }

    fn init_within(&self, x0: &[f64], budget: &Budget) -> StagedState {
        self.start(x0, budget.points())
    }

    fn ask<'s>(&self, state: &'s StagedState) -> Query<'s> {
        match &state.stage {
            Stage::Opening | Stage::Resumption => self.learned.ask(&state.network),
            Stage::Descent(descent) => self.descent.ask(descent),
            Stage::Survey(survey) => Query {
                x: survey.point(),
                order: Order::Gradient,
            },
        }
    }

    fn tell(&self, state: &mut StagedState, evaluation: &Evaluation) -> Result<()> {
        let x = self.ask(state).x.to_vec();
        state.done += 1;
        if state.stage.is_opening() {
            state.slopes.observe(&x, &evaluation.gradient);
        }
        let lowest = state
            .best
            .as_ref()
            .map_or(f64::INFINITY, |best| best.1.value);
        if evaluation.value < lowest {
            state.best = Some((x, evaluation.clone()));
        }
        match &mut state.stage {
            Stage::Opening => {
                self.learned.tell(&mut state.network, evaluation)?;
                let opening = (OPENING * state.budget as f64).round() as usize;
                if state.done >= opening.max(SHORTEST_OPENING) {
                    if state.slopes.share() > VALLEY {
                        self.descend(state)?;
                    } else {
                        self.look_around(state);
                    }
                }
            }
            Stage::Descent(descent) => {
                self.descent.tell(descent, evaluation)?;
                if self.descent.converged(descent) {
                    self.look_around(state);
                }
            }
            Stage::Survey(survey) => match survey.tell(evaluation) {
                News::GoOn => {}
                News::Nothing => state.stage = Stage::Resumption,
                News::Done => self.descend(state)?,
            },
            Stage::Resumption => self.learned.tell(&mut state.network, evaluation)?,
        }
        Ok(())
    }
}

impl Stage {
    fn is_opening(&self) -> bool {
        matches!(self, Self::Opening)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_fall_in_valleys_and_rise_in_bowls() {
        let (mut bowl, mut saddle) = (Slopes::default(), Slopes::default());
        for k in 0..20 {
            let x = [(k as f64).sin(), (2.0 * k as f64).cos()];
            bowl.observe(&x, &[2.0 * x[0], 4.0 * x[1]]);
            saddle.observe(&x, &[2.0 * x[0], -4.0 * x[1]]);
        }
        assert_eq!((bowl.share(), saddle.share()), (0.0, 0.5));
        assert_eq!(bowl.falling.len(), STEPS);
    }
}
