use motionfit::body::Subject;
use motionfit::motion::{self, ReadOptions, resample};
use motionfit::objective::*;
use motionfit::optim::{Budget, Unobserved};
use motionfit::reconstruction::loss::Weights;
use motionfit::reconstruction::{Clip, PhysicsWindow, optimizer_of_windows};
use motionfit::simulation::Physics;
use nalgebra::{DMatrix, DVector};
use ndarray::{Array1, Array2, Array3};
use std::path::Path;
use std::sync::Mutex;

struct Rec<'a> {
    inner: PhysicsWindow<'a>,
    seen: Mutex<Vec<(Vec<f64>, f64, Vec<f64>, DMatrix<f64>)>>,
}
impl Objective for Rec<'_> {
    fn dimension(&self) -> usize {
        self.inner.dimension()
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.inner.value(x)
    }
    fn value_and_gradient(&self, x: &[f64], g: &mut [f64]) -> f64 {
        let (r, j) = self.residuals_and_jacobian(x);
        g.copy_from_slice(j.tr_mul(&r).as_slice());
        0.5 * r.norm_squared()
    }
    fn least_squares(&self) -> Option<&dyn Residuals> {
        Some(self)
    }
}
impl Residuals for Rec<'_> {
    fn len(&self) -> usize {
        self.inner.len()
    }
    fn residuals(&self, x: &[f64]) -> DVector<f64> {
        self.inner.residuals(x)
    }
    fn residuals_and_jacobian(&self, x: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        let (r, j) = self.inner.residuals_and_jacobian(x);
        let g = j.tr_mul(&r);
        let h = j.transpose() * &j;
        self.seen.lock().unwrap().push((
            x.to_vec(),
            0.5 * r.norm_squared(),
            g.as_slice().to_vec(),
            h,
        ));
        (r, j)
    }
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (out, optimizer, evals, shift): (&str, &str, usize, usize) = (
        &args[1],
        &args[2],
        args[3].parse().unwrap(),
        args[4].parse().unwrap(),
    );
    std::fs::create_dir_all(out).unwrap();
    let opt = optimizer_of_windows(optimizer, 0).unwrap();
    for path in &args[5..] {
        let path = Path::new(path);
        let stem = path.file_stem().unwrap().to_string_lossy().to_string();
        let reading = motion::read(
            path,
            &ReadOptions {
                fps: Some(50.0),
                ..Default::default()
            },
        )
        .unwrap();
        let m = resample(&reading.motion, 50.0);
        let clip = Clip::new(
            m,
            &Subject::default(),
            &Physics::default(),
            &Weights::default(),
        )
        .unwrap();
        let mut first = 5 + shift;
        while first + 25 < clip.motion.len() {
            let file = format!("{out}/{stem}_{first}_{optimizer}.npz");
            if !Path::new(&file).exists() {
                let t = std::time::Instant::now();
                let rec = Rec {
                    inner: PhysicsWindow::from_reference(&clip, first, 25, 5),
                    seen: Mutex::default(),
                };
                let x0 = rec.inner.point();
                let budget = Budget {
                    evaluations: evals,
                    ..Budget::default()
                };
                let min = opt.minimize(&rec, &x0, &budget, &mut Unobserved).unwrap();
                let seen = rec.seen.into_inner().unwrap();
                let n = x0.len();
                let k = seen.len();
                let x = Array2::from_shape_fn((k, n), |(i, j)| seen[i].0[j]);
                let f = Array1::from_shape_fn(k, |i| seen[i].1);
                let g = Array2::from_shape_fn((k, n), |(i, j)| seen[i].2[j]);
                let h = Array3::from_shape_fn((k, n, n), |(i, a, b)| seen[i].3[(a, b)] as f32);
                let tmp = format!("{file}.tmp");
                let mut w = ndarray_npy::NpzWriter::new(std::fs::File::create(&tmp).unwrap());
                w.add_array("x", &x).unwrap();
                w.add_array("f", &f).unwrap();
                w.add_array("g", &g).unwrap();
                w.add_array("h", &h).unwrap();
                w.add_array("values", &Array1::from(min.values.clone()))
                    .unwrap();
                w.finish().unwrap();
                std::fs::rename(tmp, &file).unwrap();
                println!(
                    "{stem} {first}: n {n} {} jac, {:.1}s, values {:?}",
                    k,
                    t.elapsed().as_secs_f64(),
                    min.values
                        .iter()
                        .map(|v| (v * 100.0).round() / 100.0)
                        .collect::<Vec<_>>()
                );
            }
            first += 15;
        }
    }
}
