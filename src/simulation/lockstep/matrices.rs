//! A matrix per copy.

use std::ops::{Add, Mul};

use nalgebra::Vector3;

use super::lanes::Lanes;
use super::vectors::Vectors;
use super::wide::Wide;

/// A symmetric matrix per lane.
#[derive(Clone, Copy)]
pub struct Symmetric<W: Wide> {
    /// xx, yy, zz
    diagonal: Vectors<W>,
    /// yz, xz, xy
    rest: Vectors<W>,
}

impl<W: Wide> Symmetric<W> {
    /// R diag(d) Rᵀ for the rotation matrix R with columns `axes`.
    #[inline(always)]
    pub fn turned(axes: [Vectors<W>; 3], diagonal: &Vector3<f64>) -> Self {
        let [a, b, c] = axes;
        let (p, q, r) = (a * diagonal.x, b * diagonal.y, c * diagonal.z);
        Self {
            diagonal: Vectors {
                x: sum_of_products([(p.x, a.x), (q.x, b.x), (r.x, c.x)]),
                y: sum_of_products([(p.y, a.y), (q.y, b.y), (r.y, c.y)]),
                z: sum_of_products([(p.z, a.z), (q.z, b.z), (r.z, c.z)]),
            },
            rest: Vectors {
                x: sum_of_products([(p.y, a.z), (q.y, b.z), (r.y, c.z)]),
                y: sum_of_products([(p.x, a.z), (q.x, b.z), (r.x, c.z)]),
                z: sum_of_products([(p.x, a.y), (q.x, b.y), (r.x, c.y)]),
            },
        }
    }

    /// Plus `number` times the identity.
    #[inline(always)]
    pub fn plus(self, number: f64) -> Self {
        let Vectors { x, y, z } = self.diagonal;
        Self {
            diagonal: Vectors::new(x + number, y + number, z + number),
            ..self
        }
    }

    /// M v plus `addend`.
    #[inline(always)]
    pub fn mul_add(self, v: Vectors<W>, addend: Vectors<W>) -> Vectors<W> {
        let (d, r) = (self.diagonal, self.rest);
        Vectors {
            x: Vectors::new(d.x, r.z, r.y).dot_add(v, addend.x),
            y: Vectors::new(r.z, d.y, r.x).dot_add(v, addend.y),
            z: Vectors::new(r.y, r.x, d.z).dot_add(v, addend.z),
        }
    }

    /// The inverse, by cofactors.
    #[inline(always)]
    pub fn inverse(self) -> Self {
        let (d, r) = (self.diagonal, self.rest);
        let diagonal = Vectors::new(
            difference_of_products((d.y, d.z), (r.x, r.x)),
            difference_of_products((d.x, d.z), (r.y, r.y)),
            difference_of_products((d.x, d.y), (r.z, r.z)),
        );
        let rest = Vectors::new(
            difference_of_products((r.z, r.y), (d.x, r.x)),
            difference_of_products((r.z, r.x), (r.y, d.y)),
            difference_of_products((r.y, r.x), (r.z, d.z)),
        );
        let determinant = sum_of_products([(d.x, diagonal.x), (r.z, rest.z), (r.y, rest.y)]);
        let factor = determinant.recip();
        Self {
            diagonal: diagonal * factor,
            rest: rest * factor,
        }
    }
}

impl<W: Wide> Add for Symmetric<W> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self {
            diagonal: self.diagonal + other.diagonal,
            rest: self.rest + other.rest,
        }
    }
}

impl<W: Wide> Mul<f64> for Symmetric<W> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, factor: f64) -> Self {
        Self {
            diagonal: self.diagonal * factor,
            rest: self.rest * factor,
        }
    }
}

impl<W: Wide> Mul<Vectors<W>> for Symmetric<W> {
    type Output = Vectors<W>;

    #[inline(always)]
    fn mul(self, v: Vectors<W>) -> Vectors<W> {
        let (d, r) = (self.diagonal, self.rest);
        Vectors {
            x: Vectors::new(d.x, r.z, r.y).dot(v),
            y: Vectors::new(r.z, d.y, r.x).dot(v),
            z: Vectors::new(r.y, r.x, d.z).dot(v),
        }
    }
}

/// A matrix per lane, by its columns.
#[derive(Clone, Copy)]
pub struct Matrices<W: Wide> {
    x: Vectors<W>,
    y: Vectors<W>,
    z: Vectors<W>,
}

impl<W: Wide> Matrices<W> {
    /// v ↦ M (arm × v)
    #[inline(always)]
    pub fn turning(matrix: &Symmetric<W>, arm: Vectors<W>) -> Self {
        let (d, r) = (matrix.diagonal, matrix.rest);
        let x = Vectors::new(d.x, r.z, r.y);
        let y = Vectors::new(r.z, d.y, r.x);
        let z = Vectors::new(r.y, r.x, d.z);
        Self {
            x: y.mul_add(arm.z, -(z * arm.y)),
            y: z.mul_add(arm.x, -(x * arm.z)),
            z: x.mul_add(arm.y, -(y * arm.x)),
        }
    }

    /// v ↦ (M v) × arm for an M that [turns](Self::turning) about the same arm.
    #[inline(always)]
    pub fn lifted(self, arm: Vectors<W>) -> Symmetric<W> {
        let Self { x, y, z } = self;
        Symmetric {
            diagonal: Vectors::new(
                difference_of_products((x.y, arm.z), (x.z, arm.y)),
                difference_of_products((y.z, arm.x), (y.x, arm.z)),
                difference_of_products((z.x, arm.y), (z.y, arm.x)),
            ),
            rest: Vectors::new(
                difference_of_products((z.z, arm.x), (z.x, arm.z)),
                difference_of_products((z.y, arm.z), (z.z, arm.y)),
                difference_of_products((y.y, arm.z), (y.z, arm.y)),
            ),
        }
    }
}

#[inline(always)]
fn sum_of_products<W: Wide>([a, b, c]: [(Lanes<W>, Lanes<W>); 3]) -> Lanes<W> {
    c.0.mul_add(c.1, b.0.mul_add(b.1, a.0 * a.1))
}

#[inline(always)]
fn difference_of_products<W: Wide>(a: (Lanes<W>, Lanes<W>), b: (Lanes<W>, Lanes<W>)) -> Lanes<W> {
    a.0.mul_add(a.1, -(b.0 * b.1))
}
