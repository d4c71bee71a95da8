//! How long an optimization may run, and when it stops early.

/// How long an optimization may run.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// Largest number of distinct points evaluated. Default: 50, as in the paper (Sec. 5.2).
    pub evaluations: usize,
    /// Largest number of iterations (see [`Optimizer::iterations`](super::Optimizer::iterations)). Default: none.
    pub iterations: Option<usize>,
    /// Stops early when progress stalls. Default: none.
    pub stopping_rule: Option<StoppingRule>,
    /// Stops once the best value is at or below this one. Default: none.
    pub target: Option<f64>,
    /// Ends where a further Jacobian is asked for while the best value is at or below this one: what the
    /// Jacobians so far gave is enough then. Default: none.
    pub jacobian_above: Option<f64>,
}

impl Budget {
    /// Points that a method can look at which makes an iteration of every evaluation after the first.
    pub fn points(&self) -> usize {
        let iterations = self.iterations.unwrap_or(usize::MAX);
        self.evaluations.min(iterations.saturating_add(1))
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            evaluations: 50,
            iterations: None,
            stopping_rule: None,
            target: None,
            jacobian_above: None,
        }
    }
}

/// Alg. 1: stop at k if f(xᵏ) > (1/N) Σ_{i=1..N} β f(xᵏ⁻ⁱ) + ε, over the iterates xᵏ.
///
/// The paper leaves N, β and ε open. With β < 1 the rule only makes sense for f ≥ 0.
#[derive(Clone, Debug, PartialEq)]
pub struct StoppingRule {
    /// N, the number of past values averaged. Default: 10.
    pub window: usize,
    /// β. Default: 1.
    pub beta: f64,
    /// ε. Default: 0.
    pub epsilon: f64,
}

impl Default for StoppingRule {
    fn default() -> Self {
        Self {
            window: 10,
            beta: 1.0,
            epsilon: 0.0,
        }
    }
}

impl StoppingRule {
    /// Whether the last of `values`, the losses of the iterates so far in order, meets the rule.
    pub fn is_met(&self, values: &[f64]) -> bool {
        let Some((last, past)) = values.split_last() else {
            return false;
        };
        if past.len() < self.window {
            return false;
        }
        let mean = past[past.len() - self.window..].iter().sum::<f64>() / self.window as f64;
        *last > self.beta * mean + self.epsilon
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_the_smaller_of_two() {
        let budget = |evaluations, iterations| Budget {
            evaluations,
            iterations,
            ..Budget::default()
        };
        assert_eq!(budget(50, None).points(), 50);
        assert_eq!(budget(usize::MAX, Some(200)).points(), 201);
        assert_eq!(budget(usize::MAX, None).points(), usize::MAX);
    }

    #[test]
    fn the_rule_compares_the_last_value_with_the_mean_of_the_window() {
        let rule = StoppingRule {
            window: 2,
            beta: 1.0,
            epsilon: 0.5,
        };
        assert!(!rule.is_met(&[]));
        assert!(!rule.is_met(&[1.0, 9.0]));
        assert!(!rule.is_met(&[9.0, 3.0, 1.0, 2.5]));
        assert!(rule.is_met(&[9.0, 3.0, 1.0, 2.51]));
    }
}
