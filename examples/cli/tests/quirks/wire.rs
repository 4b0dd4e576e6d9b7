//! The bytes of every profile, looked at by a client that knows nothing of Vigie: a socket, requests written by hand,
//! and RFC 2326, 3550, 6184 where a byte has to be found.

mod answers;
mod client;
mod descriptions;
mod packets;

use std::collections::{BTreeMap, BTreeSet};

use vigie_cli::simulator::quirks;

use self::client::{Client, Wire};
use super::run::{Setting, simulator};

/// What is looked at.
#[derive(Clone, Copy)]
pub(crate) enum Check {
    /// A session played to its end.
    Played(fn(&Wire) -> bool),
    /// A description.
    Described(fn(&str) -> bool),
    /// Whatever is asked.
    Asked(fn(&mut Client) -> bool),
}

#[test]
fn every_profile_puts_its_quirk_on_the_wire() {
    let checks: BTreeMap<&str, Check> =
        [answers::CHECKS, descriptions::CHECKS, packets::CHECKS].into_iter().flatten().copied().collect();
    let names: BTreeSet<&str> = quirks::all().map(|profile| profile.name).collect();
    assert_eq!(checks.keys().copied().collect::<BTreeSet<_>>(), names);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let profiles: Vec<_> = quirks::all().collect();
    let failed: Vec<&str> = std::thread::scope(|scope| {
        let threads: Vec<_> = profiles
            .chunks(profiles.len().div_ceil(8))
            .map(|part| {
                let (runtime, checks) = (&runtime, &checks);
                scope.spawn(move || {
                    let mut failed = Vec::new();
                    for profile in part {
                        let pictures = match (checks[profile.name], profile.rate) {
                            (Check::Asked(_), None) => 100_000,
                            (_, None) => 120,
                            (_, Some(_)) => 2,
                        };
                        let setting = Setting { policy: vigie::fault::Policy::Auto, rate: 200, pictures };
                        let simulator = runtime.block_on(simulator(profile, &setting));
                        let mut client = Client::new(&simulator.url(0), profile.locked);
                        let right = match checks[profile.name] {
                            Check::Played(look) => look(&client.play()),
                            Check::Described(look) => look(&client.describe()),
                            Check::Asked(look) => look(&mut client),
                        };
                        if !right {
                            println!("{}: {:?}", profile.name, client.log());
                            failed.push(profile.name);
                        }
                    }
                    failed
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "{failed:?}");
}
