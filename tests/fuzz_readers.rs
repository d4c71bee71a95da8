//! Mutated files: whatever a file holds, reading it ends soon, in a motion or in one line of advice, and
//! takes no more memory than it should.
//!
//! `cargo test` tries a few hundred; a campaign is `PROPTEST_CASES=100000 cargo test --release --test
//! fuzz_readers`. With MOTIONFIT_WRITE_CORPUS=FOLDER it writes the files that it begins with into a folder for each of
//! the targets of `fuzz/`, which are guided by coverage.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use motionfit::evaluation::plates::PlateFile;
use motionfit::keypoints;
use motionfit::motion::files::{BodyModel, MarkerMap};
use motionfit::motion::{self, ReadOptions};
use motionfit::scene::Scene;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// What a file of some kB may take, bytes, and how long.
const MEMORY: usize = 1 << 30;
const TIME: Duration = Duration::from_secs(1);

/// The same for a mesh, which may have to be divided into convex pieces.
const TIME_OF_MESH: Duration = Duration::from_secs(5);

/// Counts what this thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // Threads that end count nothing.
    let _ = HELD.try_with(|held| {
        held.set(held.get().saturating_add_signed(change));
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: everything is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A change of a file.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(usize, u8),
    Set(usize, u8),
    /// Numbers that are often special, of 1 to 8 bytes.
    Number(usize, u64, usize),
    Cut(usize),
    Remove(usize, usize),
    Repeat(usize, usize),
    Text(usize, &'static str),
}

const TEXTS: [&str; 12] = [
    "nan",
    "-inf",
    "1e308",
    "99999999999",
    "-1",
    "\t\t",
    "\n",
    "\r",
    "}",
    "{",
    "(1000000000, 17, 3)",
    "é",
];

impl Mutation {
    fn any() -> impl Strategy<Value = Self> {
        let at = any::<u32>().prop_map(|at| at as usize);
        let length = 1_usize..200;
        let number = prop_oneof![
            Just(0),
            Just(u64::MAX),
            Just(1 << 31),
            Just((1 << 31) - 1),
            Just(1 << 40),
            Just(0xffff),
            any::<u64>()
        ];
        prop_oneof![
            (at.clone(), any::<u8>()).prop_map(|(at, bits)| Self::Flip(at, bits)),
            (at.clone(), any::<u8>()).prop_map(|(at, byte)| Self::Set(at, byte)),
            (at.clone(), number, 1_usize..=8).prop_map(|(at, n, width)| Self::Number(at, n, width)),
            at.clone().prop_map(Self::Cut),
            (at.clone(), length.clone()).prop_map(|(at, length)| Self::Remove(at, length)),
            (at.clone(), length).prop_map(|(at, length)| Self::Repeat(at, length)),
            (at, prop::sample::select(&TEXTS[..])).prop_map(|(at, text)| Self::Text(at, text)),
        ]
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        // Half of all changes are near the beginning, where headers are.
        let place = |at: usize| match at & 1 {
            0 => (at >> 1) % length,
            _ => (at >> 1) % length.min(512),
        };
        match *self {
            Self::Flip(at, bits) => bytes[place(at)] ^= bits,
            Self::Set(at, byte) => bytes[place(at)] = byte,
            Self::Number(at, number, width) => {
                let at = place(at);
                let end = (at + width).min(length);
                bytes[at..end].copy_from_slice(&number.to_le_bytes()[..end - at]);
            }
            Self::Cut(at) => bytes.truncate(place(at)),
            Self::Remove(at, count) => {
                let at = place(at);
                bytes.drain(at..(at + count).min(length));
            }
            Self::Repeat(at, count) => {
                let at = place(at);
                let part = bytes[at..(at + count).min(length)].to_vec();
                bytes.splice(at..at, part);
            }
            Self::Text(at, text) => {
                let at = place(at);
                bytes.splice(at..at, text.bytes());
            }
        }
    }
}

/// Reads a file, and says what is wrong with how that went.
fn verdict(
    path: &Path,
    read: &dyn Fn(&Path) -> motionfit::error::Result<()>,
) -> Result<bool, String> {
    PEAK.set(HELD.get());
    let (before, started) = (HELD.get(), Instant::now());
    let outcome = read(path);
    let (took, peak) = (started.elapsed(), PEAK.get() - before);
    let is_mesh = path.extension().is_some_and(|ending| ending == "obj");
    if took > if is_mesh { TIME_OF_MESH } else { TIME } {
        return Err(format!("took {took:?}"));
    }
    if peak > MEMORY {
        return Err(format!("took {} MiB", peak >> 20));
    }
    match outcome {
        Ok(()) => Ok(true),
        Err(error) => {
            let line = error.to_string();
            match error.exit_code() == 2 && !line.contains('\n') && line.len() < 2000 {
                true => Ok(false),
                false => Err(format!("exit code {}: {line}", error.exit_code())),
            }
        }
    }
}

/// The target of `fuzz/` that reads files called `name`.
fn target(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((name, _)) if name.ends_with("model") => "body_model",
        Some((_, "pkl")) => "pickle",
        Some((_, "pt")) => "torch",
        Some(("markers", _)) => "markers",
        Some(("plates", _)) => "plates",
        Some(("scene", _)) => "scene",
        Some((_, "json")) => "keypoints",
        Some((_, ending)) => ending,
        None => name,
    }
}

/// Reads mutations of `seed`, which is called `name`.
fn fuzz(name: &str, seed: &[u8], read: &dyn Fn(&Path) -> motionfit::error::Result<()>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, seed).unwrap();
    if let Some(corpus) = std::env::var_os("MOTIONFIT_WRITE_CORPUS") {
        let folder = Path::new(&corpus).join(target(name));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), seed).unwrap();
    }
    let whole = verdict(&path, read).unwrap();
    assert!(whole, "{name} itself is not read");
    let mutations = prop::collection::vec(Mutation::any(), 1..6);
    let few = std::env::var_os("PROPTEST_CASES").is_none();
    let config = Config {
        cases: if few { 40 } else { Config::default().cases },
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let (mut good, mut bad) = (Cell::new(0), Cell::new(0));
    let outcome = TestRunner::new(config).run(&mutations, |mutations| {
        let mut bytes = seed.to_vec();
        mutations
            .iter()
            .for_each(|mutation| mutation.apply(&mut bytes));
        std::fs::write(&path, &bytes).unwrap();
        let count = match verdict(&path, read).map_err(TestCaseError::fail)? {
            true => &good,
            false => &bad,
        };
        count.set(count.get() + 1);
        Ok(())
    });
    eprintln!("{name}: {} read, {} refused", good.get_mut(), bad.get_mut());
    if let Err(error) = outcome {
        panic!("{name}: {error}");
    }
}

