//! C3D files: points and parameters.

#![no_main]

use libfuzzer_sys::fuzz_target;
use motionfit::motion::files::c3d::C3d;

fuzz_target!(
    |data: &[u8]| motionfit_fuzz::check("walk.c3d", data, |path| {
        C3d::read(path, |_, _| Ok(()))
    })
);
