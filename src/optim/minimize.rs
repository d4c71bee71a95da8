//! The one loop: budget, stopping rule, best-so-far, observers.
//!
//! The loop counts *distinct* points. Asking for the value at a point and then for its gradient or
//! Jacobian is one evaluation, so a method may look cheaply first and closely only where it pays.

use crate::error::{Error, Result};
use crate::objective::{Evaluation, Objective, Order};

use super::{Budget, Minimum, Observer, Optimizer, Query, Termination};

/// An optimizer picked by name: minimizes any objective from any point.
pub trait Minimize: Sync + Send {
    /// The name in tables and on the command line.
    fn name(&self) -> String;

    /// Minimizes `objective` from `x0: (N,)` within `budget`.
    ///
    /// # Errors
    /// Only when the optimizer itself is broken or does not fit the objective; divergence is a
    /// [`Termination`].
    fn minimize(
        &self,
        objective: &dyn Objective,
        x0: &[f64],
        budget: &Budget,
        observer: &mut dyn Observer,
    ) -> Result<Minimum>;
}

/// An ask/tell [`Optimizer`] with a name: gives it the object-safe face [`Minimize`].
#[derive(Clone, Debug)]
pub struct Named<O> {
    /// The name in tables and on the command line.
    pub name: String,
    /// The method.
    pub optimizer: O,
}

impl<O> Named<O> {
    /// `optimizer` under `name`.
    pub fn new(name: impl Into<String>, optimizer: O) -> Self {
        Self {
            name: name.into(),
            optimizer,
        }
    }
}

impl<O: Optimizer + Send> Minimize for Named<O> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn minimize(
        &self,
        objective: &dyn Objective,
        x0: &[f64],
        budget: &Budget,
        observer: &mut dyn Observer,
    ) -> Result<Minimum> {
        minimize(&self.optimizer, objective, x0, budget, observer)
    }
}

/// Minimizes `objective` from `x0: (N,)` with `optimizer`, within `budget`.
///
/// A value followed by a closer look at the same point is one evaluation; asking again for what is
/// already known is answered from memory but counted, so every run ends.
///
/// # Errors
/// When `x0` does not have the objective's dimension, or when the optimizer fails.
pub fn minimize<O: Optimizer>(
    optimizer: &O,
    objective: &dyn Objective,
    x0: &[f64],
    budget: &Budget,
    observer: &mut dyn Observer,
) -> Result<Minimum> {
    if x0.len() != objective.dimension() {
        let advice = format!("give {} numbers, one per variable", objective.dimension());
        return Err(Error::input(
            "optimizer",
            "length of the initial point",
            x0.len(),
            advice,
        ));
    }
    let mut state = optimizer.init_within(x0, budget);
    let mut run = Run::new(objective, x0, budget);
    let termination = loop {
        if optimizer.converged(&state) {
            break Termination::Converge;
        }
        let query = optimizer.ask(&state);
        if let Some(termination) = run.refuse(&query) {
            break termination;
        }
        if query.order == Order::Value {
            let left = budget.evaluations.saturating_sub(run.values.len() + 1);
            objective.look_ahead(query.x, &|count| optimizer.ahead(&state, count.min(left)));
        }
        if run.look(&query) {
            let seen = &run.seen;
            if observer.observe(run.values.len(), &run.x, seen).is_break() {
                break Termination::Interrupt;
            }
        }
        if run.values.len() == 1 && !run.seen.value.is_finite() {
            break Termination::MeetNonFinite;
        }
        if run.order < Some(query.order) {
            // The last point of the budget: there is nothing to tell.
            run.close_iterations(optimizer.iterations(&state));
            break run.ended().unwrap_or(Termination::ExhaustBudget);
        }
        optimizer.tell(&mut state, &run.seen)?;
        run.close_iterations(optimizer.iterations(&state));
        if let Some(termination) = run.ended() {
            break termination;
        }
    };
    Ok(run.finish(termination))
}

/// Everything the loop keeps between evaluations.
struct Run<'a> {
    objective: &'a dyn Objective,
    budget: &'a Budget,
    /// The last point looked at and what is known of it.
    x: Vec<f64>,
    seen: Evaluation,
    order: Option<Order>,
    /// Whether a Jacobian, or an estimate of it, has been seen.
    has_jacobian: bool,
    /// The best point and how closely it was looked at.
    best_x: Vec<f64>,
    best_value: f64,
    best_order: Option<Order>,
    values: Vec<f64>,
    iterate_values: Vec<f64>,
    iteration_ends: Vec<usize>,
}

