//! The command-line tool `vigie` as a library: its commands, and the simulated cameras that tests and the centre's
//! demo are run with.

pub mod address;
pub mod args;
pub mod capture;
pub mod commands;
pub mod explain;
pub mod failure;
pub mod handles;
pub mod health;
pub mod input;
pub mod moment;
pub mod new_file;
pub mod output;
pub mod simulator;
pub mod stores;
pub mod table;
pub mod vet;
