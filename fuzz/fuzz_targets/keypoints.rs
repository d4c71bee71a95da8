//! 2D keypoints in one JSON file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use motionfit::keypoints::{ReadOptions, read};

fuzz_target!(
    |data: &[u8]| motionfit_fuzz::check("keypoints.json", data, |path| {
        read(path, &ReadOptions::default())
    })
);
