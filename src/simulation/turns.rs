//! In which order the contacts of a link are solved for.

/// A sphere that is near a surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// The surface: 0 the ground, from 1 on the solids of the scene.
    pub surface: usize,
    /// The sphere's number.
    pub sphere: usize,
}

impl Touch {
    /// Of `sphere` on the ground.
    pub fn on_ground(sphere: usize) -> Self {
        Self { surface: 0, sphere }
    }
}

/// The turns of the spheres that are near surfaces, in the order in which the engine's solver has them
/// come: on every link, the one that came near first is last.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Turns {
    /// The spheres near a surface, each with the place that it has on its link, counted from the last.
    places: Vec<(Touch, usize)>,
}

impl Turns {
    /// Takes note of which spheres are `near` which surfaces, in the order in which they would come into the
    /// list at once; `link_of` tells the link that a sphere belongs to.
    pub fn update(&mut self, link_of: impl Fn(usize) -> usize, near: &[Touch]) {
        self.places.retain(|(touch, _)| near.contains(touch));
        for touch in near {
            if self.places.iter().any(|(other, _)| other == touch) {
                continue;
            }
            let is_taken = |place: usize| {
                let mut others = self.places.iter();
                let link = link_of(touch.sphere);
                others.any(|(other, its)| link_of(other.sphere) == link && *its == place)
            };
            let place = (0..).find(|place| !is_taken(*place)).unwrap_or_default();
            self.places.push((*touch, place));
        }
    }

    /// The spheres near surfaces, each with the place that it has on its link, counted from the last.
    pub fn places(&self) -> &[(Touch, usize)] {
        &self.places
    }

    /// The spheres near surfaces, in their order.
    pub fn order(&self) -> Vec<Touch> {
        let mut near = self.places.clone();
        near.sort_by_key(|(touch, place)| std::cmp::Reverse((*place, *touch)));
        near.into_iter().map(|(touch, _)| touch).collect()
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
            let near: Vec<Touch> = near.iter().copied().map(Touch::on_ground).collect();
            turns.update(|sphere| links[sphere], &near);
            let order = turns.order().into_iter();
            order.map(|touch| touch.sphere).collect::<Vec<_>>()
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
