//! The packaged crate has every file that its source takes in.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// The strings of the list `include` in the manifest.
fn included() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let list = manifest.split_once("\ninclude = [").unwrap().1;
    let list = list.split_once(']').unwrap().0;
    list.split('"')
        .skip(1)
        .step_by(2)
        .map(String::from)
        .collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` that ends in `.rs`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| match path.is_dir() {
        true => sources(&path),
        false => vec![path],
    };
    let mut all: Vec<PathBuf> = paths.flat_map(of).collect();
    all.retain(|path| path.extension().is_some_and(|end| end == "rs"));
    all
}

/// The files that `source` takes in, from the root of the crate on.
fn taken(source: &Path) -> Vec<String> {
    let text = fs::read_to_string(source).unwrap();
    let calls = ["include_str!(", "include_bytes!("];
    let names = calls.iter().flat_map(|call| text.split(call).skip(1));
    let quoted = names.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    let place = |name: &str| plain(&source.parent().unwrap().join(name));
    quoted.map(place).collect()
}

/// A path below the root, without `..`, as the manifest would write it.
fn plain(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.strip_prefix(root()).unwrap().components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            part => parts.push(part.as_os_str().to_string_lossy().into_owned()),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether `path` is what `pattern` names, or lies in it; `*` stands for anything within a name.
fn covers(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut names) = (pattern.split('/'), path.split('/'));
    let fits = wanted.all(|pattern| names.next().is_some_and(|name| is_named(pattern, name)));
    // A pattern with an asterisk in its last name is of files, not of folders.
    fits && (names.next().is_none() || !pattern.contains('*'))
}

fn is_named(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            let rest = name.strip_prefix(start);
            rest.is_some_and(|rest| (0..=rest.len()).any(|k| is_named(end, &rest[k..])))
        }
    }
}

#[test]
fn what_the_source_takes_in_is_in_the_package() {
    let patterns = included();
    let taken: Vec<String> = sources(&root().join("src"))
        .iter()
        .flat_map(|source| taken(source))
        .collect();
    assert!(taken.len() > 10, "{taken:?}");
    assert!(taken.contains(&"/assets/report.html".into()), "{taken:?}");
    for path in taken {
        assert!(root().join(&path[1..]).is_file(), "{path}");
        let is_packaged = patterns.iter().any(|pattern| covers(pattern, &path));
        assert!(is_packaged, "{path} is not in `include` of Cargo.toml");
    }
}

#[test]
fn patterns_cover_what_they_name() {
    for (pattern, path, expected) in [
        ("/src", "/src/a/b.rs", true),
        ("/assets/*.html", "/assets/report.html", true),
        ("/assets/*.html", "/assets/report.json", false),
        ("/assets/report.html", "/assets/evaluation.html", false),
        ("/data/*.npy", "/data/more/walk.npy", false),
        (
            "/tests/golden/arrays*.pkl",
            "/tests/golden/arrays_protocol2.pkl",
            true,
        ),
    ] {
        assert_eq!(covers(pattern, path), expected, "{pattern} {path}");
    }
}
