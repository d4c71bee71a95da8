//! Running the built program in a folder of its own.
#![allow(dead_code)] // no test file uses all of it

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use ndarray::{Array1, Array2, Array3};
use ndarray_npy::NpzWriter;
use serde_json::Value;
use tempfile::TempDir;

pub mod pickle;

/// Short enough for seconds of computing, long enough for a few windows.
pub const QUICK: [&str; 4] = ["--end", "0.3", "--evaluations", "2"];

/// Runs the program.
pub fn motionfit(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_motionfit"))
        .args(args)
        .output()
        .unwrap()
}

/// Runs without an error and returns what was said.
pub fn succeed(args: &[&str]) -> String {
    let output = motionfit(args);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{args:?}\n{out}{err}");
    out
}

/// Runs into an error that must be one line, and returns it.
pub fn fail(args: &[&str], code: i32) -> String {
    let output = motionfit(args);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
    assert!(
        message.starts_with("error: ") && message.ends_with('\n'),
        "{args:?}: {message}"
    );
    assert_eq!(message.lines().count(), 1, "{args:?}: {message}");
    message
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub fn walk() -> String {
    format!("{}/data/walk.npy", env!("CARGO_MANIFEST_DIR"))
}

pub fn walk_array() -> Array3<f32> {
    ndarray_npy::read_npy(walk()).unwrap()
}

/// A folder that vanishes with the test.
pub struct Workspace(TempDir);

impl Workspace {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The rows of the evaluation in `run`, but for how long they took.
    pub fn rows(&self, run: &str) -> Value {
        let mut rows = self.json(&format!("{run}/clips.json"));
        for row in rows.as_array_mut().unwrap() {
            row.as_object_mut().unwrap().remove("seconds");
        }
        rows
    }

    pub fn arg(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_string()
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
        self.arg(name)
    }

    pub fn write_array(&self, name: &str, array: &Array3<f32>) -> String {
        ndarray_npy::write_npy(self.path(name), array).unwrap();
        self.arg(name)
    }

    /// Force plates that measured `newtons` upwards on each foot for two seconds, from 0.1 s on.
    pub fn write_plates(&self, name: &str, newtons: f64) -> String {
        let file = fs::File::create(self.path(name)).unwrap();
        let time = Array1::from_shape_fn(200, |i| i as f64 / 100.0);
        let force = Array3::from_shape_fn((200, 2, 3), |(_, _, axis)| match axis {
            2 => newtons,
            _ => 0.0,
        });
        let cop = Array3::<f64>::zeros((200, 2, 3));
        let valid = Array2::from_shape_fn((200, 2), |(i, _)| i >= 10);
        let mut npz = NpzWriter::new(file);
        npz.add_array("time", &time).unwrap();
        npz.add_array("force", &force).unwrap();
        npz.add_array("cop", &cop).unwrap();
        npz.add_array("valid", &valid).unwrap();
        npz.finish().unwrap();
        self.arg(name)
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// A finished run in the folder `name`.
    pub fn run(&self, name: &str, options: &[&str]) -> String {
        let (poses, out) = (walk(), self.arg(name));
        let args = ["reconstruct", &poses, "--out", &out];
        succeed(&[&args, &QUICK[..], options].concat());
        out
    }
}
