//! Binary glTF as scenes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use motionfit::scene::Scene;

fuzz_target!(|data: &[u8]| motionfit_fuzz::check("scene.glb", data, Scene::read));
