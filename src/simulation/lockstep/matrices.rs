//! A matrix per copy.

use std::ops::{Add, Mul};

use nalgebra::Vector3;

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
                x: p.x * a.x + q.x * b.x + r.x * c.x,
                y: p.y * a.y + q.y * b.y + r.y * c.y,
                z: p.z * a.z + q.z * b.z + r.z * c.z,
            },
            rest: Vectors {
                x: p.y * a.z + q.y * b.z + r.y * c.z,
                y: p.x * a.z + q.x * b.z + r.x * c.z,
                z: p.x * a.y + q.x * b.y + r.x * c.y,
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

    /// The inverse, by cofactors.
    #[inline(always)]
    pub fn inverse(self) -> Self {
        let (d, r) = (self.diagonal, self.rest);
        let diagonal = Vectors::new(
            d.y * d.z - r.x * r.x,
            d.x * d.z - r.y * r.y,
            d.x * d.y - r.z * r.z,
        );
        let rest = Vectors::new(
            r.z * r.y - d.x * r.x,
            r.z * r.x - r.y * d.y,
            r.y * r.x - r.z * d.z,
        );
        let determinant = d.x * diagonal.x + r.z * rest.z + r.y * rest.y;
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
            x: d.x * v.x + r.z * v.y + r.y * v.z,
            y: r.z * v.x + d.y * v.y + r.x * v.z,
            z: r.y * v.x + r.x * v.y + d.z * v.z,
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
            x: y * arm.z - z * arm.y,
            y: z * arm.x - x * arm.z,
            z: x * arm.y - y * arm.x,
        }
    }

    /// v ↦ (M v) × arm for an M that [turns](Self::turning) about the same arm.
    #[inline(always)]
    pub fn lifted(self, arm: Vectors<W>) -> Symmetric<W> {
        let Self { x, y, z } = self;
        Symmetric {
            diagonal: Vectors::new(
                x.y * arm.z - x.z * arm.y,
                y.z * arm.x - y.x * arm.z,
                z.x * arm.y - z.y * arm.x,
            ),
            rest: Vectors::new(
                z.z * arm.x - z.x * arm.z,
                z.y * arm.z - z.z * arm.y,
                y.y * arm.z - y.z * arm.y,
            ),
        }
    }
}

impl<W: Wide> Mul<Vectors<W>> for Matrices<W> {
    type Output = Vectors<W>;

    #[inline(always)]
    fn mul(self, v: Vectors<W>) -> Vectors<W> {
        self.x * v.x + self.y * v.y + self.z * v.z
    }
}
