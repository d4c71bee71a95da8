//! Which spheres may touch which surfaces.

use rapier3d::prelude::Group;

use crate::scene::{Scene, Solid};

/// The group that every sphere is in; that of all surfaces is `GROUP_1`.
pub const EVERY_SPHERE: Group = Group::GROUP_2;

/// The sets of links that solids are for, each of which has a group of its own.
pub struct Circles<'a> {
    sets: Vec<&'a [String]>,
}

impl<'a> Circles<'a> {
    pub fn of(scene: &'a Scene) -> Self {
        let mut sets = Vec::new();
        for links in scene
            .solids
            .iter()
            .filter_map(|solid| solid.links.as_deref())
        {
            if !sets.contains(&links) {
                sets.push(links);
            }
        }
        Self { sets }
    }

    /// Of the set with number `i`; the engine has 32 groups, and [`Scene::check`] allows no more sets than go in.
    fn group(i: usize) -> Group {
        Group::from_bits_truncate(EVERY_SPHERE.bits() << (1 + i))
    }

    /// The spheres that `solid` is for.
    pub fn of_solid(&self, solid: &Solid) -> Group {
        let own = solid.links.as_deref();
        let set = own.and_then(|links| self.sets.iter().position(|set| *set == links));
        set.map_or(EVERY_SPHERE, Self::group)
    }

    /// The groups that the spheres of a link are in.
    pub fn of_link(&self, link: &str) -> Group {
        let sets = self.sets.iter().enumerate();
        let own = sets.filter(|(_, set)| set.iter().any(|name| name == link));
        own.fold(EVERY_SPHERE, |groups, (i, _)| groups | Self::group(i))
    }
}