fn read(path: &Path) -> motionfit::error::Result<()> {
    motion::read(path, &ReadOptions::default()).map(drop)
}

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/golden/{name}")).unwrap()
}

/// Some frames of the walk, (frames, 17, 3).
fn walk(frames: usize) -> ndarray::Array3<f32> {
    let walk: ndarray::Array3<f32> = ndarray_npy::read_npy("data/walk.npy").unwrap();
    walk.slice(ndarray::s![..frames, .., ..]).to_owned()
}

fn npy() -> Vec<u8> {
    let mut bytes = Vec::new();
    ndarray_npy::WriteNpyExt::write_npy(&walk(20), &mut bytes).unwrap();
    bytes
}

fn npz(arrays: &[(&str, ndarray::ArrayD<f64>)]) -> Vec<u8> {
    let mut npz = ndarray_npy::NpzWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, array) in arrays {
        npz.add_array(*name, array).unwrap();
    }
    npz.finish().unwrap().into_inner()
}

fn smpl() -> Vec<u8> {
    let (frames, upright) = (12, std::f64::consts::FRAC_PI_2);
    let poses = ndarray::Array2::from_shape_fn((frames, 66), |(t, k)| match k {
        0 => upright,
        50 => -1.2 + 0.01 * t as f64,
        _ => 0.0,
    });
    let trans = ndarray::Array2::from_shape_fn((frames, 3), |(_, k)| [0.0, 0.0, 1.1][k]);
    let fps = ndarray::arr0(30.0);
    npz(&[
        ("poses", poses.into_dyn()),
        ("trans", trans.into_dyn()),
        ("mocap_framerate", fps.into_dyn()),
    ])
}

fn trc() -> Vec<u8> {
    let names = [
        (1, "RHip"),
        (2, "RKnee"),
        (3, "RAnkle"),
        (4, "LHip"),
        (5, "LKnee"),
        (6, "LAnkle"),
        (10, "Head"),
        (11, "LShoulder"),
        (12, "LElbow"),
        (13, "LWrist"),
        (14, "RShoulder"),
        (15, "RElbow"),
        (16, "RWrist"),
    ];
    let mut text = format!(
        "PathFileType\t4\t(X/Y/Z)\tx.trc\nDataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\n50\t50\t12\t{}\tm\nFrame#\tTime\t{}\n\tX1\n\n",
        names.len(),
        names.map(|(_, name)| format!("{name}\t\t")).join("\t")
    )
    .into_bytes();
    for (t, frame) in walk(12).outer_iter().enumerate() {
        write!(text, "{}\t{}", t + 1, t as f64 / 50.0).unwrap();
        for (joint, _) in names {
            let p = frame.row(joint);
            write!(text, "\t{}\t{}\t{}", p[0], p[2], -p[1]).unwrap();
        }
        writeln!(text).unwrap();
    }
    text
}

