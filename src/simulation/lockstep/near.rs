//! Which spheres are near surfaces, lane by lane, and in which order a lane solves for them.

use super::model::Model;
use crate::simulation::turns::{Touch, Turns};

/// Lanes at most, in any processor's registers of double precision.
const MOST_LANES: usize = 8;

/// What one lane has touched.
pub struct Trail<'a> {
    /// The order in which spheres that come near in the same step come into the engine's list.
    pairs: &'a [Touch],
    /// After the last step.
    pub turns: Turns,
    /// Those that are near in the step at hand.
    near: Vec<Touch>,
    /// In every step so far, those that were near, in the order in which they were solved for.
    pub orders: Vec<Vec<Touch>>,
}

/// A contact that lanes solve for at the same time: of one link with one surface, of each lane with its own sphere.
pub struct Slot {
    pub link: usize,
    pub surface: usize,
    place: usize,
    spheres: [Option<usize>; MOST_LANES],
}

impl<'a> Trail<'a> {
    /// At the beginning of a rollout, where a world has had `turns`.
    pub fn new(turns: &Turns, pairs: &'a [Touch]) -> Self {
        Self {
            pairs,
            turns: turns.clone(),
            near: Vec::new(),
            orders: Vec::new(),
        }
    }

    /// Takes note of a sphere that is near in the step at hand.
    pub fn note(&mut self, touch: Touch) {
        self.near.push(touch);
    }

    /// Ends the search for what is near in the step at hand.
    fn settle(&mut self, model: &Model) {
        let rank = |touch: &Touch| {
            let known = self.pairs.iter().position(|pair| pair == touch);
            (known.unwrap_or(usize::MAX), *touch)
        };
        self.near.sort_by_key(rank);
        let link_of = |sphere: usize| model.spheres[sphere].link;
        self.turns.update(link_of, &self.near);
        self.near.clear();
        self.orders.push(self.turns.order());
    }
}

/// The contacts of the step at hand in all lanes: on every link in the order in which each lane has them come.
pub fn slots(model: &Model, trails: &mut [Trail]) -> Vec<Slot> {
    let mut slots: Vec<Slot> = Vec::new();
    for (lane, trail) in trails.iter_mut().enumerate() {
        trail.settle(model);
        for (touch, place) in trail.turns.places() {
            let (link, surface) = (model.spheres[touch.sphere].link, touch.surface);
            let key = (link, surface, *place);
            let same = |slot: &&mut Slot| (slot.link, slot.surface, slot.place) == key;
            let slot = match slots.iter_mut().find(same) {
                Some(slot) => slot,
                None => {
                    slots.push(Slot {
                        link,
                        surface,
                        place: *place,
                        spheres: [None; MOST_LANES],
                    });
                    let last = slots.len() - 1;
                    &mut slots[last]
                }
            };
            slot.spheres[lane] = Some(touch.sphere);
        }
    }
    slots.sort_by_key(|slot| std::cmp::Reverse((slot.place, slot.link, slot.surface)));
    slots
}

impl Slot {
    /// The sphere of every lane that has one.
    pub fn spheres(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let lanes = self.spheres.iter().enumerate();
        lanes.filter_map(|(lane, sphere)| Some((lane, (*sphere)?)))
    }
}
