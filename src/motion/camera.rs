//! Cameras: world ↔ camera ↔ pixel.
//!
//! Camera axes are x right, y down, z forward. A world point p has the camera coordinates
//! R p + t; its normalized coordinates (X/Z, Y/Z) are distorted and become pixels u = f x + c.
//! Whether the origin is the middle of the top left pixel or its corner is up to the calibration and
//! must be the same for the keypoints: nothing is shifted by half a pixel. A principal point that is
//! not given is size / 2, the middle of the image if the origin is the corner.
//!
//! # References
//! * OpenCV, *Camera calibration and 3D reconstruction*: the five coefficients k1 k2 p1 p2 k3.
//! * C. Ionescu et al., *Human3.6M*, TPAMI 2014; its projection as in VideoPose3D,
//!   `common/camera.py`.

mod files;

use nalgebra::{Matrix2, Matrix2x3, Matrix3, Rotation3, Vector2, Vector3};

pub use files::read_cameras;

/// Points nearer to the camera plane than this have no pixel, m.
const NEAREST: f64 = 0.05;

/// How a lens bends the normalized coordinates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Distortion {
    /// Not at all.
    #[default]
    None,
    /// OpenCV: x (1 + k1 r² + k2 r⁴ + k3 r⁶) + 2 p1 x y + p2 (r² + 2 x²), and likewise for y.
    OpenCv {
        /// Radial coefficients k1, k2, k3.
        radial: [f64; 3],
        /// Tangential coefficients p1, p2.
        tangential: [f64; 2],
    },
    /// Human3.6M: x (1 + k1 r² + k2 r⁴ + k3 r⁶ + p · (x, y)) + p r²; the first coefficient belongs
    /// to x, where OpenCV has it belong to y, and there is no factor 2.
    Human36m {
        /// Radial coefficients k1, k2, k3.
        radial: [f64; 3],
        /// Tangential coefficients (p_x, p_y).
        tangential: [f64; 2],
    },
}

impl Distortion {
    /// The distorted normalized coordinates of `x`.
    pub fn apply(&self, x: Vector2<f64>) -> Vector2<f64> {
        let r2 = x.norm_squared();
        let bent = |k: &[f64; 3]| 1.0 + r2 * (k[0] + r2 * (k[1] + r2 * k[2]));
        match self {
            Self::None => x,
            Self::OpenCv {
                radial,
                tangential: [p1, p2],
            } => {
                let cross = 2.0 * x.x * x.y;
                let shift = Vector2::new(
                    p1 * cross + p2 * (r2 + 2.0 * x.x * x.x),
                    p1 * (r2 + 2.0 * x.y * x.y) + p2 * cross,
                );
                x * bent(radial) + shift
            }
            Self::Human36m { radial, tangential } => {
                let p = Vector2::from(*tangential);
                x * (bent(radial) + p.dot(&x)) + p * r2
            }
        }
    }

    /// The derivative of [`apply`](Self::apply) at `x`, by central differences (exact to 1e-9).
    fn derivative(&self, x: Vector2<f64>) -> Matrix2<f64> {
        if *self == Self::None {
            return Matrix2::identity();
        }
        let h = 1e-5;
        let column = |e: Vector2<f64>| (self.apply(x + e) - self.apply(x - e)) / (2.0 * h);
        Matrix2::from_columns(&[column(Vector2::x() * h), column(Vector2::y() * h)])
    }

    /// The normalized coordinates that are distorted to `y` (Newton's method).
    fn invert(&self, y: Vector2<f64>) -> Vector2<f64> {
        let mut x = y;
        for _ in 0..20 {
            let error = self.apply(x) - y;
            let Some(inverse) = self.derivative(x).try_inverse() else {
                break;
            };
            x -= inverse * error;
            if error.norm() < 1e-13 {
                break;
            }
        }
        x
    }
}

/// A calibrated, static camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// Its name, "c01".
    pub name: String,
    /// Width and height of the image, px.
    pub size: [f64; 2],
    /// Focal lengths f along x and y, px.
    pub focal: Vector2<f64>,
    /// Principal point c, px.
    pub center: Vector2<f64>,
    /// Lens distortion.
    pub distortion: Distortion,
    /// R: camera ← world.
    pub rotation: Rotation3<f64>,
    /// t, m: the world's origin in camera coordinates.
    pub translation: Vector3<f64>,
}

impl Camera {
    /// A pinhole camera `height` m above the world's origin that looks along +x, `tilt` rad
    /// downwards, with the principal point in the middle of the image.
    pub fn standing(size: [f64; 2], focal: f64, height: f64, tilt: f64) -> Self {
        let (sin, cos) = tilt.sin_cos();
        let rotation = Rotation3::from_matrix_unchecked(Matrix3::new(
            0.0, -1.0, 0.0, //
            -sin, 0.0, -cos, //
            cos, 0.0, -sin,
        ));
        Self {
            name: "camera".into(),
            size,
            focal: Vector2::repeat(focal),
            center: Vector2::from(size) / 2.0,
            distortion: Distortion::None,
            rotation,
            translation: -(rotation * Vector3::new(0.0, 0.0, height)),
        }
    }

    /// Camera coordinates of a world point, m.
    pub fn to_camera(&self, p: &Vector3<f64>) -> Vector3<f64> {
        self.rotation * p + self.translation
    }

    /// World coordinates of a point in camera coordinates, m.
    pub fn to_world(&self, q: &Vector3<f64>) -> Vector3<f64> {
        self.rotation.inverse() * (q - self.translation)
    }

    /// Where the camera stands, world frame, m.
    pub fn position(&self) -> Vector3<f64> {
        self.to_world(&Vector3::zeros())
    }

