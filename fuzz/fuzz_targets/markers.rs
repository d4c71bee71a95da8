//! Which markers stand for which joints.

#![no_main]

use libfuzzer_sys::fuzz_target;
use motionfit::motion::files::MarkerMap;

fuzz_target!(|data: &[u8]| motionfit_fuzz::check("markers.json", data, MarkerMap::read));
