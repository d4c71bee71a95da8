//! development
use motionfit::keypoints::{self, Observation, View, fit::fit, ReadOptions, Layout2d};
use motionfit::motion::camera::read_cameras;
use motionfit::metrics;
use motionfit::motion::{Joints, JOINTS};
use std::path::Path;
use nalgebra::Vector3;

struct Draws(u64);
impl Draws {
    fn uniform(&mut self) -> f64 { self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); ((self.0>>11) as f64 + 0.5)/2f64.powi(53) }
    fn normal(&mut self) -> f64 { let (a,b)=(self.uniform(),self.uniform()); (-2.0*a.ln()).sqrt()*(std::f64::consts::TAU*b).cos() }
}
fn observe(clip:&str, step:usize, secs:f64) -> (Observation, Vec<Joints>) {
    let dir = Path::new("../shared/data/cmu2d");
    let path = dir.join(format!("{clip}.npz"));
    let cam = read_cameras(&path).unwrap().remove(0);
    let d = keypoints::read(&path, &ReadOptions{layout:Some(Layout2d::H36m17), array:Some("kp_s2".into()), person:None}).unwrap();
    let mut a = motionfit::motion::files::Archive::open(&path).unwrap();
    let j3 = a.array("joints3d").unwrap();
    let truth: Vec<Joints> = j3.values.chunks(51).map(|f| std::array::from_fn(|j| Vector3::new(f[3*j],f[3*j+1],f[3*j+2]))).collect();
    let n = ((secs*50.0) as usize+1).min(truth.len());
    let o = Observation::new(clip.into(), 50.0, vec![View{camera:cam, frames:d.views[0].clone()}], None).unwrap().cut(0..n).decimated(step);
    (o, truth[..n].iter().step_by(step).copied().collect())
}
#[test]
fn dev() {
    let clips = ["02_01","07_01","08_09","12_01","16_15","35_06","16_17","09_01","16_03","05_02","05_13","131_03","135_04","02_06","14_06"];
    for clip in clips {
        let (o, truth) = observe(clip, 2, 3.0);
        let t0=std::time::Instant::now();
        let f = fit(&o, None).unwrap();
        let g = 1e3*metrics::mpjpe_global(&f.joints,&truth);
        let m = 1e3*metrics::mpjpe(&f.joints,&truth,metrics::Alignment::Root);
        let worst = 1e3*metrics::frame_errors(&f.joints,&truth).into_iter().fold(0.0,f64::max);
        let sig: f64 = 1e3*f.sigma.iter().flatten().sum::<f64>()/(f.sigma.len()*JOINTS) as f64;
        print!("{clip:7} 2D: G {g:6.1} M {m:6.1} worst {worst:6.1} sig {sig:5.1} st {:.2} cost {:.2} 2d {:.2} t {:.1}s", f.stature, f.cost, o.reprojection_error(&f.joints).unwrap(), t0.elapsed().as_secs_f64());
        println!();
        let cam=&o.views[0].camera;
        let est = keypoints::read_poses(Path::new(&format!("/tmp/est/{clip}.npy")), &keypoints::PoseOptions{frame: keypoints::Frame3d::Camera, ..Default::default()}, cam).unwrap();
        let mut oe=o.clone(); oe.estimates=Some(est.iter().step_by(2).take(o.len()).copied().collect());
        let f=fit(&oe,None).unwrap();
        println!("           est: G {:.1} M {:.1} tv {:.3}", 1e3*metrics::mpjpe_global(&f.joints,&truth), 1e3*metrics::mpjpe(&f.joints,&truth,metrics::Alignment::Root), metrics::acceleration_tv(&f.joints));
    }
}
