use motionfit::motion::{self, ReadOptions};
use motionfit::objective::*;
use motionfit::optim::*;
use motionfit::reconstruction::*;
use nalgebra::DMatrix;
use std::path::Path;
fn main() {
    // cmp metric.npy name:evals,name:evals clip@frame ...
    let args: Vec<String> = std::env::args().collect();
    let h: ndarray::Array2<f64> = ndarray_npy::read_npy(&args[1]).unwrap();
    let n = h.nrows();
    let metric = Metric::new(DMatrix::from_fn(n, n, |i, j| h[(i, j)]), 27, "m").unwrap();
    for w in &args[3..] {
        let (clip, frame) = w.split_once('@').unwrap();
        let reading = motion::read(
            Path::new(&format!("/work/shared/data/cmu17/{clip}.npy")),
            &ReadOptions {
                fps: Some(50.0),
                ..Default::default()
            },
        )
        .unwrap();
        let family =
            WindowFamily::new(&[(clip.to_string(), reading.motion)], &Settings::default()).unwrap();
        let task = family.window(clip, frame.parse().unwrap()).unwrap();
        for o in args[2].split(',') {
            let (name, evals) = o.split_once(':').unwrap();
            let t = std::time::Instant::now();
            let plain = name.trim_start_matches("m-");
            let mut opt = if name.starts_with("m-") && plain.contains("guided") {
                let o = Options {
                    probes_value_first: true,
                    initial_step: Some(std::env::var("STEP").unwrap().parse().unwrap()),
                    ..Options::default()
                };
                motionfit::learned::by_name(plain, &o).unwrap()
            } else {
                optimizer_of_windows(plain, 0).unwrap()
            };
            if name.starts_with("m-") {
                opt = Box::new(InMetric {
                    metric: metric.clone(),
                    optimizer: opt,
                });
            }
            let b = Budget {
                evaluations: evals.parse().unwrap(),
                ..Budget::default()
            };
            let x0 = vec![0.0; task.dimension()];
            let m = opt.minimize(&task, &x0, &b, &mut Unobserved).unwrap();
            let mut best = f64::INFINITY;
            let v: Vec<f64> = m
                .values
                .iter()
                .map(|v| {
                    best = best.min(*v);
                    (best * 100.0).round() / 100.0
                })
                .collect();
            let pick: Vec<String> = [0, 4, 6, 9, 14, 19, 29, 49, 70]
                .iter()
                .filter(|i| **i < v.len())
                .map(|i| format!("{}:{}", i + 1, v[*i]))
                .collect();
            println!(
                "{w} {name:>18} {:6.2} after {} ({:.0}s)  {}",
                m.value,
                m.evaluations,
                t.elapsed().as_secs_f64(),
                pick.join(" ")
            );
        }
    }
}