/// A skeleton of the walk's joints, whose channels are positions of every joint.
fn bvh() -> Vec<u8> {
    let chains: [&[&str]; 5] = [
        &["RightUpLeg", "RightLeg", "RightFoot"],
        &["LeftUpLeg", "LeftLeg", "LeftFoot"],
        &["Neck", "Head"],
        &["LeftArm", "LeftForeArm", "LeftHand"],
        &["RightArm", "RightForeArm", "RightHand"],
    ];
    let offsets = [
        ["-10 0 0", "0 -40 0", "0 -40 0"],
        ["10 0 0", "0 -40 0", "0 -40 0"],
        ["0 50 0", "0 15 0", ""],
        ["20 48 0", "28 0 0", "26 0 0"],
        ["-20 48 0", "-28 0 0", "-26 0 0"],
    ];
    let mut text = String::from(
        "HIERARCHY\nROOT Hips\n{\nOFFSET 0 90 0\nCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n",
    );
    for (chain, offsets) in chains.iter().zip(offsets) {
        for (name, offset) in chain.iter().zip(offsets) {
            text += &format!(
                "JOINT {name}\n{{\nOFFSET {offset}\nCHANNELS 3 Zrotation Xrotation Yrotation\n"
            );
        }
        text += "End Site\n{\nOFFSET 0 10 5\n}\n";
        text += &"}\n".repeat(chain.len());
    }
    text += "}\nMOTION\nFrames: 8\nFrame Time: 0.02\n";
    let joints: usize = chains.iter().map(|chain| chain.len()).sum();
    for t in 0..8 {
        let turns: Vec<String> = (0..3 * (joints + 1))
            .map(|k| format!("{}", (k + t) % 7))
            .collect();
        text += &format!("{t} 90 0 {}\n", turns.join(" "));
    }
    text.into_bytes()
}

#[test]
fn arrays() {
    fuzz("walk.npy", &npy(), &read);
    let joints = walk(12).mapv(f64::from).into_dyn();
    let fps = ndarray::arr0(50.0).into_dyn();
    fuzz("walk.npz", &npz(&[("joints", joints), ("fps", fps)]), &read);
    fuzz("smpl.npz", &smpl(), &read);
}

#[test]
fn text() {
    fuzz("walk.trc", &trc(), &read);
    fuzz("walk.bvh", &bvh(), &read);
}

#[test]
fn pickles() {
    let options = ReadOptions {
        person: Some(1),
        ..ReadOptions::default()
    };
    let person = |path: &Path| motion::read(path, &options).map(drop);
    fuzz("wham.pkl", &golden("formats/wham_output.pkl"), &person);
    fuzz("phc.pkl", &golden("formats/phc.pkl"), &person);
    fuzz("prompthmr.pkl", &golden("formats/prompthmr.pkl"), &read);
    fuzz("gvhmr.pt", &golden("formats/hmr4d_results.pt"), &read);
}

#[test]
fn body_models() {
    let model = |path: &Path| BodyModel::read(path).map(drop);
    fuzz("model.npz", &golden("body_models/objects.npz"), &model);
    for name in ["python2_csc", "protocol0_csr", "selection_coo"] {
        let seed = golden(&format!("body_models/{name}.pkl"));
        fuzz(&format!("{name}_model.pkl"), &seed, &model);
    }
}

#[test]
fn c3d() {
    let points = |path: &Path| motion::files::c3d::C3d::read(path, |_, _| Ok(())).map(drop);
    for kind in [
        "intel_float",
        "intel_integer",
        "dec_float",
        "dec_integer",
        "mips_float",
        "mips_integer",
    ] {
        fuzz(
            &format!("{kind}.c3d"),
            &golden(&format!("c3d/{kind}.c3d")),
            &points,
        );
    }
}

