//! Motions as `npy`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use motionfit::motion::{ReadOptions, read};

fuzz_target!(
    |data: &[u8]| motionfit_fuzz::check("walk.npy", data, |path| {
        read(path, &ReadOptions::default())
    })
);
