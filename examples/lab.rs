use motionfit::reconstruction::*;
use motionfit::{body, motion::Motion};
use std::time::Instant;
fn load(name:&str, seconds:f64)->Motion{
  let mut p=format!("../shared/data/cmu17/{name}.npy"); if !std::path::Path::new(&p).exists(){p=format!("../shared/data/cmu17_extra/{name}.npy");}
  let a: ndarray::Array3<f32> = ndarray_npy::read_npy(&p).unwrap();
  let n=(seconds*50.0) as usize; let n=a.shape()[0].min(n);
  Motion{name:name.into(),fps:50.0,joints:(0..n).map(|t| std::array::from_fn(|j| nalgebra::Vector3::new(a[[t,j,0]] as f64,a[[t,j,1]] as f64,a[[t,j,2]] as f64))).collect(),toes:None}
}
fn tv(j:&[[nalgebra::Vector3<f64>;17]])->f64{ let mut s=0.0; let n=j.len(); for t in 0..n-3 { for k in 0..17 { let a=|t:usize| j[t+2][k]-2.0*j[t+1][k]+j[t][k]; s+=(a(t+1)-a(t)).norm(); } } s/(n-3) as f64 }
fn main(){
  let args:Vec<String>=std::env::args().collect();
  let get=|k:&str,d:f64|->f64{args.iter().find_map(|a| a.strip_prefix(&format!("{k}=")).map(|v|v.parse().unwrap())).unwrap_or(d)};
  let names:Vec<String>=args.iter().skip(1).filter(|a|!a.contains('=')).cloned().collect();
  let mut s=Settings{physics:Default::default(),weights:Default::default(),window:get("window",25.0) as usize,advance:get("advance",5.0) as usize,spacing:get("spacing",5.0) as usize,plan: {let f=get("first",5.0) as usize; let n=get("n",2.0) as usize; match get("ladder",1.0) as i32 {0=>vec![(0.0,f)],1=>vec![(1.0,1),(0.1,n),(0.01,n),(0.001,n),(0.0,f)],2=>vec![(1.0,1),(0.1,n),(0.03,n),(0.01,n),(0.003,n),(0.0,f)],_=>vec![(0.1,n),(0.01,n),(0.0,f)]}},iterations:get("its",5.0) as usize,damping:get("damping",1e-2),good:get("good",0.5),stall:get("stall",0.9),verbose:get("v",0.0)>0.0};
  s.physics.timestep=1.0/get("hz",250.0); s.physics.solver_iterations=get("si",4.0) as usize; s.physics.pgs_iterations=get("pgs",4.0) as usize; s.physics.warmstart=get("warm",0.0);
  s.weights.capture_point=get("wc",1.0);s.weights.velocity=get("wv",0.5); s.weights.torque=get("wt",0.1); s.weights.foot_slip=get("ws",0.5); s.weights.penetration=get("wp",0.5); s.weights.offset=get("wo",0.1); s.weights.smoothness=get("wm",0.2);
  for n in &names { let m=load(n,get("sec",3.0));
    let b=body::fit(&m,None).unwrap(); let poses=body::reference_poses(&b,&m);
    let kin=m.joints.iter().zip(&poses).map(|(o,p)| frame_error(&b,&b.forward_kinematics(p),o)).sum::<f64>()/m.len() as f64*1e3;
    let t=Instant::now(); let l=lab(&m,&s).unwrap(); let el=t.elapsed().as_secs_f64();
    let e:Vec<f64>=l.trajectory.frames.iter().zip(&m.joints).map(|(f,o)| frame_error(&l.body,&f.links,o)*1e3).collect();
    let mk:Vec<_>=l.trajectory.frames.iter().map(|f| l.body.marker_positions(&f.links)).collect();
    let fz:f64=l.trajectory.frames.iter().map(|f| f.contacts.iter().map(|c| c.force.z).sum::<f64>()).sum::<f64>()/l.trajectory.frames.len() as f64/9.8;
    if get("dump",0.0)>0.0 { for t in 0..mk.len().min(get("dump",0.0) as usize) { let (j,e)=(0..17).map(|j|(j,(mk[t][j]-m.joints[t][j]))).max_by(|a,b|a.1.norm().total_cmp(&b.1.norm())).unwrap(); let p=mk[t][0]-m.joints[t][0]; let c=motionfit::reconstruction::loss::sole_corners(&b); let low=|f:usize|c.iter().filter(|(i,_)|*i==f).map(|(i,q)| l.trajectory.frames[t].links[*i].transform_point(&(*q).into()).z*1e3).fold(1e9,f64::min); let rl=b.forward_kinematics(&poses[t]); let rlow=|f:usize|c.iter().filter(|(i,_)|*i==f).map(|(i,q)| rl[*i].transform_point(&(*q).into()).z*1e3).fold(1e9,f64::min);
      let com=|l:&[nalgebra::Isometry3<f64>]| b.mass_center(l);
      println!("   t {t} worst joint {j} [{:.0} {:.0} {:.0}] pelvis [{:.0} {:.0} {:.0}] sole {:.0} {:.0} ref {:.0} {:.0} F {:.0} com {:.3} ref {:.3} tau {:?}",e.x*1e3,e.y*1e3,e.z*1e3,p.x*1e3,p.y*1e3,p.z*1e3,low(6),low(9),rlow(6),rlow(9),l.trajectory.frames[t].contacts.iter().map(|c|c.force.z).sum::<f64>(),com(&l.trajectory.frames[t].links).z,com(&rl).z, l.trajectory.frames[t].torques.iter().map(|t|t.norm() as i64).collect::<Vec<_>>()); } }
    println!("{n}: kin {kin:.1} mpjpe_g {:.1} max {:.1} at {} tv {:.3}/{:.3} mass {:.1} grf/g {fz:.1}  J {} time {:.1} s ({:.1} s/s)",e.iter().sum::<f64>()/e.len() as f64,e.iter().cloned().fold(0.0,f64::max),e.iter().enumerate().max_by(|a,b|a.1.total_cmp(b.1)).unwrap().0,tv(&mk),tv(&m.joints),l.body.mass(),l.jacobians,el,el/m.seconds());
  }
}
