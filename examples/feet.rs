use motionfit::{body, motion::Motion, reconstruction::loss::sole_corners};
fn load(name:&str)->Motion{ let p=format!("../shared/data/cmu17/{name}.npy");
  let a: ndarray::Array3<f32> = ndarray_npy::read_npy(&p).unwrap(); let n=a.shape()[0].min(150);
  Motion{name:name.into(),fps:50.0,joints:(0..n).map(|t| std::array::from_fn(|j| nalgebra::Vector3::new(a[[t,j,0]] as f64,a[[t,j,1]] as f64,a[[t,j,2]] as f64))).collect(),toes:None} }
fn main(){ for n in std::env::args().skip(1) { let m=load(&n); let b=body::fit(&m,None).unwrap(); let poses=body::reference_poses(&b,&m); let c=sole_corners(&b);
  // true feet
  let mut z=ndarray_npy::NpzReader::new(std::fs::File::open(format!("../shared/data/cmu17/{n}.npz")).unwrap()).unwrap(); let feet: ndarray::Array4<f32>=z.by_name("feet.npy").unwrap();
  for (foot,side,ank) in [(6usize,1usize,3usize),(9,0,6)] { let mut low=vec![]; let mut dev=vec![]; let mut yaw=vec![];
   for (t,p) in poses.iter().enumerate(){ let l=b.forward_kinematics(p); let z:Vec<f64>=c.iter().filter(|(i,_)|*i==foot).map(|(i,q)| l[*i].transform_point(&(*q).into()).z).collect(); low.push(z.iter().cloned().fold(1e9,f64::min)*1e3);
     let f=|k:usize| nalgebra::Vector3::new(feet[[t,side,k,0]] as f64,feet[[t,side,k,1]] as f64,feet[[t,side,k,2]] as f64);
     let d=f(1)-f(0); let x=l[foot].rotation*nalgebra::Vector3::x(); let px=(-x.z).asin().to_degrees(); let pd=((-d.z)/d.norm()).asin().to_degrees(); dev.push((px,pd)); yaw.push((d.y.atan2(d.x)-x.y.atan2(x.x)).to_degrees()); }
   let mut s=low.clone(); s.sort_by(f64::total_cmp); let q=|a:f64| s[((s.len()-1) as f64*a) as usize];
   let ah:Vec<f64>=m.joints.iter().map(|j|j[ank].z*1e3).collect(); let mut sa=ah.clone(); sa.sort_by(f64::total_cmp);
   println!("{n} foot {foot}: lowest sole q0 {:.0} q10 {:.0} q50 {:.0} q90 {:.0}  first frame {:.0}  ankle q0 {:.0} q10 {:.0} q50 {:.0} {}", q(0.),q(0.1),q(0.5),q(0.9),low[0],sa[0],sa[sa.len()/10],sa[sa.len()/2], 0);
   print!("   pitch(ours/true-rel) "); for t in (0..dev.len()).step_by(10){print!("{:.0}/{:.0} ",dev[t].0,dev[t].1);} println!(); print!("   yaw err "); for t in (0..dev.len()).step_by(10){print!("{:.0} ",yaw[t]);} println!();
  } } }
