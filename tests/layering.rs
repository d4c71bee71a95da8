//! The source keeps to its layers: a module imports only from lower ones, files in no circle, and some
//! crates are named only where they belong.

mod circles;

use std::fs;
use std::path::{Path, PathBuf};

/// Modules from the bottom to the top; those of one line do not import each other.
const LAYERS: [&[&str]; 13] = [
    &["error"],
    &["cluster", "format", "json", "objective", "output", "plot"],
    &["optim", "motion"],
    &["scene"],
    &["learned", "benchmark", "body", "keypoints"],
    &["meta", "simulation"],
    // What is optimized knows no metric, and metrics know nothing of the loss.
    &["reconstruction", "metrics"],
    &["export"],
    &["config"],
    &["evaluation"],
    &["commands"],
    &["cli"],
    &["main", "lib"],
];

/// Optimization never sees motion or physics.
const ABSTRACT: [&str; 5] = ["objective", "optim", "learned", "benchmark", "meta"];
const CONCRETE: [&str; 6] = [
    "motion",
    "body",
    "keypoints",
    "metrics",
    "simulation",
    "reconstruction",
];

/// Crates and the only files or folders that may name them.
const HOMES: [(&str, &[&str]); 16] = [
    ("mpi", &["cluster/mpi.rs"]),
    ("flate2", &["motion/files/pickle/joblib.rs"]),
    ("rapier3d", &["simulation/world.rs", "simulation/world/"]),
    ("clap", &["cli.rs", "main.rs", "commands/"]),
    ("clap_complete", &["commands/"]),
    ("clap_mangen", &["commands/"]),
    ("kuva", &["plot.rs"]),
    ("indicatif", &["commands/"]),
    ("comfy_table", &["commands/"]),
    ("ctrlc", &["commands/"]),
    ("gltf", &["export/", "scene/mesh/gltf2.rs"]),
    ("tobj", &["scene/mesh/files.rs"]),
    ("parry3d", &["scene/"]),
    ("candle_core", &["learned/", "meta/backprop.rs"]),
    ("candle_nn", &["learned/", "meta/backprop.rs"]),
    ("basin", &["optim/basin.rs"]),
];

struct Source {
    /// Relative to `src`.
    path: String,
    /// Without comments and unit tests.
    code: String,
}

impl Source {
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The modules that follow `crate::` (or, in the binary, `motionfit::`).
    fn imports(&self) -> Vec<&str> {
        let root = if self.module() == "main" {
            "motionfit::"
        } else {
            "crate::"
        };
        self.code
            .split(root)
            .skip(1)
            .flat_map(|rest| match rest.strip_prefix('{') {
                Some(group) => group
                    .split('}')
                    .next()
                    .unwrap()
                    .split(',')
                    .map(identifier)
                    .collect(),
                None => vec![identifier(rest)],
            })
            .filter(|name| layer(name).is_some())
            .collect()
    }

    fn names(&self, crate_name: &str) -> bool {
        let path = format!("{crate_name}::");
        self.code.match_indices(&path).any(|(at, _)| {
            let before = self.code[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
        })
    }
}

fn identifier(text: &str) -> &str {
    let text = text.trim_start();
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    &text[..end]
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    let read = |path: PathBuf| Source {
        code: code(&fs::read_to_string(&path).unwrap()),
        path: path
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/"),
    };
    files.into_iter().map(read).collect()
}

/// Everything before the unit tests at the end of a file, without line comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let text = text
        .split("#[cfg(test)]\npub(crate) mod fixture")
        .next()
        .unwrap();
    let lines = text.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn modules_import_from_lower_layers() {
    let sources = sources();
    assert!(sources.len() > 20, "the sources were not found");
    let mut wrong = Vec::new();
    for source in &sources {
        let module = source.module();
        let own = layer(module).unwrap_or_else(|| panic!("src/{}: give it a layer", source.path));
        for import in source.imports() {
            let upwards = import != module && layer(import) >= Some(own);
            let mixed = ABSTRACT.contains(&module) && CONCRETE.contains(&import);
            if upwards || mixed {
                wrong.push(format!("src/{} imports {import}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A module and its own children may name each other; see `circles`.
#[test]
fn files_import_each_other_in_no_circle() {
    let sources = sources();
    let files = sources.iter().map(|s| (s.path.as_str(), s.code.as_str()));
    let arrows = circles::arrows(&files.collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for circle in circles::circles(&arrows) {
        wrong.push(format!("a circle of {} files:", circle.len()));
        for file in &circle {
            let next = arrows[file].intersection(&circle);
            wrong.extend(next.map(|next| format!("  src/{file} imports src/{next}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, homes) in HOMES {
            let at_home = homes.iter().any(|home| {
                source.path == *home || (home.ends_with('/') && source.path.starts_with(home))
            });
            if source.names(name) && !at_home {
                wrong.push(format!("src/{} names {name}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_library_does_not_print() {
    let mut wrong = Vec::new();
    for source in sources() {
        for macro_name in [
            "println!",
            "print!",
            "eprintln!",
            "eprint!",
            "dbg!",
            "todo!",
        ] {
            if source.code.contains(macro_name) {
                wrong.push(format!("src/{} uses {macro_name}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_scanner_sees_what_it_must() {
    let text = "use crate::motion::files;\nuse crate::{error, optim::Adam};\n// crate::commands\n\
                fn f() { clap::Parser; my_clap::x; }\n#[cfg(test)]\nmod tests { use crate::cli; }";
    let source = Source {
        path: "body/mod.rs".into(),
        code: code(text),
    };
    assert_eq!(source.module(), "body");
    assert_eq!(source.imports(), ["motion", "error", "optim"]);
    assert!(source.names("clap") && !source.names("Parser"));
    let other = Source {
        path: "cli.rs".into(),
        code: "my_clap::x".into(),
    };
    assert!(!other.names("clap"));
}
