//! What the README and the documents promise: `.ci/run` does what a fresh clone is told to do, every
//! command can be typed, every link leads somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use motionfit::cli::Cli;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The README and the chapters, by their paths from the root.
fn documents() -> Vec<PathBuf> {
    let chapters = fs::read_dir(root().join("docs")).unwrap();
    let mut paths: Vec<PathBuf> = chapters
        .map(|entry| Path::new("docs").join(entry.unwrap().file_name()))
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    paths.extend(["README.md", "CHANGELOG.md", "data/README.md"].map(PathBuf::from));
    paths.sort();
    paths
}

/// The lines inside of fences, or outside of them.
fn lines(text: &str, inside: bool) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_fence && is_code == inside
    })
}

/// The commands of the first block of shell commands under the heading "Try it".
fn first_commands(readme: &str) -> Vec<&str> {
    let (_, section) = readme.split_once("\n## Try it\n").unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    block.lines().collect()
}

#[test]
fn ci_runs_the_commands_of_the_readme_as_they_are_written() {
    let (readme, ci) = (text("README.md"), text(".ci/run"));
    let commands = first_commands(&readme);
    assert!(commands.len() >= 2, "{commands:?}");
    for command in commands {
        // Alone, or with its output shown and kept.
        let runs = |line: &str| line == command || line.starts_with(&format!("{command} 2>&1 |"));
        assert!(ci.lines().any(runs), ".ci/run does not run `{command}`");
    }
}

#[test]
fn the_readme_stays_short() {
    let readme = text("README.md");
    assert!(readme.lines().count() <= 200, "{}", readme.lines().count());
    assert!(readme.len() <= 12_000, "{} bytes", readme.len());
}

/// Every command of the program in a block of code, without comments; a backslash goes on.
fn program_commands(text: &str) -> Vec<String> {
    let code: Vec<&str> = lines(text, true).collect();
    let indented = lines(text, false).filter(|line| line.starts_with("    "));
    let code = [code, indented.collect()].concat().join("\n");
    code.replace("\\\n", " ")
        .lines()
        .map(|line| line.split(&['#', '>']).next().unwrap().trim())
        .map(|line| line.trim_start_matches("MIMALLOC_PURGE_DELAY=-1 "))
        .filter(|line| line.starts_with("motionfit "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_can_be_typed_and_its_configuration_exists() {
    let mut count = 0;
    for document in documents() {
        for command in program_commands(&text(&document)) {
            let words: Vec<&str> = command.split_whitespace().collect();
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{}: {command}: {error}", document.display());
            }
            let configs = words.iter().filter(|word| word.starts_with("configs/"));
            for config in configs.filter(|config| !config.contains(['$', '{'])) {
                let exists = root().join(config).is_file();
                assert!(exists, "{}: {config}", document.display());
            }
            count += 1;
        }
    }
    assert!(count >= 20, "only {count} commands");
}

/// What stands in tables to be typed, too.
#[test]
fn commands_in_tables_can_be_typed() {
    let mut count = 0;
    for document in documents() {
        let text = text(&document);
        let rows = lines(&text, false).filter(|line| line.starts_with('|'));
        for command in rows.flat_map(|row| row.split('`').skip(1).step_by(2)) {
            // A template of several is no command.
            if !command.starts_with("motionfit ") || command.contains(['…', '|', '[']) {
                continue;
            }
            if let Err(error) = Cli::try_parse_from(command.split_whitespace()) {
                panic!("{}: {command}: {error}", document.display());
            }
            count += 1;
        }
    }
    assert!(count >= 20, "only {count} commands");
}

/// The names by which metrics are found.
#[test]
fn keys_of_the_metrics_are_those_that_a_run_writes() {
    let (metrics, kept) = (
        text("docs/metrics.md"),
        text("tests/snapshots/run-metrics.txt"),
    );
    let rows = metrics
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| metric |"));
    let keys: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    assert!(keys.len() > 10, "{keys:?}");
    for key in keys {
        let is_of_keypoints = key == "mpjpe_2d_px";
        assert!(
            is_of_keypoints || kept.lines().any(|line| line.trim() == key),
            "{key}"
        );
    }
}

/// The words of the command in a script of Slurm, where each number of a job is 1.
fn slurm_command(script: &str) -> Vec<String> {
    let lines = script.lines().filter(|line| !line.starts_with('#'));
    let commands: Vec<&str> = lines
        .filter_map(|line| Some(&line[line.find("motionfit ")?..]))
        .collect();
    assert_eq!(commands.len(), 1, "{script}");
    let words = commands[0].split_whitespace();
    let number = |word: &str| match word.contains("$SLURM_") {
        true => word.split('/').map(|_| "1").collect::<Vec<_>>().join("/"),
        false => word.to_owned(),
    };
    words.map(number).collect()
}

#[test]
fn scripts_of_slurm_run_commands_that_can_be_typed() {
    let entries = fs::read_dir(root().join("docs/slurm")).unwrap();
    let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    assert!(paths.len() >= 3);
    for path in paths {
        let script = text(&path);
        assert!(script.starts_with("#!/bin/bash\n") && script.contains("\n#SBATCH "));
        let words = slurm_command(&script);
        if let Err(error) = Cli::try_parse_from(&words) {
            panic!("{}: {words:?}: {error}", path.display());
        }
    }
}

/// Where the links of a document lead, images included.
fn targets(text: &str) -> Vec<String> {
    let prose: String = lines(text, false).flat_map(|line| [line, "\n"]).collect();
    let parts = prose.split("](").skip(1);
    parts
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.to_owned())
        .collect()
}

/// The anchors of a document's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = lines(text, false).filter(|line| line.starts_with('#'));
    headings
        .map(|line| line.trim_start_matches('#').trim().to_lowercase())
        .map(|heading| {
            heading
                .chars()
                .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut count = 0;
    for document in documents() {
        let folder = document.parent().unwrap();
        for target in targets(&text(&document)) {
            if target.starts_with("http") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = match path {
                "" => document.clone(),
                path => folder.join(path),
            };
            let place = format!("{}: {target}", document.display());
            assert!(root().join(&path).exists(), "{place}");
            if path.extension().is_some_and(|e| e == "md") && !anchor.is_empty() {
                assert!(anchors(&text(&path)).contains(anchor), "{place}");
            }
            count += 1;
        }
    }
    assert!(count >= 100, "only {count} links");
}

#[test]
fn every_chapter_is_in_the_book_once() {
    let listed = targets(&text("docs/SUMMARY.md"));
    let chapters = documents()
        .into_iter()
        .filter_map(|path| path.strip_prefix("docs").ok().map(Path::to_path_buf))
        .filter(|path| path != Path::new("SUMMARY.md"));
    for chapter in chapters {
        let count = listed
            .iter()
            .filter(|target| Path::new(target) == chapter)
            .count();
        assert_eq!(count, 1, "{}", chapter.display());
    }
}
