//! The properties that the fuzz targets try to break, each a function of bytes that panics where it does not hold.
//!
//! [`TARGETS`] lists them; for each there is `fuzz_targets/NAME.rs`, and a test holds files and `Cargo.toml` to the list.
//! `cargo test` in this folder replays `corpus/` and `regressions/` through them without a fuzzer.

mod boxes;
mod c;
mod depacket;
mod h26x;
mod media;
mod ops;
#[cfg(feature = "planted")]
mod planted;
mod remux;
mod round;
mod sdp;
mod seeds;
mod split;
mod tape;
mod wire;

pub use seeds::seed;

/// A property, by the name of its fuzz target.
pub struct Target {
    /// Name of the fuzz target, and of its folders in `corpus/` and `regressions/`.
    pub name: &'static str,
    /// What holds.
    pub says: &'static str,
    /// Panics where it does not.
    pub property: fn(&[u8]),
}

macro_rules! targets {
    ($($name:ident: $property:path, $says:literal;)*) => {
        /// Every fuzz target.
        pub const TARGETS: &[Target] =
            &[$(Target { name: stringify!($name), says: $says, property: $property },)*];

        $(
            #[doc = $says]
            pub fn $name(bytes: &[u8]) {
                $property(bytes);
            }
        )*
    };
}

targets! {
    framing_split: split::framing_split, "RTSP framing, split = whole";
    session_split: split::session_split, "an RTSP session, split = whole";
    ingest_split: split::ingest_split, "RTP and RTCP on a connection, up to pictures, split = whole";
    server_split: split::server_split, "a client's requests to our server, split = whole; an answer to each";
    elementary_split: split::elementary_split, "Annex B, split = whole";
    pcap_split: split::pcap_split, "captures of packets, split = whole";
    capture_split: split::capture_split, "captures of sessions, split = whole";
    rtsp_round_trip: round::rtsp_round_trip, "RTSP messages and addresses: parse, write, parse";
    headers_round_trip: round::headers_round_trip, "structured header fields: parse, write, parse";
    sdp: sdp::sdp, "descriptions: what is read keeps its bytes and its caps";
    sdp_round_trip: round::sdp_round_trip, "our descriptions are read as what they describe";
    rtp_round_trip: round::rtp_round_trip, "RTP, RTCP and ONVIF's stamps: write, parse";
    srtp_round_trip: round::srtp_round_trip, "SRTP: what was protected comes out once, what was changed never; MIKEY, SDES";
    packets_round_trip: round::packets_round_trip, "pictures to packets and back, in any mode";
    nal_round_trip: round::nal_round_trip, "emulation prevention, start codes, lengths";
    index_round_trip: round::index_round_trip, "index, page directory, marks, gap log: write, read";
    journal_round_trip: round::journal_round_trip, "the journal and its tombstones: append, cut the power, read";
    depacket: depacket::depacket, "H.264 and H.265 payloads: what comes out is an access unit";
    plain: depacket::plain, "JPEG, AV1, sound, metadata: what comes out is one";
    parameter_sets: h26x::parameter_sets, "parameter sets, and init segments made of them";
    slices: h26x::slices, "slices of any bytes with parameter sets of any bytes";
    boxes: boxes::boxes, "files of other people: typed errors, nothing outside of the file";
    remux: remux::remux, "MP4 that another reader takes, with the bytes that went in";
    session_ops: ops::session_ops, "a session, whatever happens in whatever order; and its capture, had again";
    store_ops: ops::store_ops, "a store on a disk that fails: nothing synced is lost, nothing held is deleted";
    store_damage: ops::store_damage, "a store with damaged files: what is served was recorded";
    govern_ops: ops::govern_ops, "who is dialled and when, beside a plain count of it; nobody waits for ever";
    player_ops: ops::player_ops, "the player's controller: rate, seeks, jumps within their bounds";
    c_calls: c::c_calls, "the C functions in any order, with any arguments";
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::TARGETS;

    fn folder() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn corpus_and_regressions_hold() {
        for target in TARGETS {
            let mut count = 0;
            for folder_of in ["corpus", "regressions"] {
                let dir = folder().join(folder_of).join(target.name);
                for entry in fs::read_dir(dir).into_iter().flatten() {
                    let path = entry.expect("readable").path();
                    // Shown where the property does not hold.
                    println!("{}", path.display());
                    (target.property)(&fs::read(path).expect("readable"));
                    count += 1;
                }
            }
            assert!(count > 0, "{} has no corpus: cargo run --example seed -- corpus", target.name);
        }
    }

    #[test]
    fn files_and_manifest_are_those_of_the_list() {
        let manifest = fs::read_to_string(folder().join("Cargo.toml")).expect("readable");
        let names: Vec<_> = manifest.lines().filter_map(|line| line.strip_prefix("name = \"")).collect();
        for target in TARGETS {
            let name = target.name;
            assert!(names.contains(&&*format!("{name}\"")), "Cargo.toml has no [[bin]] {name}");
            let source = fs::read_to_string(folder().join(format!("fuzz_targets/{name}.rs"))).expect(name);
            assert!(
                source.contains(&format!("vigie_fuzz::{name}(bytes)")),
                "{name}.rs calls another property"
            );
        }
        let files = fs::read_dir(folder().join("fuzz_targets")).expect("readable").count();
        // The package and the library have names, too.
        assert_eq!((files, names.len()), (TARGETS.len(), TARGETS.len() + 2));
        for folder_of in ["corpus", "regressions"] {
            for entry in fs::read_dir(folder().join(folder_of)).expect("readable") {
                let name = entry.expect("readable").file_name();
                assert!(
                    TARGETS.iter().any(|target| name == target.name),
                    "{folder_of}/{name:?} is of no target"
                );
            }
        }
        let readme = fs::read_to_string(folder().join("README.md")).expect("readable");
        for target in TARGETS {
            let row = format!("| `{}` | {} |", target.name, target.says);
            assert!(readme.contains(&row), "README.md lacks: {row}");
        }
    }
}