#[test]
fn plates() {
    let plates = |path: &Path| PlateFile::read(path).map(drop);
    let mut text =
        String::from("grf\nversion=1\nnRows=20\nnColumns=7\ninDegrees=yes\nendheader\ntime");
    for column in ["vx", "vy", "vz", "px", "py", "pz"] {
        text += &format!("\tground_force_r_{column}");
    }
    for t in 0..20 {
        text += &format!(
            "\n{:.2}\t1.5\t{}\t-2\t0.1\t0\t0.25",
            0.01 * f64::from(t),
            30 * t
        );
    }
    fuzz("plates.mot", text.as_bytes(), &plates);
    fuzz("plates.c3d", &golden("c3d/intel_float.c3d"), &plates);
}

#[test]
fn others() {
    let markers = |path: &Path| MarkerMap::read(path).map(drop);
    fuzz(
        "markers.json",
        br#"{"right_knee": ["RKNE", "RKNM"], "head": "VERTEX"}"#,
        &markers,
    );
    let list = br#"[{"image_id": "1.jpg", "keypoints": [1, 2, 0.5, 3, 4, 0.5, 1, 2, 0.5, 3, 4, 0.5, 1, 2, 0.5, 3, 4, 0.5,
        1, 2, 0.5, 3, 4, 0.5, 1, 2, 0.5, 3, 4, 0.5, 1, 2, 0.5, 3, 4, 0.5, 1, 2, 0.5, 3, 4, 0.5, 1, 2, 0.5, 3, 4, 0.5, 7, 8, 0.9]}]"#;
    let keypoints =
        |path: &Path| keypoints::read(path, &keypoints::ReadOptions::default()).map(drop);
    fuzz("alpha.json", list, &keypoints);
}

/// A wedge, which is convex, and stairs, which are not, as OBJ.
const OBJ: &str = "o wedge
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 0 0 0.5
v 0 1 0.5
f 1 4 3 2
f 1 2 5
f 4 6 3
f 1 5 6 4
f 2 3 6 5
o stairs
v 2 0 0
v 3 0 0
v 3 0 1
v 2.5 0 1
v 2.5 0 0.5
v 2 0 0.5
v 2 1 0
v 3 1 0
v 3 1 1
v 2.5 1 1
v 2.5 1 0.5
v 2 1 0.5
f 7 8 11
f 7 11 12
f 8 9 11
f 9 10 11
f 17 14 13
f 18 17 13
f 17 15 14
f 17 16 15
f 7 13 14 8
f 8 14 15 9
f 9 15 16 10
f 10 16 17 11
f 11 17 18 12
f 12 18 13 7
";

/// A tetrahedron as glTF: corners at the origin and on the axes.
const GLTF: &str = r#"{"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0, "scale": [2, 1, 1]}],
"meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}], "buffers": [{"byteLength": 72, "uri":
"data:application/octet-stream;base64,AAAAAAAAAAAAAAAAAACAPwAAAAAAAAAAAAAAAAAAgD8AAAAAAAAAAAAAAAAAAIA/AAACAAEAAAABAAMAAAADAAIAAQACAAMA"}],
"bufferViews": [{"buffer": 0, "byteLength": 48}, {"buffer": 0, "byteOffset": 48, "byteLength": 24}],
"accessors": [{"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 1]},
{"bufferView": 1, "componentType": 5123, "count": 12, "type": "SCALAR"}]}"#;

/// The same in the binary form.
fn glb() -> Vec<u8> {
    let (start, rest) = GLTF.split_once(r#", "uri":"#).unwrap();
    let (encoded, rest) = rest.split_once(r#""}],"#).unwrap();
    let (_, encoded) = encoded.split_once(";base64,").unwrap();
    let bytes = BASE64_STANDARD.decode(encoded).unwrap();
    let glb = gltf::Glb {
        header: gltf::binary::Header {
            magic: *b"glTF",
            version: 2,
            length: 0,
        },
        json: format!("{start}}}],{rest}").into_bytes().into(),
        bin: Some(bytes.into()),
    };
    glb.to_vec().unwrap()
}

#[test]
fn scenes() {
    let scene = |path: &Path| Scene::read(path).map(drop);
    let solids = br#"{"boxes": [{"name": "step", "center": [0.4, 0, 0.25], "half_extents": [0.3, 0.3, 0.25], "yaw": 0.1}],
        "hulls": [{"points": [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0.5], [0, 1, 0.5]], "during": [0, 2]}]}"#;
    fuzz("scene.json", solids, &scene);
    fuzz("meshes.obj", OBJ.as_bytes(), &scene);
    fuzz("corner.gltf", GLTF.as_bytes(), &scene);
    fuzz("corner.glb", &glb(), &scene);
}
