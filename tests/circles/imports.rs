//! Which file of a crate imports which: paths that begin with `crate`, `super`, `self` or a child module,
//! in `use` and in the code, followed to the file that defines the name also where a module on the way
//! only passes it on. Names that come in by `*` are taken for the module's own.

use std::collections::{BTreeMap, BTreeSet};

/// What each file imports, by the paths of the files below `src`.
pub type Arrows<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

type Path<'a> = Vec<&'a str>;

/// So often a name may be passed on.
const MOST_HOPS: usize = 8;

/// A file and the paths in it.
struct Room<'a> {
    file: &'a str,
    paths: Vec<Path<'a>>,
    /// What `use` brings in, by name.
    bound: BTreeMap<&'a str, Path<'a>>,
}

/// The files by their module paths.
struct House<'a>(BTreeMap<Path<'a>, Room<'a>>);

/// The arrows between `sources`, each a path below `src` and the code without comments and unit tests.
pub fn arrows<'a>(sources: &[(&'a str, &'a str)]) -> Arrows<'a> {
    let rooms = sources.iter().map(|&(file, code)| {
        let tokens = tokens(code);
        let used = used(&tokens);
        let paths = used.iter().map(|(_, path)| path.clone());
        let room = Room {
            file,
            paths: paths.chain(named(&tokens)).collect(),
            bound: used.into_iter().filter(|(name, _)| *name != "*").collect(),
        };
        (module(file), room)
    });
    let house = House(rooms.collect());
    let imports = |(module, room): (&Path<'a>, &Room<'a>)| {
        let paths = room.paths.iter();
        let files = paths.filter_map(|path| house.file_of(module, path, MOST_HOPS));
        (room.file, files.filter(|file| *file != room.file).collect())
    };
    house.0.iter().map(imports).collect()
}

/// The module path of a file: `a::b` of `a/b.rs` and of `a/b/mod.rs`; empty for the root of the crate.
pub fn module(file: &str) -> Path<'_> {
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    stem.split('/').filter(|name| *name != "lib").collect()
}

impl<'a> House<'a> {
    /// The file that defines what `path` means in `module`; none if that lies outside the crate.
    fn file_of(&self, module: &[&'a str], path: &[&'a str], hops: usize) -> Option<&'a str> {
        let (mut here, rest) = self.start(module, path)?;
        for (i, name) in rest.iter().enumerate() {
            let child = [&here[..], &[*name]].concat();
            if self.0.contains_key(&child) {
                here = child;
                continue;
            }
            let passed_on = self.0.get(&here).and_then(|room| {
                let path = [room.bound.get(name)?, &rest[i + 1..]].concat();
                self.file_of(&here, &path, hops.checked_sub(1)?)
            });
            if passed_on.is_some() {
                return passed_on;
            }
            break;
        }
        self.0.get(&here).map(|room| room.file)
    }

    /// The module where `path` sets out, and what remains of it.
    fn start<'p>(
        &self,
        module: &[&'a str],
        path: &'p [&'a str],
    ) -> Option<(Path<'a>, &'p [&'a str])> {
        let (first, rest) = path.split_first()?;
        match *first {
            "crate" => Some((Vec::new(), rest)),
            "self" => Some((module.to_vec(), rest)),
            "super" => {
                let ups = path.iter().take_while(|name| **name == "super").count();
                let above = module.len().checked_sub(ups)?;
                Some((module[..above].to_vec(), &path[ups..]))
            }
            child => {
                let here = [module, &[child]].concat();
                self.0.contains_key(&here).then_some((here, rest))
            }
        }
    }
}

/// Words, `::` and single signs.
fn tokens(code: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// The names that `use` brings in, with their paths.
fn used<'a>(tokens: &[&'a str]) -> Vec<(&'a str, Path<'a>)> {
    let mut found = Vec::new();
    let mut rest = tokens;
    while let Some(at) = rest.iter().position(|token| *token == "use") {
        rest = &rest[at + 1..];
        read_tree(&mut rest, Vec::new(), &mut found);
    }
    found
}

/// Reads what follows `path` in a `use`, up to the sign behind it: `name`, `a::b`, `a as b`, `{a, b::c}`.
fn read_tree<'a>(rest: &mut &[&'a str], mut path: Path<'a>, found: &mut Vec<(&'a str, Path<'a>)>) {
    match **rest {
        ["{", ref inside @ ..] => {
            *rest = inside;
            while !matches!(**rest, [] | ["}", ..]) {
                read_tree(rest, path.clone(), found);
                *rest = rest.strip_prefix(&[","]).unwrap_or(rest);
            }
            *rest = rest.strip_prefix(&["}"]).unwrap_or(rest);
        }
        [name, "::", ref more @ ..] => {
            path.push(name);
            *rest = more;
            read_tree(rest, path, found);
        }
        [name, ref more @ ..] => {
            if name != "self" || path.is_empty() {
                path.push(name);
            }
            *rest = more;
            let mut bound = path[path.len() - 1];
            if let ["as", other, ref more @ ..] = **rest {
                (bound, *rest) = (other, more);
            }
            found.push((bound, path));
        }
        [] => {}
    }
}

/// The paths that stand in the code itself: `super::name(…)`, `crate::module::Type`.
fn named<'a>(tokens: &[&'a str]) -> Vec<Path<'a>> {
    let begins = |at: &usize| {
        let before = &tokens[..*at];
        let is_word = tokens[*at].starts_with(char::is_alphabetic);
        let is_visibility = before.ends_with(&["(", "in"]);
        let goes_on = before.ends_with(&["::"]) || before.ends_with(&["use"]);
        is_word && tokens.get(at + 1) == Some(&"::") && !goes_on && !is_visibility
    };
    let path = |at: usize| {
        let pairs = tokens[at + 1..].chunks_exact(2);
        let more = pairs.take_while(|pair| pair[0] == "::");
        std::iter::once(tokens[at])
            .chain(more.map(|pair| pair[1]))
            .collect()
    };
    (0..tokens.len()).filter(begins).map(path).collect()
}
