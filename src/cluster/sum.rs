//! A sum of arrays over all ranks, in one order.

use std::ops::Range;

use super::Ranks;
use crate::error::{Error, Result};

/// Σᵢ `weight` aᵢ over the `numbered` arrays aᵢ: `(n,)` of all ranks, added in the order of their numbers and so the
/// same to the last bit on whichever ranks they are. All ranks call it, and all have the sum.
///
/// Every rank adds up one slice: it gets that slice of all arrays and gives its sum to all. A rank with k arrays
/// sends (k + 1) n numbers at most.
///
/// # Errors
/// As [`Ranks::exchange`].
pub fn ordered_sum(
    ranks: &dyn Ranks,
    n: usize,
    numbered: &[(u64, &[f32])],
    weight: f32,
) -> Result<Vec<f32>> {
    let size = ranks.size();
    let slice = |rank: usize| rank * n / size..(rank + 1) * n / size;
    let parts = (0..size).map(|rank| {
        let mut part = Vec::new();
        for (number, array) in numbered {
            part.extend(number.to_le_bytes());
            part.extend(bytes(&array[slice(rank)]));
        }
        part
    });
    let given = ranks.exchange(parts.collect())?;
    let own = sum_of_slice(&given, slice(ranks.rank()), weight)?;
    let sums = ranks.exchange(vec![own; size])?;
    let sum: Vec<f32> = sums.iter().flat_map(|slice| numbers(slice)).collect();
    if sum.len() == n {
        Ok(sum)
    } else {
        Err(wrong_size())
    }
}

/// The bytes of the sum over one `slice`.
fn sum_of_slice(given: &[Vec<u8>], slice: Range<usize>, weight: f32) -> Result<Vec<u8>> {
    let record = 8 + 4 * slice.len();
    let mut arrays: Vec<(u64, &[u8])> = Vec::new();
    for part in given {
        if !part.len().is_multiple_of(record) {
            return Err(wrong_size());
        }
        let records = part.chunks_exact(record);
        arrays.extend(records.map(|record| {
            let (number, array) = record.split_at(8);
            let number = number.iter().rev().fold(0, |n, b| (n << 8) | u64::from(*b));
            (number, array)
        }));
    }
    arrays.sort_by_key(|(number, _)| *number);
    let mut sum = vec![0.0; slice.len()];
    for (_, array) in arrays {
        for (sum, a) in sum.iter_mut().zip(numbers(array)) {
            *sum += weight * a;
        }
    }
    Ok(bytes(&sum))
}

fn bytes(array: &[f32]) -> Vec<u8> {
    let mut bytes = vec![0; 4 * array.len()];
    let places = bytes.chunks_exact_mut(4).zip(array);
    places.for_each(|(place, a)| place.copy_from_slice(&a.to_le_bytes()));
    bytes
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    let four = bytes.chunks_exact(4);
    four.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

fn wrong_size() -> Error {
    Error::Internal("the ranks add up arrays of different sizes".into())
}

#[cfg(test)]
mod tests {
    use super::super::threads;
    use super::*;

    #[test]
    fn the_sum_does_not_depend_on_who_holds_what() {
        let n = 37;
        // Of such different sizes that every other order of adding gives other bits.
        let array = |number: u64| -> Vec<f32> {
            let size = 10_f32.powi((number * 7 % 11) as i32 - 5);
            (0..n)
                .map(|i| size * (1.3 * i as f32 + number as f32).sin())
                .collect()
        };
        let arrays: Vec<Vec<f32>> = (0..9).map(array).collect();
        let mut expected = vec![0.0_f32; n];
        for array in &arrays {
            expected
                .iter_mut()
                .zip(array)
                .for_each(|(s, a)| *s += 0.111 * a);
        }
        let backwards: Vec<f32> = (0..n)
            .map(|i| arrays.iter().rev().fold(0.0, |s, a| s + 0.111 * a[i]))
            .collect();
        assert_ne!(backwards, expected);
        for size in [1, 2, 3, 4, 12, 50] {
            let sums = threads(size, |ranks| {
                let own = (0..9).filter(|i| i % size == ranks.rank());
                let own: Vec<(u64, &[f32])> =
                    own.map(|i| (i as u64, arrays[i].as_slice())).collect();
                ordered_sum(ranks, n, &own, 0.111).unwrap()
            });
            assert!(sums.iter().all(|sum| *sum == expected), "{size} ranks");
        }
    }

    #[test]
    fn nothing_adds_up_to_zero() {
        let sums = threads(2, |ranks| ordered_sum(ranks, 3, &[], 1.0).unwrap());
        assert_eq!(sums, [[0.0; 3]; 2]);
    }
}
