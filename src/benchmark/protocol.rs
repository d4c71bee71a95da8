//! How the functions are posed: scale, dimensions, initial points.
//!
//! Initial points come from a splitmix64 stream numbered by function, dimension and run, so that
//! any other program can start from the same ones.
//!
//! # References
//! * E. Gärtner, L. Metz, M. Andriluka, C. D. Freeman, C. Sminchisescu, "Transformer-based learned
//!   optimization", CVPR 2023, Sec. 5.1 and Table 8.

use crate::error::{Error, Result};
use crate::objective::Objective;

use super::functions::{FUNCTIONS, Function};
use super::problem::Problem;

/// Dimensions of the paper's Table 8: learned optimizers are trained on the first five only.
pub const DIMENSIONS: [usize; 8] = [2, 10, 20, 50, 100, 250, 500, 1000];

/// The largest dimension that learned optimizers are trained on.
pub const LARGEST_TRAINED: usize = 100;

/// A set-up of the test functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// As inferred from the paper's numbers: x⁰ uniform in [−10, 10]ᴺ for every function, four of
    /// them rescaled.
    #[default]
    Paper,
    /// x⁰ uniform in the domain that the functions' library gives, nothing rescaled.
    Sfu,
}

impl Protocol {
    /// The protocol called `name`: `paper` or `sfu`.
    ///
    /// # Errors
    /// [`Error::Input`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "paper" => Ok(Self::Paper),
            "sfu" => Ok(Self::Sfu),
            _ => Err(Error::input(
                "--protocol",
                "name",
                name,
                "choose paper or sfu",
            )),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Sfu => "sfu",
        }
    }

    /// `function` of `dimension` variables under this protocol.
    pub fn problem(self, function: &'static dyn Function, dimension: usize) -> Problem {
        let problem = Problem::new(function, dimension);
        match self {
            Self::Paper => problem
                .scaled(paper_scale(function.name()))
                .started_in(-10.0, 10.0),
            Self::Sfu => problem,
        }
    }

    /// Start number `run` for the function at position `function` of [`FUNCTIONS`]: the problem,
    /// moved by an offset of its own when `offsets` is set, and x⁰.
    pub fn start(
        self,
        function: usize,
        dimension: usize,
        run: usize,
        offsets: bool,
    ) -> (Problem, Vec<f64>) {
        let problem = self.problem(FUNCTIONS[function], dimension);
        let stream = Stream::of(POINTS, function, problem.dimension());
        let x0 = stream.uniform(run, problem.dimension(), problem.start());
        if !offsets {
            return (problem, x0);
        }
        let stream = Stream::of(OFFSETS, function, problem.dimension());
        let offset = stream.uniform(run, problem.dimension(), offset_range(&problem));
        (problem.moved(offset), x0)
    }
}

/// Offsets are drawn from the middle half of the interval of initial points.
pub(super) fn offset_range(problem: &Problem) -> (f64, f64) {
    let (low, high) = problem.start();
    let quarter = 0.25 * (high - low);
    (-quarter, quarter)
}

/// s of f(s x), as inferred from the paper's numbers.
fn paper_scale(function: &str) -> f64 {
    match function {
        "rot_hyper_ellipsoid" => 6.5536,
        "sphere" => 0.512,
        "styblinski_tang" => 0.5,
        "sum_powers" => 0.1,
        _ => 1.0,
    }
}

/// Base numbers of the streams of initial points and of offsets.
const POINTS: u64 = 0x4F_5054_494D_5553;
const OFFSETS: u64 = 0x4F_4646_5345_5453;

/// The increment of splitmix64.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A stream of uniform numbers with random access.
struct Stream {
    base: u64,
}

impl Stream {
    fn of(seed: u64, function: usize, dimension: usize) -> Self {
        let number = function as u64 * 1_000_003 + dimension as u64 * 10_007;
        Self {
            base: mix(seed.wrapping_add(number)),
        }
    }

    /// The `n` numbers of `run`, uniform between the ends.
    fn uniform(&self, run: usize, n: usize, (low, high): (f64, f64)) -> Vec<f64> {
        let first = (run * n) as u64;
        let bits = (first..first + n as u64)
            .map(|k| mix(self.base.wrapping_add(k.wrapping_mul(GOLDEN))) >> 11);
        bits.map(|bits| low + (high - low) * (bits as f64 * 2.0_f64.powi(-53)))
            .collect()
    }
}

/// One step of splitmix64.
fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(GOLDEN);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mix_is_splitmix64() {
        // The first three outputs of the reference implementation from seed 1234567.
        let seed = 1_234_567_u64;
        let outputs = [0, 1, 2].map(|k: u64| mix(seed.wrapping_add(k.wrapping_mul(GOLDEN))));
        assert_eq!(
            outputs,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn starts_lie_in_their_interval_and_differ_between_runs() {
        for protocol in [Protocol::Paper, Protocol::Sfu] {
            let (problem, x0) = protocol.start(0, 20, 0, false);
            let (low, high) = problem.start();
            assert!(x0.iter().all(|x| (low..high).contains(x)));
            assert_ne!(x0, protocol.start(0, 20, 1, false).1);
        }
    }

    #[test]
    fn offsets_move_the_minimizer_but_not_the_start() {
        let (plain, x0) = Protocol::Paper.start(3, 10, 2, false);
        let (moved, same_x0) = Protocol::Paper.start(3, 10, 2, true);
        assert_eq!(x0, same_x0);
        assert_ne!(plain.minimizer(), moved.minimizer());
        assert!(moved.value(&moved.minimizer()).abs() < 1e-12);
    }
}
