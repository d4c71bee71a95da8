use motionfit::reconstruction::{*,window::*};
use motionfit::{body, motion::Motion, simulation::*, objective::*};
use nalgebra::Vector3;
fn load(name:&str)->Motion{ let p=format!("../shared/data/cmu17/{name}.npy");
  let a: ndarray::Array3<f32> = ndarray_npy::read_npy(&p).unwrap(); let n=a.shape()[0].min(150);
  Motion{name:name.into(),fps:50.0,joints:(0..n).map(|t| std::array::from_fn(|j| Vector3::new(a[[t,j,0]] as f64,a[[t,j,1]] as f64,a[[t,j,2]] as f64))).collect(),toes:None} }
fn main(){ let args:Vec<String>=std::env::args().collect();
  let get=|k:&str,d:f64|->f64{args.iter().find_map(|a| a.strip_prefix(&format!("{k}=")).map(|v|v.parse().unwrap())).unwrap_or(d)};
  for name in args.iter().skip(1).filter(|a|!a.contains('=')) { let motion=load(name);
  let body=body::fit(&motion,None).unwrap(); let poses=body::reference_poses(&body,&motion); let mut ph=Physics::default(); ph.timestep=1.0/get("hz",250.0); ph.pgs_iterations=get("pgs",4.0) as usize; ph.solver_iterations=get("si",4.0) as usize; ph.warmstart=get("warm",0.0);
  let track=ControlTrack::new(&body,&poses,50.0,ph.steps_per_frame(50.0));
  let mass_centers: Vec<Vector3<f64>> = poses.iter().map(|p| body.mass_center(&body.forward_kinematics(p))).collect();
  let link_centers: Vec<Vec<Vector3<f64>>> = poses.iter().map(|p| body.forward_kinematics(p).iter().zip(&body.links).map(|(pose, link)| pose.transform_point(&link.center_of_mass.into()).coords).collect()).collect();
  let world=World::new(&body,&ph,&body.forward_kinematics(&poses[0]),&link_velocities(&body,&poses,50.0,0));
  let knots=Knots::zeros(5,motion.len()+25,body.links.len());
  let mut w=PhysicsWindow::new(&body,&ph,&Default::default(),&track,&motion.joints,&mass_centers,&link_centers,50.0,0,25,world,knots,0..6);
  w.assistance=get("assist",0.1);
  let x=w.point();
  let lm=motionfit::optim::LevenbergMarquardt::default();
  let (f0,f1,x,n)=run(&w,&lm,&x,3,0.0,0.9).unwrap(); println!("{name} assisted {f0:.3} -> {f1:.3} in {n}");
  w.assistance=0.0;
  let t=std::time::Instant::now(); for _ in 0..20 {let _=w.residuals(&x);} println!("rollout {:.2} ms",t.elapsed().as_secs_f64()*50.0);
  let (r,j)=w.residuals_and_jacobian(&x); let f=0.5*r.norm_squared(); let g=j.tr_mul(&r); let mut a=j.tr_mul(&j);
  for lam in [1e-2,1.0] { let mut d=a.clone(); let mx=a.diagonal().max(); for i in 0..d.nrows(){ d[(i,i)]+=lam*a[(i,i)].max(1e-4*mx);} let p=-d.cholesky().unwrap().solve(&g);
   let mut rough=vec![]; for step in [1e-3,1e-2f64] { let v:Vec<f64>=(0..20).map(|i|{ let y:Vec<f64>=x.iter().zip(p.iter()).map(|(x,q)|x+step*i as f64*q/p.norm()).collect(); w.value(&y)}).collect(); let d:f64=(1..19).map(|i|(v[i+1]-2.0*v[i]+v[i-1]).powi(2)).sum::<f64>(); rough.push((d/18.0).sqrt()/f); } print!("ROUGH {:.4} {:.4} ",rough[0],rough[1]); print!("lam {lam:e} |p| {:.3} max {:.3} f {f:.3}: ",p.norm(),p.amax()); for al in [0.1,0.3,1.0] { let y:Vec<f64>=x.iter().zip(p.iter()).map(|(x,p)|x+al*p).collect(); let pred=0.5*(&r+&j*(&p*al)).norm_squared(); print!("a {al}: {:.3} (pred {pred:.3}) ",w.value(&y)); } println!(); } a.fill(0.);
}}
