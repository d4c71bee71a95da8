//! Scenes: boxes beside the ground, given or inferred.

use motionfit::motion::{Motion, sample};
use motionfit::reconstruction::{Reconstruction, Settings, optimizer_of_windows, reconstruct};
use motionfit::scene::{Hull, Scene, Shape, Solid};
use nalgebra::{Isometry3, Vector3};
use program::{Workspace, fail, succeed, walk};
use serde_json::json;

mod program;

/// The first frames of the sample walk, `lift` m above where it was recorded.
fn lifted(frames: usize, lift: f64) -> Motion {
    let mut motion = sample("walk").unwrap();
    motion.joints.truncate(frames);
    for joint in motion.joints.iter_mut().flatten() {
        joint.z += lift;
    }
    motion
}

/// A platform of the given height, m, around the origin, as a box or as the hull of its corners.
fn platform(height: f64, as_hull: bool) -> Scene {
    let cuboid = Shape::Box(Vector3::new(5.0, 5.0, height / 2.0));
    let shape = match as_hull {
        true => Shape::Hull(Hull::new(&cuboid.corners()).unwrap()),
        false => cuboid,
    };
    Scene {
        solids: vec![Solid {
            name: None,
            shape,
            pose: Isometry3::translation(0.0, 0.0, height / 2.0),
            during: None,
            links: None,
        }],
    }
}

fn run(motion: &Motion, scene: Option<Scene>) -> Reconstruction {
    let settings = Settings {
        scene,
        ..Settings::default()
    };
    let optimizer = optimizer_of_windows("lm-search", 0).unwrap();
    reconstruct(motion, &settings, optimizer.as_ref(), None).unwrap()
}

/// Mean joint error, mm.
fn error(reconstruction: &Reconstruction) -> f64 {
    let metrics = motionfit::evaluation::measure(reconstruction);
    metrics.mpjpe_global_mm
}

#[test]
fn a_walk_on_a_platform_is_the_walk_on_the_ground() {
    let ground = run(&lifted(41, 0.0), None);
    let platform = run(&lifted(41, 0.3), Some(platform(0.3, false)));
    let [on_ground, on_platform] = [&ground, &platform].map(error);
    assert!(
        on_platform < 1.15 * on_ground + 0.5,
        "{on_platform} and {on_ground} mm"
    );
    let weight = ground.body.mass() * 9.81;
    let frames = platform.trajectory.frames[20..].iter();
    let mut force = 0.0;
    for contact in frames.clone().flat_map(|frame| &frame.contacts) {
        assert!((contact.point.z - 0.3).abs() < 0.02, "{contact:?}");
        force += contact.force.z;
    }
    let share = force / frames.len() as f64 / weight;
    assert!((0.7..1.3).contains(&share), "{share} of the weight");
    assert_eq!(platform.trajectory.scene.solids.len(), 1);
    let hull = error(&run(&lifted(41, 0.3), Some(self::platform(0.3, true))));
    assert!(hull < 1.15 * on_ground + 0.5, "{hull} and {on_ground} mm");
}

/// A wedge 1 m wide and long, 0.5 m high.
const WEDGE: &str = "o wedge\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 0.5\nv 0 1 0.5
    f 1 4 3 2\nf 1 2 5\nf 4 6 3\nf 1 5 6 4\nf 2 3 6 5\n";

#[test]
fn a_run_keeps_its_scene_and_exports_it() {
    let work = Workspace::new();
    let scene = json!({"boxes": [{"name": "wall", "center": [0, 3, 0.5], "half_extents": [1, 0.1, 0.5], "yaw": 0.3}],
        "meshes": [{"file": "wedge.obj", "center": [0, -3, 0]}]});
    work.write("wedge.obj", WEDGE.as_bytes());
    let file = work.write("scene.json", scene.to_string().as_bytes());
    let run = work.arg("run");
    let told = succeed(&[
        "reconstruct",
        &walk(),
        "--end",
        "0.3",
        "--scene",
        &file,
        "--out",
        &run,
    ]);
    assert!(
        told.contains("floor: at z = 0 m, as given") && told.contains("scene: 1 box, 1 hull\n"),
        "{told}"
    );
    assert_eq!(work.json("run/scene.json")["boxes"][0]["name"], "wall");
    succeed(&[
        "export",
        &run,
        "--format",
        "mjcf",
        "--out",
        &work.arg("model.xml"),
    ]);
    let model = std::fs::read_to_string(work.path("model.xml")).unwrap();
    assert!(
        model.contains("<geom type=\"box\" size=\"1 0.1 0.5\" pos=\"0 3 0.5\""),
        "{model:.400}"
    );
    assert!(
        model.contains("type=\"mesh\" mesh=\"solid1\" pos=\"")
            && model.contains("<mesh name=\"solid1\" vertex=\""),
        "{model:.400}"
    );
    assert_eq!(work.json("run/scene.json")["hulls"][0]["name"], "wedge");
    let glb = std::fs::read(work.path("run/motion.glb")).unwrap();
    let glb = gltf::Gltf::from_slice(&glb).unwrap();
    let wedge = glb.nodes().find(|node| node.name() == Some("wedge"));
    let mesh = wedge.and_then(|node| node.mesh()).unwrap();
    let positions = mesh
        .primitives()
        .next()
        .unwrap()
        .attributes()
        .next()
        .unwrap();
    // Two triangles, three rectangles.
    assert_eq!(positions.1.count(), 18);
    let page = std::fs::read_to_string(work.path("run/report.html")).unwrap();
    assert!(page.contains("\"solids\":[{\"corners\":"));
    // Without it, an earlier run's is gone.
    succeed(&[
        "reconstruct",
        &walk(),
        "--end",
        "0.3",
        "--out",
        &run,
        "--force",
    ]);
    assert!(!work.path("run/scene.json").exists());
}

#[test]
fn scenes_that_cannot_be_are_refused_in_a_line() {
    let work = Workspace::new();
    let cases = [
        ("no json", "scene.json: line 1"),
        (
            r#"{"boxes": [{"center": [0, 0, 0], "half_extents": [1, 1, 0]}]}"#,
            "boxes[0].half_extents",
        ),
        (
            r#"{"boxes": [{"center": [0, 0, 0.5], "half_extents": [9, 9, 0.5]}]}"#,
            "inside at the start",
        ),
        (r#"{"spheres": []}"#, "spheres"),
    ];
    for (text, needle) in cases {
        let file = work.write("scene.json", text.as_bytes());
        let args = [
            "reconstruct",
            &walk(),
            "--scene",
            &file,
            "--out",
            &work.arg("out"),
        ];
        let message = fail(&args, 2);
        assert!(message.contains(needle), "{text}: {message}");
        assert!(!work.path("out/motion.npz").exists());
    }
    let message = fail(
        &[
            "reconstruct",
            &walk(),
            "--supports",
            "some",
            "--out",
            &work.arg("out"),
        ],
        2,
    );
    assert!(message.contains("some"), "{message}");
}
