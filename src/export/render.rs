//! A small software renderer: shaded triangles with a depth buffer over a chequered ground.

use nalgebra::{Isometry3, Matrix3, Vector3};

use super::mesh::Mesh;

/// Red, green and blue, 0 to 255.
pub(super) type Color = [f64; 3];

/// Every pixel is the mean of so many by so many.
const SAMPLES: usize = 2;
/// Distance of the camera from what it looks at, m.
const DISTANCE: f64 = 6.0;
/// Behind everything.
pub(super) const SKY: Color = [250.0, 250.0, 247.0];
/// The two kinds of squares of the ground.
pub(super) const GROUND: [Color; 2] = [[226.0, 226.0, 221.0], [236.0, 236.0, 232.0]];
/// Share of light that is left in the shade.
const SHADE: f64 = 0.62;
/// Share of light where a body's shadow falls.
const SHADOW: f64 = 0.84;
/// Side of a square of the ground, m.
const SQUARE: f64 = 0.5;
/// Where the ground has faded into the sky, m from the camera's centre.
const HORIZON: f64 = 4.5;

/// Looks at a point from a fixed direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Camera {
    /// What it looks at, m.
    pub center: Vector3<f64>,
    /// Rows: to the right, up, and towards the viewer.
    axes: Matrix3<f64>,
    /// Samples per metre at the distance of `center`.
    scale: f64,
}

impl Camera {
    /// From `yaw` (about the vertical, 0 on the +x side) and `pitch` above the ground, rad; `height` metres fill the
    /// picture's `rows`.
    pub(super) fn new(
        center: Vector3<f64>,
        yaw: f64,
        pitch: f64,
        height: f64,
        rows: usize,
    ) -> Self {
        let ((sy, cy), (sp, cp)) = (yaw.sin_cos(), pitch.sin_cos());
        Self {
            center,
            axes: Matrix3::new(-sy, cy, 0.0, -cy * sp, -sy * sp, cp, cy * cp, sy * cp, sp),
            scale: (rows * SAMPLES) as f64 / height,
        }
    }

    /// The direction to the right, in the world.
    pub(super) fn right(&self) -> Vector3<f64> {
        self.axes.row(0).transpose()
    }
}

/// A picture in the making.
pub(super) struct Canvas {
    camera: Camera,
    width: usize,
    height: usize,
    colors: Vec<Color>,
    /// Distance from the camera's plane through its centre towards the viewer, m.
    depths: Vec<f64>,
}

impl Canvas {
    /// The empty ground; `size` is width and height in pixels.
    pub(super) fn new(camera: Camera, size: [usize; 2]) -> Self {
        let [width, height] = size.map(|pixels| pixels * SAMPLES);
        let mut canvas = Self {
            camera,
            width,
            height,
            colors: vec![SKY; width * height],
            depths: vec![f64::NEG_INFINITY; width * height],
        };
        canvas.draw_ground();
        canvas
    }

    fn draw_ground(&mut self) {
        for y in 0..self.height {
            for x in 0..self.width {
                if let Some(point) = self.ground_at(x, y) {
                    let fade = (point - self.camera.center).xy().norm() / HORIZON;
                    let odd = (point / SQUARE).map(|c| c.floor() as i64);
                    let color = GROUND[(odd.x + odd.y).rem_euclid(2) as usize];
                    self.colors[y * self.width + x] = mixed(color, SKY, fade.min(1.0).powi(2));
                }
            }
        }
    }

    /// The point of the ground that is seen at a sample, if any is.
    fn ground_at(&self, x: usize, y: usize) -> Option<Vector3<f64>> {
        let camera = &self.camera;
        let u = (x as f64 + 0.5 - self.width as f64 / 2.0) / camera.scale;
        let v = (self.height as f64 / 2.0 - y as f64 - 0.5) / camera.scale;
        let world = |p: Vector3<f64>| camera.axes.transpose() * p;
        let eye = camera.center + world(Vector3::new(0.0, 0.0, DISTANCE));
        let ray = world(Vector3::new(u, v, -DISTANCE));
        let reach = -eye.z / ray.z;
        (reach.is_finite() && reach > 0.0).then(|| eye + reach * ray)
    }

    /// Column and row of a point, in samples, and its depth.
    fn project(&self, point: &Vector3<f64>) -> Vector3<f64> {
        let p = self.camera.axes * (point - self.camera.center);
        let scale = self.camera.scale * DISTANCE / (DISTANCE - p.z).max(0.1);
        Vector3::new(
            self.width as f64 / 2.0 + scale * p.x,
            self.height as f64 / 2.0 - scale * p.y,
            p.z,
        )
    }

    /// Lets what is drawn from now on stand in front of all that is there.
    pub(super) fn draw_in_front(&mut self) {
        self.depths.fill(f64::NEG_INFINITY);
    }

    /// Draws the shadow of a mesh at `pose`, straight below it.
    pub(super) fn shadow(&mut self, mesh: &Mesh, pose: &Isometry3<f64>) {
        let flat = |point: &Vector3<f64>| {
            let world = pose.transform_point(&(*point).into()).coords;
            self.project(&Vector3::new(world.x, world.y, 0.0))
        };
        let points: Vec<Vector3<f64>> = mesh.positions.iter().map(flat).collect();
        for triangle in &mesh.triangles {
            let corners = triangle.map(|v| points[v as usize]);
            self.fill(&corners, |color, depth, _, at| {
                if *depth == f64::NEG_INFINITY {
                    *color = color.map(|c| c * SHADOW);
                    *depth = at - 1e3; // in the shade, behind all bodies
                }
            });
        }
    }

