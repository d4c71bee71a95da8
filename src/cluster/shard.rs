//! A share of the jobs.

use std::fmt;
use std::str::FromStr;

/// Share I of N: every Nth job, from the Ith on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// I, from 1 to N.
    pub number: usize,
    /// N.
    pub count: usize,
}

impl Shard {
    /// Those of `jobs` that are in the share; the longest jobs first, every share is about as long.
    pub fn of<T: Copy>(self, jobs: &[T]) -> Vec<T> {
        let own = jobs.iter().skip(self.number - 1).step_by(self.count);
        own.copied().collect()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((number, count)) if number >= 1 && number <= count => Ok(Self { number, count }),
            _ => Err("give I/N with I from 1 to N, as in 3/16".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_one_size_and_make_up_the_whole() {
        let jobs: Vec<usize> = (0..17).collect();
        let mut all: Vec<usize> = Vec::new();
        for number in 1..=5 {
            let own = Shard { number, count: 5 }.of(&jobs);
            assert!(own.len() == 3 || own.len() == 4);
            all.extend(own);
        }
        all.sort_unstable();
        assert_eq!(all, jobs);
    }

    #[test]
    fn what_is_no_share_is_refused() {
        assert_eq!("3/16".parse::<Shard>().unwrap().to_string(), "3/16");
        for text in ["", "3", "0/4", "5/4", "-1/4", "1/0", "a/b", "1/4/4"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
