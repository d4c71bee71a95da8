//! Force plates: storage files, C3D, archives.

#![no_main]

use libfuzzer_sys::fuzz_target;
use motionfit::evaluation::plates::PlateFile;

fuzz_target!(|data: &[u8]| motionfit_fuzz::check("plates.mot", data, PlateFile::read));
