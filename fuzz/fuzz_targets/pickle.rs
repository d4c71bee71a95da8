//! Motions as `pkl`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use motionfit::motion::{ReadOptions, read};

fuzz_target!(
    |data: &[u8]| motionfit_fuzz::check("poses.pkl", data, |path| {
        read(path, &ReadOptions::default())
    })
);