impl<'a> Run<'a> {
    fn new(objective: &'a dyn Objective, x0: &[f64], budget: &'a Budget) -> Self {
        Self {
            objective,
            budget,
            x: x0.to_vec(),
            seen: Evaluation {
                value: f64::INFINITY,
                ..Evaluation::default()
            },
            order: None,
            has_jacobian: false,
            best_x: x0.to_vec(),
            best_value: f64::INFINITY,
            best_order: None,
            values: Vec::new(),
            iterate_values: Vec::new(),
            iteration_ends: Vec::new(),
        }
    }

    /// Why `query` cannot be answered, if so.
    fn refuse(&self, query: &Query) -> Option<Termination> {
        if !query
            .x
            .iter()
            .fold(true, |finite, v| finite & v.is_finite())
        {
            return Some(Termination::MeetNonFinite);
        }
        let enough = |above: f64| self.best_value <= above;
        if query.order >= Order::Curvature
            && self.has_jacobian
            && self.budget.jacobian_above.is_some_and(enough)
        {
            return Some(Termination::ReachTarget);
        }
        // A closer look at the last point would cost a Jacobian that no further point can use.
        let spent = self.values.len() >= self.budget.evaluations.max(1);
        spent.then_some(Termination::ExhaustBudget)
    }

    /// Whether `query` only asks for more about the point just evaluated, or about the best one.
    fn is_closer_look(&self, query: &Query) -> bool {
        let is_closer = |known: Option<Order>, x: &[f64]| {
            known.is_some_and(|known| query.order > known) && is_same(query.x, x)
        };
        is_closer(self.order, &self.x) || is_closer(self.best_order, &self.best_x)
    }

    /// Evaluates what `query` asks for; returns whether that counts as a new evaluation. Of the last
    /// point that the budget allows only the value is of use.
    fn look(&mut self, query: &Query) -> bool {
        let is_new = !self.is_closer_look(query);
        let is_here = is_same(query.x, &self.x);
        let is_known = is_new && self.order >= Some(query.order) && is_here;
        let is_estimate = matches!(query.order, Order::Estimate | Order::EstimatedCurvature);
        if is_here && is_estimate && self.order == Some(Order::Value) {
            // The value is known.
            self.seen.estimate(self.objective, &self.x, query.order);
            self.order = Some(query.order);
        } else if !is_known {
            self.x.copy_from_slice(query.x);
            let is_last = is_new && self.values.len() + 1 >= self.budget.evaluations.max(1);
            let order = if is_last { Order::Value } else { query.order };
            // What was seen last is let go first: its Jacobian may be written over.
            self.seen = Evaluation::default();
            self.seen = Evaluation::of(self.objective, &self.x, order);
            self.order = Some(order);
        }
        self.has_jacobian |= self.seen.jacobian.is_some() || self.seen.curvature.is_some();
        if is_new {
            self.values.push(self.seen.value);
        }
        if self.seen.value < self.best_value {
            self.best_value = self.seen.value;
            self.best_x.copy_from_slice(&self.x);
            self.best_order = self.order;
        } else if is_same(&self.x, &self.best_x) {
            self.best_order = self.best_order.max(self.order);
        }
        is_new
    }

    /// Notes that `iterations` are complete: `None` means one per evaluation after the first.
    fn close_iterations(&mut self, iterations: Option<usize>) {
        let complete = iterations.unwrap_or(self.values.len() - 1);
        while self.iteration_ends.len() <= complete {
            self.iteration_ends.push(self.values.len());
            self.iterate_values.push(self.seen.value);
        }
    }

    /// Why the run ends here, if it does.
    fn ended(&self) -> Option<Termination> {
        if self
            .budget
            .target
            .is_some_and(|target| self.best_value <= target)
        {
            return Some(Termination::ReachTarget);
        }
        let limit = self.budget.iterations.unwrap_or(usize::MAX);
        if self.iteration_ends.len() > limit {
            return Some(Termination::ExhaustBudget);
        }
        let rule = self.budget.stopping_rule.as_ref();
        rule.is_some_and(|rule| rule.is_met(&self.iterate_values))
            .then_some(Termination::Stall)
    }

    fn finish(self, termination: Termination) -> Minimum {
        Minimum {
            x: self.best_x,
            value: self.best_value,
            last_x: self.x,
            last_value: self.seen.value,
            evaluations: self.values.len(),
            values: self.values,
            iteration_ends: self.iteration_ends,
            termination,
        }
    }
}

/// Whether two points are the same to the bit.
fn is_same(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

#[cfg(test)]
mod tests;
