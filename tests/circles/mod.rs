//! Circles of imports between files. One that a module and its own children make is fine: a parent names
//! its parts, and they what they share.

mod imports;

use std::collections::BTreeSet;

use imports::module;
pub use imports::{Arrows, arrows};

type Files<'a> = BTreeSet<&'a str>;

/// The sets of files that import each other in a circle.
///
/// A circle is fine if it passes through a module that all its other files are below: what still goes round
/// without such a module is wrong.
pub fn circles<'a>(arrows: &Arrows<'a>) -> Vec<Files<'a>> {
    among(&arrows.keys().copied().collect(), arrows)
}

fn among<'a>(files: &Files<'a>, arrows: &Arrows<'a>) -> Vec<Files<'a>> {
    let mut found = Vec::new();
    for mut circle in components(files, arrows) {
        match head(&circle) {
            Some(head) => {
                circle.remove(head);
                found.extend(among(&circle, arrows));
            }
            None => found.push(circle),
        }
    }
    found
}

/// The file whose module all others are below.
fn head<'a>(circle: &Files<'a>) -> Option<&'a str> {
    let is_above = |file: &&str| {
        let parent = module(file);
        circle
            .iter()
            .all(|other| module(other).starts_with(&parent))
    };
    circle.iter().copied().find(is_above)
}

/// The largest sets, of more than one file, in which each leads to each other.
fn components<'a>(files: &Files<'a>, arrows: &Arrows<'a>) -> Vec<Files<'a>> {
    let mut left = files.clone();
    let mut found = Vec::new();
    while let Some(first) = left.pop_first() {
        let mut component = reached(first, files, arrows);
        component.retain(|file| reached(file, files, arrows).contains(first));
        left.retain(|file| !component.contains(file));
        if component.len() > 1 {
            found.push(component);
        }
    }
    found
}

/// The files that `from` leads to by the arrows among `files`.
fn reached<'a>(from: &'a str, files: &Files<'a>, arrows: &Arrows<'a>) -> Files<'a> {
    let mut reached = Files::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        let imports = arrows[file].intersection(files);
        next.extend(imports.filter(|file| reached.insert(file)));
    }
    reached
}

fn circles_of<'a>(sources: &[(&'a str, &'a str)]) -> Vec<Vec<&'a str>> {
    let found = circles(&arrows(sources));
    found
        .into_iter()
        .map(|circle| circle.into_iter().collect())
        .collect()
}

#[test]
fn a_module_and_its_children_may_name_each_other() {
    let sources = [
        ("lib.rs", "pub mod a; pub mod b;"),
        (
            "a.rs",
            "mod x; mod y; pub use x::X; const SHARED: usize = y::COUNT;",
        ),
        ("a/x.rs", "use super::SHARED; use crate::b::B;"),
        ("a/y.rs", "pub const COUNT: usize = super::x::COUNT;"),
        ("b.rs", "pub(in crate::a) fn b() {}"),
    ];
    assert_eq!(circles_of(&sources), [[""; 0]; 0]);
}

#[test]
fn a_circle_of_siblings_is_found_behind_the_name_that_their_parent_passes_on() {
    let sources = [
        (
            "a/mod.rs",
            "mod x; mod y; pub use {x::{self, Old as X}, y::Y};",
        ),
        ("a/x.rs", "use super::Y;"),
        ("a/y.rs", "fn y() -> super::X { super::X::new() }"),
    ];
    let arrows = arrows(&sources);
    assert_eq!(arrows["a/y.rs"], BTreeSet::from(["a/x.rs"]));
    assert_eq!(arrows["a/mod.rs"], BTreeSet::from(["a/x.rs", "a/y.rs"]));
    assert_eq!(circles_of(&sources), [["a/x.rs", "a/y.rs"]]);
}

#[test]
fn a_circle_through_a_child_and_a_stranger_is_found() {
    let sources = [
        ("a.rs", "mod x; pub use self::x::X; use crate::b;"),
        ("a/x.rs", "use super::b;"),
        ("b.rs", "use crate::a::X;"),
    ];
    assert_eq!(circles_of(&sources), [["a/x.rs", "b.rs"]]);
    let through_parent = [sources[0], ("a/x.rs", "use super::A;"), sources[2]];
    assert_eq!(circles_of(&through_parent), [["a.rs", "a/x.rs", "b.rs"]]);
}
