//! Several people in one video: their tracks, and the choice of one.

use super::Keypoints;
use super::observation::NOTHING;
use crate::error::{Error, Result};

/// A track shorter than this share of the longest is taken for a stray detection.
const STRAY: f64 = 0.2;

/// A person moves by less than this share of its height from one detection to the next.
const REACH: f64 = 0.6;

/// Frames after which a person that was lost is somebody else.
const MEMORY_FRAMES: usize = 15;

/// A person detected in one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// The track that the detector put it on, if any.
    pub id: Option<i64>,
    /// Its keypoints.
    pub keypoints: Keypoints,
}

/// One person over time.
struct Track {
    id: Option<i64>,
    /// (frame, keypoints), in order.
    seen: Vec<(usize, Keypoints)>,
}

/// The keypoints of one person, frame by frame; frames without it are empty.
///
/// People are followed by the detector's track ids, or else by their place in the image. `choice`
/// numbers the people from 1, the one seen longest first.
///
/// # Errors
/// When nobody is seen, or several people are and none is chosen.
pub fn choose(
    frames: &[Vec<Person>],
    choice: Option<usize>,
    origin: &str,
) -> Result<(Vec<Keypoints>, Option<String>)> {
    let mut tracks = follow(frames);
    tracks.sort_by_key(|track| std::cmp::Reverse(track.seen.len()));
    let Some(longest) = tracks.first().map(|track| track.seen.len()) else {
        let advice = "the detector found nobody; check the file";
        return Err(Error::input(origin, "people", "none", advice));
    };
    let strays = tracks.len();
    tracks.retain(|track| track.seen.len() as f64 >= STRAY * longest as f64);
    let strays = strays - tracks.len();
    let track = match choice {
        Some(number) if (1..=tracks.len()).contains(&number) => &tracks[number - 1],
        None if tracks.len() == 1 => &tracks[0],
        _ => {
            let people: Vec<String> = (1..)
                .zip(&tracks)
                .map(|(n, track)| format!("{n}: {}", describe(track)))
                .collect();
            let found = format!("{} ({})", tracks.len(), people.join("; "));
            return Err(Error::input(
                origin,
                "people",
                found,
                "choose one with --person N",
            ));
        }
    };
    let mut keypoints = vec![NOTHING; frames.len()];
    for (t, seen) in &track.seen {
        keypoints[*t] = *seen;
    }
    let note = (strays > 0).then(|| format!("people: {strays} stray detections ignored"));
    Ok((keypoints, note))
}

fn describe(track: &Track) -> String {
    let (first, keypoints) = &track.seen[0];
    let last = track.seen[track.seen.len() - 1].0;
    let center = center(keypoints).unwrap_or_default();
    let height = height(keypoints);
    format!(
        "frames {first} to {last}, at ({:.0}, {:.0}) px, {height:.0} px tall",
        center.x, center.y
    )
}

/// The detections as tracks. Each detection goes to the nearest track in reach, closest pairs
/// first.
fn follow(frames: &[Vec<Person>]) -> Vec<Track> {
    let mut tracks: Vec<Track> = Vec::new();
    for (t, people) in frames.iter().enumerate() {
        let mut pairs = Vec::new();
        for (k, track) in tracks.iter().enumerate() {
            for (i, person) in people.iter().enumerate() {
                if let Some(distance) = distance(track, person, t) {
                    pairs.push((distance, k, i));
                }
            }
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut placed = vec![false; people.len()];
        for (_, k, i) in pairs {
            let is_taken = tracks[k].seen.last().is_some_and(|(last, _)| *last == t);
            if !placed[i] && !is_taken {
                placed[i] = true;
                tracks[k].seen.push((t, people[i].keypoints));
            }
        }
        for (person, _) in people.iter().zip(placed).filter(|(_, placed)| !placed) {
            if center(&person.keypoints).is_some() {
                tracks.push(Track {
                    id: person.id,
                    seen: vec![(t, person.keypoints)],
                });
            }
        }
    }
    tracks
}

/// How far `person` in frame `t` is from where `track` was last, in heights; `None` when it cannot
/// be the same.
fn distance(track: &Track, person: &Person, t: usize) -> Option<f64> {
    let (last, keypoints) = track.seen.last()?;
    match (track.id, person.id) {
        (Some(a), Some(b)) => return (a == b).then_some(0.0),
        _ if t - last > MEMORY_FRAMES => return None,
        _ => {}
    }
    let apart = (center(keypoints)? - center(&person.keypoints)?).norm();
    let relative = apart / height(keypoints).max(1.0);
    (relative < REACH).then_some(relative)
}

/// Mean of the keypoints that were found, px.
fn center(keypoints: &Keypoints) -> Option<nalgebra::Vector2<f64>> {
    let seen: Vec<_> = keypoints.iter().filter(|k| k.is_seen()).collect();
    let sum: nalgebra::Vector2<f64> = seen.iter().map(|k| k.pixel).sum();
    (!seen.is_empty()).then(|| sum / seen.len() as f64)
}

/// Extent in the image, px.
pub(super) fn height(keypoints: &Keypoints) -> f64 {
    let rows = keypoints.iter().filter(|k| k.is_seen()).map(|k| k.pixel.y);
    let (low, high) = rows.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| {
        (low.min(y), high.max(y))
    });
    (high - low).max(0.0)
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector2;

    use super::*;
    use crate::keypoints::Keypoint;

    fn person(x: f64, id: Option<i64>) -> Person {
        let keypoints = std::array::from_fn(|j| Keypoint {
            pixel: Vector2::new(x, 100.0 + 10.0 * j as f64),
            confidence: 0.9,
        });
        Person { id, keypoints }
    }

    /// Two people who cross, in changing order, and a stray detection.
    fn frames(ids: bool) -> Vec<Vec<Person>> {
        let id = |n| ids.then_some(n);
        (0..20)
            .map(|t| {
                let a = person(100.0 + f64::from(t), id(7));
                let b = person(400.0 - f64::from(t), id(8));
                let stray = (t == 3).then(|| person(900.0, id(9)));
                let pair = if t % 2 == 0 { [a, b] } else { [b, a] };
                pair.into_iter().chain(stray).collect()
            })
            .collect()
    }

    #[test]
    fn people_are_never_mixed() {
        for ids in [false, true] {
            let frames = frames(ids);
            let error = choose(&frames, None, "x.json").unwrap_err().to_string();
            assert!(error.contains("found 2 (1: frames 0 to 19"), "{error}");
            assert!(error.contains("--person"), "{error}");
            let (first, note) = choose(&frames, Some(1), "x.json").unwrap();
            assert!(note.unwrap().contains("1 stray"));
            let x: Vec<f64> = first.iter().map(|k| k[0].pixel.x).collect();
            assert!(
                x.windows(2).all(|w| (w[1] - w[0] - 1.0).abs() < 1e-12),
                "{x:?}"
            );
            assert!(choose(&frames, Some(3), "x.json").is_err());
        }
    }

    #[test]
    fn frames_without_the_person_stay_empty() {
        let mut frames: Vec<_> = (0..10).map(|_| vec![person(5.0, None)]).collect();
        frames[4].clear();
        let (keypoints, note) = choose(&frames, None, "x.json").unwrap();
        assert_eq!(note, None);
        assert!(!keypoints[4][0].is_seen() && keypoints[5][0].is_seen());
        assert!(choose(&[vec![], vec![]], None, "x.json").is_err());
    }
}
