//! Models of SMPL's family.

#![no_main]

use libfuzzer_sys::fuzz_target;
use motionfit::motion::files::BodyModel;

fuzz_target!(|data: &[u8]| motionfit_fuzz::check("model.pkl", data, BodyModel::read));
