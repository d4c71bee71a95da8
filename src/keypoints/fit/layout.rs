//! Where the variables of the fit are.

use nalgebra::Vector3;

use crate::motion::JOINTS;

/// Where the variables are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// Number of frames T.
    pub frames: usize,
    /// Variables of a frame: 51 coordinates, and 3 of the offset where there are estimates.
    pub stride: usize,
}

impl Layout {
    /// The first coordinate of joint `j` in frame `t`.
    pub fn index(&self, t: usize, j: usize) -> usize {
        t * self.stride + 3 * j
    }

    /// Joint `j` in frame `t`, m.
    pub fn point(&self, x: &[f64], t: usize, j: usize) -> Vector3<f64> {
        let at = self.index(t, j);
        Vector3::new(x[at], x[at + 1], x[at + 2])
    }

    /// The offset of the estimates in frame `t`.
    pub fn offset(&self, t: usize) -> usize {
        t * self.stride + 3 * JOINTS
    }

    /// Number of frame variables.
    pub fn chain(&self) -> usize {
        self.frames * self.stride
    }

    /// The length of the bone that ends in joint `j` ≥ 1.
    pub fn bone(&self, j: usize) -> usize {
        self.chain() + j - 1
    }

    /// The stature.
    pub fn stature(&self) -> usize {
        self.chain() + JOINTS - 1
    }

    /// The bias of the estimates over the clip.
    pub fn bias(&self) -> usize {
        self.chain() + JOINTS
    }

    /// Number of global variables.
    pub fn globals(&self) -> usize {
        JOINTS + if self.stride > 3 * JOINTS { 3 } else { 0 }
    }
}