    /// Pixel of a world point; `None` behind the camera.
    pub fn project(&self, p: &Vector3<f64>) -> Option<Vector2<f64>> {
        let q = self.to_camera(p);
        (q.z > NEAREST).then(|| self.pixel(Vector2::new(q.x / q.z, q.y / q.z)))
    }

    /// Pixel of a world point and its derivative with respect to the point, px/m; `None` behind
    /// the camera.
    pub fn project_with_derivative(
        &self,
        p: &Vector3<f64>,
    ) -> Option<(Vector2<f64>, Matrix2x3<f64>)> {
        let q = self.to_camera(p);
        if q.z <= NEAREST {
            return None;
        }
        let x = Vector2::new(q.x / q.z, q.y / q.z);
        let perspective = Matrix2x3::new(1.0, 0.0, -x.x, 0.0, 1.0, -x.y) / q.z;
        let lens = Matrix2::from_diagonal(&self.focal) * self.distortion.derivative(x);
        Some((self.pixel(x), lens * perspective * self.rotation.matrix()))
    }

    fn pixel(&self, x: Vector2<f64>) -> Vector2<f64> {
        self.distortion.apply(x).component_mul(&self.focal) + self.center
    }

    /// Undistorted normalized coordinates (X/Z, Y/Z) of a pixel.
    pub fn normalized(&self, pixel: &Vector2<f64>) -> Vector2<f64> {
        let y = (pixel - self.center).component_div(&self.focal);
        self.distortion.invert(y)
    }

    /// The world point that is seen at `pixel`, `depth` m in front of the camera plane.
    pub fn unproject(&self, pixel: &Vector2<f64>, depth: f64) -> Vector3<f64> {
        let x = self.normalized(pixel);
        self.to_world(&(Vector3::new(x.x, x.y, 1.0) * depth))
    }

    /// The point of the plane z = `height` (world frame, m) that is seen at `pixel`; `None` when
    /// the ray does not meet it in front of the camera.
    pub fn on_plane(&self, pixel: &Vector2<f64>, height: f64) -> Option<Vector3<f64>> {
        let origin = self.position();
        let ray = self.unproject(pixel, 1.0) - origin;
        let depth = (height - origin.z) / ray.z;
        (depth.is_finite() && depth > NEAREST).then(|| origin + ray * depth)
    }

    /// Length in the image of 1 m at `p`, px/m.
    pub fn scale_at(&self, p: &Vector3<f64>) -> f64 {
        (self.focal.x + self.focal.y) / (2.0 * self.to_camera(p).z.max(NEAREST))
    }

    /// The same camera in a world whose points are `turn` p − `floor` e_z for the points p of this
    /// one.
    pub fn moved(&self, turn: &Rotation3<f64>, floor: f64) -> Self {
        let rotation = self.rotation * turn.inverse();
        Self {
            translation: self.translation + rotation * Vector3::z() * floor,
            rotation,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cameras() -> [Camera; 3] {
        let pinhole = Camera::standing([1000.0, 1002.0], 1145.0, 1.5, 0.1);
        let radial = [-0.2, 0.25, -0.01];
        let tangential = [-0.0006, -0.0018];
        let with = |distortion| Camera {
            distortion,
            rotation: Rotation3::from_euler_angles(-1.5, 0.3, 0.2),
            translation: Vector3::new(0.2, -0.3, 5.0),
            ..pinhole.clone()
        };
        [
            pinhole.clone(),
            with(Distortion::OpenCv { radial, tangential }),
            with(Distortion::Human36m { radial, tangential }),
        ]
    }

    #[test]
    fn pixels_and_depths_lead_back_to_the_point() {
        for camera in cameras() {
            let q = Vector3::new(0.4, -0.8, 4.0);
            let p = camera.to_world(&q);
            let pixel = camera.project(&p).unwrap();
            assert!((camera.unproject(&pixel, 4.0) - p).norm() < 1e-9);
            assert!(camera.project(&camera.to_world(&-q)).is_none());
        }
    }

    #[test]
    fn derivatives_equal_central_differences() {
        for camera in cameras() {
            let p = camera.to_world(&Vector3::new(0.4, -0.8, 4.0));
            let (_, derivative) = camera.project_with_derivative(&p).unwrap();
            for axis in 0..3 {
                let e = Vector3::ith(axis, 1e-6);
                let difference =
                    camera.project(&(p + e)).unwrap() - camera.project(&(p - e)).unwrap();
                assert!((difference / 2e-6 - derivative.column(axis)).norm() < 1e-4);
            }
        }
    }

    #[test]
    fn a_standing_camera_sees_left_on_the_left_and_up_above() {
        let camera = Camera::standing([640.0, 480.0], 500.0, 1.5, 0.0);
        let pixel = camera.project(&Vector3::new(5.0, 1.0, 2.5)).unwrap();
        assert!((pixel - Vector2::new(220.0, 140.0)).norm() < 1e-9);
        let ground = camera.on_plane(&Vector2::new(320.0, 390.0), 0.0).unwrap();
        assert!((ground - Vector3::new(5.0, 0.0, 0.0)).norm() < 1e-9);
        assert!(camera.on_plane(&Vector2::new(320.0, 100.0), 0.0).is_none());
    }

    #[test]
    fn a_moved_world_keeps_the_picture() {
        let [_, camera, _] = cameras();
        let turn = Rotation3::from_euler_angles(0.3, 1.0, -2.0);
        let p = camera.to_world(&Vector3::new(0.4, -0.8, 4.0));
        let moved = camera.moved(&turn, 0.7);
        let there = turn * p - Vector3::z() * 0.7;
        assert!((moved.project(&there).unwrap() - camera.project(&p).unwrap()).norm() < 1e-9);
    }
}
