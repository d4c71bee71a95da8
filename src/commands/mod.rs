//! Subcommands: load, call the library, write.

pub mod benchmark;
