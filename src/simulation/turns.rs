//! In which order the spheres of a foot are solved for.

/// The turns of the spheres that are near the ground, in the order in which the engine's solver has them
/// come: on every link, the one that came near first is last.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Turns {
    /// Of every sphere the place that it has on its link, counted from the last; none where it is not near
    /// the ground.
    places: Vec<Option<usize>>,
}

impl Turns {
    /// Takes note of which spheres are `near` the ground, in the order in which they would come into the
    /// list at once; `links` are the links that the spheres belong to.
    pub fn update(&mut self, links: &[usize], near: &[usize]) {
        self.places.resize(links.len(), None);
        for (sphere, place) in self.places.iter_mut().enumerate() {
            if !near.contains(&sphere) {
                *place = None;
            }
        }
        for sphere in near {
            if self.places[*sphere].is_none() {
                let is_taken = |place: usize| {
                    let mut others = links.iter().zip(&self.places);
                    others.any(|(link, other)| *link == links[*sphere] && *other == Some(place))
                };
                self.places[*sphere] = (0..).find(|place| !is_taken(*place));
            }
        }
    }

    /// The spheres near the ground, in their order.
    pub fn order(&self) -> Vec<usize> {
        let mut near: Vec<_> = (0..self.places.len())
            .filter(|sphere| self.places[*sphere].is_some())
            .collect();
        near.sort_by_key(|sphere| std::cmp::Reverse((self.places[*sphere], *sphere)));
        near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_near_the_ground_comes_last() {
        let links = [6, 6, 6, 9, 9];
        let mut turns = Turns::default();
        let mut order = |near: &[usize]| {
            turns.update(&links, near);
            turns.order()
        };
        assert!(order(&[]).is_empty());
        assert_eq!(order(&[1, 3]), [3, 1]);
        assert_eq!(order(&[0, 1, 2, 3]), [2, 0, 3, 1]);
        // One that comes back takes the last place that is free.
        assert_eq!(order(&[0, 2, 3]), [2, 0, 3]);
        assert_eq!(order(&[0, 1, 2, 3, 4]), [2, 4, 0, 3, 1]);
        assert!(order(&[]).is_empty());
        assert_eq!(order(&[2, 0, 1]), [1, 0, 2]);
    }
}
