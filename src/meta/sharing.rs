//! What ranks share of an outer step: the mean gradient.

use std::hash::{DefaultHasher, Hasher};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::group::Estimate;
use crate::cluster::{Ranks, ordered_sum};
use crate::error::{Error, Result};

/// Where the time of an outer step went on this rank.
#[derive(Clone, Debug, Default)]
pub struct StepTimes {
    /// What every rank has computed for its groups, s.
    pub computing: Vec<f64>,
    /// Waiting for the slowest, s.
    pub waiting: f64,
    /// Adding up the gradients, s.
    pub adding: f64,
    /// What this rank has sent to others to add them up, bytes.
    pub sent: usize,
}

/// What the groups of all ranks have found.
pub(super) struct Mean {
    pub gradient: Vec<f32>,
    pub loss: f64,
    pub evaluations: u64,
    pub times: StepTimes,
}

/// What a rank tells of its groups.
#[derive(Serialize, Deserialize)]
struct Told {
    /// Of each its number, its loss and its evaluations.
    groups: Vec<(u64, f64, u64)>,
    /// Of θ: all must have the same.
    digest: u64,
    seconds: f64,
}

/// Whether group or batch `number` is one of this rank's.
pub(super) fn is_of(ranks: &dyn Ranks, number: u64) -> bool {
    number % ranks.size() as u64 == ranks.rank() as u64
}

/// Mean gradient and loss of the `count` groups of all ranks; gradients that are not finite count as zero. `own` are
/// the numbers and estimates of this rank's groups, which took the time `spent`.
pub(super) fn mean(
    ranks: &dyn Ranks,
    theta: &[f32],
    own: &[(u64, &Estimate)],
    (count, spent): (usize, Duration),
) -> Result<Mean> {
    let told = Told {
        groups: own
            .iter()
            .map(|(n, e)| (*n, e.loss, e.evaluations))
            .collect(),
        digest: digest(theta),
        seconds: spent.as_secs_f64(),
    };
    let begun = Instant::now();
    let all = ranks.share(&told)?;
    let waiting = begun.elapsed().as_secs_f64();
    check_digests(ranks, &all)?;
    let mut groups: Vec<_> = all.iter().flat_map(|told| &told.groups).collect();
    groups.sort_by_key(|(number, ..)| *number);
    let is_finite = |estimate: &Estimate| estimate.gradient.iter().all(|g| g.is_finite());
    let finite = own.iter().filter(|(_, estimate)| is_finite(estimate));
    let finite: Vec<(u64, &[f32])> = finite.map(|(n, e)| (*n, &e.gradient[..])).collect();
    let begun = Instant::now();
    let gradient = ordered_sum(ranks, theta.len(), &finite, 1.0 / count as f32)?;
    let size = ranks.size();
    Ok(Mean {
        gradient,
        loss: groups
            .iter()
            .fold(0.0, |sum, (_, loss, _)| sum + loss / count as f64),
        evaluations: groups.iter().map(|(.., evaluations)| evaluations).sum(),
        times: StepTimes {
            computing: all.iter().map(|told| told.seconds).collect(),
            waiting,
            adding: begun.elapsed().as_secs_f64(),
            // The others' slices of own gradients, and the sum of one's own slice to each of them.
            sent: 4 * theta.len() * (size - 1) * (finite.len() + 1) / size,
        },
    })
}

/// Refuses to go on where a rank has other weights: its processor computes otherwise.
fn check_digests(ranks: &dyn Ranks, all: &[Told]) -> Result<()> {
    let Some(rank) = all.iter().position(|told| told.digest != all[0].digest) else {
        return Ok(());
    };
    let found = format!("other weights than on {}", ranks.name(0));
    let advice = "use machines of one kind, and one build of the program";
    ranks.agree(Err(Error::input(
        ranks.name(rank),
        "weights",
        found,
        advice,
    )))
}

/// Tells arrays of other bits apart.
fn digest(theta: &[f32]) -> u64 {
    let mut hasher = DefaultHasher::new();
    theta
        .iter()
        .for_each(|value| hasher.write_u32(value.to_bits()));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::threads;

    #[test]
    fn ranks_with_other_weights_do_not_go_on() {
        let outcomes = threads(3, |ranks| {
            let theta = [1.0, if ranks.rank() == 2 { 2.0 } else { 3.0 }];
            mean(ranks, &theta, &[], (1, Duration::ZERO)).map(|mean| mean.gradient)
        });
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(
                error
                    .to_string()
                    .starts_with("rank 2 (a thread): weights: found other")
            );
        }
    }
}
