//! What a body file has to be.

use super::{BodyModel, LinkModel, Orientation, Place, ShapeModel};

/// By how much the masses of all links may miss the subject's mass, as a share of it: rounding.
const MASS_TOLERANCE: f64 = 0.01;

/// What is wrong, in one line.
pub(super) type Check = std::result::Result<(), String>;

/// The shares of a subject's mass add up to it.
fn check_masses(masses: impl Iterator<Item = f64>) -> Check {
    let mass: f64 = masses.sum();
    match (mass - 1.0).abs() > MASS_TOLERANCE {
        true => Err(format!(
            "the masses of all links add up to {mass}, not to 1"
        )),
        false => Ok(()),
    }
}

impl BodyModel {
    pub(super) fn check(&self) -> Check {
        for i in 0..self.links.len() {
            let named = |wrong| format!("link {}: {wrong}", self.links[i].name);
            self.check_tree(i).map_err(named)?;
            self.check_orientation(i).map_err(named)?;
            self.links[i].check_numbers().map_err(named)?;
        }
        check_masses(self.links.iter().map(|link| link.mass))?;
        let of_women = |link: &LinkModel| link.female.as_ref().map_or(link.mass, |own| own.mass);
        check_masses(self.links.iter().map(of_women))
            .map_err(|wrong| format!("female: {wrong}"))?;
        let shapes = self.links.iter().flat_map(|link| &link.shapes);
        let mut contacts = shapes.filter(|shape| matches!(shape, ShapeModel::Contact { .. }));
        contacts.next().ok_or("no link has a contact shape")?;
        for marker in &self.markers {
            let place = self.index(&marker.link);
            let place = place.ok_or(format!("markers: no link is called {}", marker.link))?;
            self.check_place(&marker.at, place)?;
        }
        Ok(())
    }

    /// Link `i` hangs on one further up, and no other has its name.
    fn check_tree(&self, i: usize) -> Check {
        let link = &self.links[i];
        if self.index(&link.name) != Some(i) {
            return Err("its name is taken".into());
        }
        match (&link.parent, self.parent(i)) {
            (None, _) if i == 0 => Ok(()),
            (None, _) => Err("parent is missing: only the first link is a root".into()),
            (Some(_), Some(parent)) if parent < i => self.check_place(&link.at, parent),
            (Some(parent), _) => Err(format!("parent: no link further up is called {parent}")),
        }
    }

    /// A place on link `i` can be found.
    fn check_place(&self, place: &Place, i: usize) -> Check {
        let has_frame = |i: usize| matches!(self.links[i].orientation, Orientation::Frame { .. });
        match place {
            Place::JointOf(child) if self.index(child).map(|c| self.parent(c)) != Some(Some(i)) => {
                let name = &self.links[i].name;
                Err(format!("at: {child} is no child of {name}"))
            }
            Place::Measured(measured) if !has_frame(i) => {
                let bone = self.links[i].segment.between;
                let is_known = measured.left.is_some() && bone.is_some();
                let advice = "at: measured needs \"left\" and a segment between joints";
                is_known.then_some(()).ok_or(advice.into())
            }
            _ => Ok(()),
        }
    }

    /// The orientation of link `i` has what it needs.
    fn check_orientation(&self, i: usize) -> Check {
        let link = &self.links[i];
        let parent = self.parent(i).map(|parent| &self.links[parent]);
        let demand = |holds: bool, wrong: &str| holds.then_some(()).ok_or(wrong.to_string());
        let has_bone = link.segment.between.is_some();
        match (&link.orientation, parent) {
            (Orientation::Frame { left, up, .. }, _) => {
                let holds = !left.is_empty() && !up.is_empty();
                demand(holds, "orientation: frame needs left and up")
            }
            (_, None) => demand(false, "orientation: the root needs a frame"),
            (Orientation::Swing, _) => demand(has_bone, "swing needs a segment between joints"),
            (Orientation::Limb, _) => {
                let lower = self.lower_half(i).is_some();
                demand(lower && has_bone, "limb needs a child with a hinge")
            }
            (Orientation::Hinge(hinge), Some(parent)) => {
                let is_across = hinge.axis != parent.segment.along.axis;
                let holds = parent.orientation == Orientation::Limb && has_bone && is_across;
                demand(holds, "hinge needs a limb above it, and an axis across it")
            }
            (Orientation::Foot, _) => demand(link.foot.is_some(), "a foot needs its side: foot"),
            (Orientation::Rigid, _) => Ok(()),
        }
    }

    /// The hinged child of limb `i`.
    pub(in crate::body) fn lower_half(&self, i: usize) -> Option<usize> {
        let is_lower = |c: &usize| {
            self.parent(*c) == Some(i)
                && matches!(self.links[*c].orientation, Orientation::Hinge(_))
        };
        (i + 1..self.links.len()).find(is_lower)
    }
}

impl LinkModel {
    fn check_numbers(&self) -> Check {
        let segment = &self.segment;
        let positive = [
            ("mass", self.mass),
            ("segment.stature", segment.stature.unwrap_or(1.0)),
        ];
        let not_negative = [
            ("stiffness", self.stiffness),
            ("torque_limit", self.torque_limit),
        ];
        if let Some((field, value)) = positive.iter().find(|(_, value)| *value <= 0.0) {
            return Err(format!("{field} is {value}, not above 0"));
        }
        if let Some((field, value)) = not_negative.iter().find(|(_, value)| *value < 0.0) {
            return Err(format!("{field} is {value}, below 0"));
        }
        if let Some([low, high]) = self.limits.iter().find(|[low, high]| low > high) {
            return Err(format!("limits: {low} is above {high}"));
        }
        match (segment.between, segment.stature) {
            (None, None) | (Some(_), Some(_)) => {
                Err("segment: give either \"between\" or \"stature\"".into())
            }
            _ => Ok(()),
        }
    }
}