    /// Draws a mesh at `pose`, lit from above and the viewer's left.
    pub(super) fn draw(&mut self, mesh: &Mesh, pose: &Isometry3<f64>, color: Color) {
        let axes = self.camera.axes.transpose();
        let light = (axes * Vector3::new(-0.4, 0.35, 0.6) + Vector3::z() * 0.6).normalize();
        let project = |p: &Vector3<f64>| self.project(&pose.transform_point(&(*p).into()).coords);
        let points: Vec<Vector3<f64>> = mesh.positions.iter().map(project).collect();
        let lit = |normal: &Vector3<f64>| (pose.rotation * normal).dot(&light).max(0.0);
        let lights: Vec<f64> = mesh.normals.iter().map(lit).collect();
        for triangle in &mesh.triangles {
            let corners = triangle.map(|v| points[v as usize]);
            let bright = triangle.map(|v| lights[v as usize]);
            self.fill(&corners, |pixel, depth, share, at| {
                if at > *depth {
                    let light: f64 = (0..3).map(|k| share[k] * bright[k]).sum();
                    *pixel = color.map(|c| c * (SHADE + (1.0 - SHADE) * light));
                    *depth = at;
                }
            });
        }
    }

    /// Calls `paint` with colour, depth, shares of the corners, and new depth of every sample inside of a triangle.
    fn fill(
        &mut self,
        corners: &[Vector3<f64>; 3],
        paint: impl Fn(&mut Color, &mut f64, [f64; 3], f64),
    ) {
        let [a, b, c] = corners;
        let area = (b - a).xy().perp(&(c - a).xy());
        if area.abs() < 1e-9 {
            return;
        }
        let range = |k: usize, end: usize| {
            let low = a[k].min(b[k]).min(c[k]).floor().max(0.0);
            let high = a[k].max(b[k]).max(c[k]).ceil().min(end as f64);
            low as usize..high.max(0.0) as usize
        };
        let (columns, rows) = (range(0, self.width), range(1, self.height));
        for y in rows {
            for x in columns.clone() {
                let p = Vector3::new(x as f64 + 0.5, y as f64 + 0.5, 0.0).xy();
                let u = (c.xy() - b.xy()).perp(&(p - b.xy())) / area;
                let v = (a.xy() - c.xy()).perp(&(p - c.xy())) / area;
                let share = [u, v, 1.0 - u - v];
                if share.iter().all(|s| *s >= 0.0) {
                    let at = share[0] * a.z + share[1] * b.z + share[2] * c.z;
                    let i = y * self.width + x;
                    paint(&mut self.colors[i], &mut self.depths[i], share, at);
                }
            }
        }
    }

    /// The picture, row by row from the top.
    pub(super) fn pixels(&self) -> Vec<Color> {
        let (columns, rows) = (self.width / SAMPLES, self.height / SAMPLES);
        let pixel = |y: usize, x: usize| {
            let samples = (0..SAMPLES * SAMPLES).map(|k| {
                let (dy, dx) = (k / SAMPLES, k % SAMPLES);
                self.colors[(y * SAMPLES + dy) * self.width + x * SAMPLES + dx]
            });
            let sum = samples.fold([0.0; 3], |sum, c| [0, 1, 2].map(|k| sum[k] + c[k]));
            sum.map(|c| c / (SAMPLES * SAMPLES) as f64)
        };
        let places = (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x)));
        places.map(|(y, x)| pixel(y, x)).collect()
    }
}

/// `share` of `b` in `a`.
pub(super) fn mixed(a: Color, b: Color, share: f64) -> Color {
    [0, 1, 2].map(|k| a[k] + share * (b[k] - a[k]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Color = [200.0, 0.0, 0.0];

    fn drawn(places: &[[f64; 3]]) -> Vec<Color> {
        let camera = Camera::new(Vector3::new(0.0, 0.0, 0.5), 0.0, 0.0, 2.0, 40);
        let mut canvas = Canvas::new(camera, [40, 40]);
        let zero = Vector3::zeros();
        let ball = Mesh::capsule(&zero, &zero, 0.2);
        for (place, color) in places.iter().zip([RED, [0.0, 0.0, 200.0]]) {
            let pose = Isometry3::translation(place[0], place[1], place[2]);
            canvas.draw(&ball, &pose, color);
        }
        canvas.pixels()
    }

    #[test]
    fn a_ball_is_seen_where_it_is() {
        // The camera stands on the +x side: y is to its right, z up.
        let pixels = drawn(&[[0.0, 0.5, 1.0]]);
        let at = |row: usize, column: usize| pixels[row * 40 + column];
        assert!(
            at(10, 30)[2] < 1.0 && at(10, 30)[0] > 90.0,
            "{:?}",
            at(10, 30)
        );
        assert_eq!(at(10, 10), SKY);
        assert_ne!(at(35, 5), SKY, "there is no ground");
    }

    #[test]
    fn what_is_nearer_hides_what_is_behind() {
        for places in [
            [[1.0, 0.0, 0.5], [0.0, 0.0, 0.5]],
            [[0.0, 0.0, 0.5], [1.0, 0.0, 0.5]],
        ] {
            let [red, _, blue] = drawn(&places)[20 * 40 + 20];
            assert_eq!(red > blue, places[0][0] > places[1][0]);
        }
    }
}
