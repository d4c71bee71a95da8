//! Models of SMPL's family that the user owns: where the joints of a body are by its shape coefficients (betas).
//!
//! A model's vertices are `v_template + shapedirs · betas`, its joints `J_regressor` times these (Loper et al. 2015). Both are
//! linear: what is kept are the joints of the template and what each coefficient adds to them. The mesh itself is not used.

mod source;

use std::path::Path;

use nalgebra::Vector3;

use super::body::{self, COUNT, NAMES, PARENTS, TURNS};
use crate::error::{Error, Result};
use crate::motion::STATURES;
use crate::motion::files::array::{Array, Sparse};
use source::Source;

/// The vertices of the mean shape, (V, 3), m.
const TEMPLATE: &str = "v_template";
/// What a unit of every coefficient adds to them, (V, 3, N), m.
const DIRECTIONS: &str = "shapedirs";
/// The shares that vertices have in joints, (J, V).
const REGRESSOR: &str = "J_regressor";
/// The joints' parents, and the joints themselves, (2, J).
const TREE: &str = "kintree_table";

/// The most vertices, joints and coefficients that are read; SMPL-X has 10 475, 55 and 400.
const MOST_VERTICES: usize = 1 << 17;
const MOST_JOINTS: usize = 1 << 10;
const MOST_COEFFICIENTS: usize = 1 << 10;

/// The joints of a body at rest by its shape coefficients.
#[derive(Clone, Debug, PartialEq)]
pub struct BodyModel {
    origin: String,
    /// Those of the mean shape, m; x left, y up, z forward.
    template: [Vector3<f64>; TURNS],
    /// What a unit of every coefficient adds to them, m.
    directions: Vec<[Vector3<f64>; TURNS]>,
}

impl BodyModel {
    /// Reads a model file of SMPL, SMPL+H or SMPL-X: an `.npz`, or a pickle of any protocol, whose arrays may be chumpy's
    /// and whose regressor may be sparse. Nothing in it is executed.
    ///
    /// # Errors
    /// When it cannot be read; [`Error::Input`] for a file without `v_template` (V, 3), `shapedirs` (V, 3, N), `J_regressor`
    /// (J, V) or `kintree_table` (2, J), with another tree of joints than SMPL's, and of no human size in metres.
    pub fn read(path: &Path) -> Result<Self> {
        let mut source = Source::open(path)?;
        source.check_names(&[TEMPLATE, DIRECTIONS, REGRESSOR, TREE])?;
        let origin = path.display().to_string();
        let tree = source.array(TREE, &[2..=2, TURNS..=MOST_JOINTS])?;
        check_tree(&tree, &origin)?;
        let template = source.array(TEMPLATE, &[1..=MOST_VERTICES, 3..=3])?;
        let (joints, vertices) = (tree.shape[1], template.shape[0]);
        let lengths = [vertices..=vertices, 3..=3, 1..=MOST_COEFFICIENTS];
        let directions = source.array(DIRECTIONS, &lengths)?;
        let regressor = source.matrix(REGRESSOR, [joints, vertices])?;
        let count = shapes(joints, directions.shape[2]);
        let of_coefficient = |n: usize| regress(&regressor, &directions, n);
        let model = Self {
            template: regress(&regressor, &template, 0),
            directions: (0..count).map(of_coefficient).collect(),
            origin,
        };
        model.check()?;
        Ok(model)
    }

    /// The file that it is from.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many coefficients it has, N.
    pub fn coefficients(&self) -> usize {
        self.directions.len()
    }

    /// From the parent to every joint at rest, as [`body::OFFSETS`], m, of the body with such `betas`; missing ones are 0,
    /// others than the model has do not count. Hands are those of the average body.
    pub fn offsets(&self, betas: &[f64]) -> [Vector3<f64>; COUNT] {
        let joint = |j: usize| {
            let directions = self.directions.iter().zip(betas);
            directions.fold(self.template[j], |p, (direction, beta)| {
                p + direction[j] * *beta
            })
        };
        let mut offsets = body::offsets();
        for (j, offset) in offsets.iter_mut().enumerate().take(TURNS) {
            *offset = match j {
                0 => joint(0),
                _ => joint(j) - joint(PARENTS[j]),
            };
        }
        offsets
    }

    /// Refuses numbers that are none, and a body that nobody has.
    fn check(&self) -> Result<()> {
        let refuse = |name: &str, found: String| {
            let advice =
                "a model has numbers in metres: get the file again from where it is published";
            Err(Error::input(&self.origin, name, found, advice))
        };
        let is_finite = |joints: &[Vector3<f64>; TURNS]| {
            let mut numbers = joints.iter().flat_map(|p| p.iter());
            numbers.all(|x| x.is_finite())
        };
        if !is_finite(&self.template) || !self.directions.iter().all(is_finite) {
            return refuse("joints", "numbers that are not finite".into());
        }
        let stature = body::stature(&self.offsets(&[]));
        match STATURES.contains(&stature) {
            true => Ok(()),
            false => refuse(TEMPLATE, format!("a body {stature:.2} m tall")),
        }
    }
}

/// How many of `all` directions are of the shape of a model with so many joints. SMPL-X has others for the face behind
/// them: 100 behind 300, or 10 behind 10 in its smaller files (as the package smplx takes them).
fn shapes(joints: usize, all: usize) -> usize {
    const WITH_FACE: usize = 55;
    match (joints, all) {
        (WITH_FACE, 400..) => 300,
        (WITH_FACE, _) => all.min(10),
        _ => all,
    }
}

/// Refuses another tree of joints than SMPL's, of `table`, (2, J).
fn check_tree(table: &Array, origin: &str) -> Result<()> {
    let (parents, joints) = table.values.split_at(table.shape[1]);
    let is_other = |j: &usize| joints[*j] != *j as f64 || parents[*j] != PARENTS[*j] as f64;
    let Some(j) = (1..TURNS).find(is_other) else {
        return Ok(());
    };
    let found = format!("joint {} below {} as number {j}", joints[j], parents[j]);
    let advice = format!(
        "{} below {} is needed: the first {TURNS} joints must be those of SMPL, SMPL+H and SMPL-X",
        NAMES[j], NAMES[PARENTS[j]]
    );
    Err(Error::input(origin, TREE, found, advice))
}

/// The joints by what vertices have as number `n` of the last axis: of their places (V, 3), n is 0.
fn regress(regressor: &Sparse, vertices: &Array, n: usize) -> [Vector3<f64>; TURNS] {
    let width = vertices.shape.get(2).copied().unwrap_or(1);
    let mut joints = [Vector3::zeros(); TURNS];
    for &(joint, vertex, share) in &regressor.entries {
        if let Some(joint) = joints.get_mut(joint) {
            let number = |axis: usize| vertices.values[(3 * vertex + axis) * width + n];
            *joint += share * Vector3::new(number(0), number(1), number(2));
        }
    }
    joints
}

#[cfg(test)]
mod tests;
