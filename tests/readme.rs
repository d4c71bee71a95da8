//! What the README promises of a fresh clone is what `.ci/run` does.

use std::fs;
use std::path::Path;

fn text(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The commands of the first block of shell commands under the heading "Try it".
fn commands(readme: &str) -> Vec<&str> {
    let (_, section) = readme.split_once("\n## Try it\n").unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    block.lines().collect()
}

#[test]
fn ci_runs_the_commands_of_the_readme_as_they_are_written() {
    let (readme, ci) = (text("README.md"), text(".ci/run"));
    let commands = commands(&readme);
    assert!(commands.len() >= 2, "{commands:?}");
    for command in commands {
        // Alone, or with its output shown and kept.
        let runs = |line: &str| line == command || line.starts_with(&format!("{command} 2>&1 |"));
        assert!(ci.lines().any(runs), ".ci/run does not run `{command}`");
    }
}
