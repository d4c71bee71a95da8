//! `motionfit completions` and `motionfit man`: what shells and manuals know of the program.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use super::Session;
use crate::error::{Error, Result};
use crate::output::write_file;

/// Print a script that completes commands and options in a shell.
///
/// For example: motionfit completions bash > ~/.local/share/bash-completion/completions/motionfit
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// The shell: bash, zsh, fish, elvish or powershell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write one for every command.
///
/// For example: motionfit man | man -l -
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write motionfit.1 and a page for every command into this directory.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace existing files.
    #[arg(long)]
    force: bool,
}

/// Prints the script for `command`, the whole program.
///
/// # Errors
/// When standard output cannot be written to.
pub fn completions(args: &CompletionArgs, mut command: Command, session: &Session) -> Result<()> {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    session.tell(String::from_utf8_lossy(&script).trim_end())
}

/// Prints the page of `command`, the whole program, or writes those of its commands as well.
///
/// # Errors
/// When a page cannot be written.
pub fn man(args: &ManArgs, mut command: Command, session: &Session) -> Result<()> {
    let Some(folder) = &args.out else {
        let page = page(command)?;
        return session.tell(String::from_utf8_lossy(&page).trim_end());
    };
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, "create the directory", e))?;
    command.build();
    for command in command.get_subcommands().chain([&command]) {
        let name = command.get_display_name().unwrap_or(command.get_name());
        let path = folder.join(format!("{name}.1"));
        write_file(&path, &page(command.clone())?, args.force)?;
        session.tell(format!("wrote {}", path.display()))?;
    }
    Ok(())
}

fn page(command: Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command).render(&mut page);
    rendered.map_err(|e| Error::Internal(format!("manual: {e}")))?;
    Ok(page)
}
