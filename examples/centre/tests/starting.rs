//! What the program says when something is wrong before it starts: what, where, what to do; and no password.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
use std::net::TcpListener;

use common::{Centre, Folder, program};

fn complaint(arguments: &[&str]) -> String {
    let output = program().args(arguments).env("RUST_BACKTRACE", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("vigie-centre: ") && text.lines().count() == 1, "{text}");
    text
}

#[test]
fn a_wrong_configuration_names_file_and_line() {
    let folder = Folder::new();
    let check = |text: &str| {
        let path = folder.write("centre.toml", text);
        complaint(&["check", path.to_str().unwrap()])
    };
    let text = check("store = \"s\"\nstroe = 1\n");
    assert!(text.contains("centre.toml, line 2: unknown field `stroe`"), "{text}");
    let camera = "[[tenant]]\nid = \"a\"\n[[tenant.camera]]\nid = \"c\"\n";
    let text = check(&format!("store = \"s\"\n{camera}url = \"rtsp://u:geheim@192.0.2.1/\"\n"));
    assert!(text.contains("line 6") && text.contains("password_env") && !text.contains("geheim"), "{text}");
    let text = check(&format!("store = \"s\"\n{camera}url = \"rtsp://192.0.2.1/\"\npassword = \"geheim\"\n"));
    assert!(text.contains("line 7") && !text.contains("geheim"), "{text}");
    assert!(complaint(&["check", "/none/centre.toml"]).contains("cannot be read"));
}

#[test]
fn the_example_is_right() {
    let output =
        program().args(["check", concat!(env!("CARGO_MANIFEST_DIR"), "/centre.toml")]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"right: tenants 1, cameras 2\n");
}

#[test]
fn a_port_in_use_and_a_store_that_cannot_be() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let port = taken.local_addr().unwrap().port();
    let demo = Centre::demo_at(&listen, &[]);
    assert!(demo.port > port && demo.port <= port + 20, "the demo takes the next free one: {}", demo.port);
    let folder = Folder::new();
    let config = folder.write(
        "centre.toml",
        "store = \"s\"\n[[tenant]]\nid = \"a\"\n[[tenant.camera]]\nid = \"c\"\nurl = \"rtsp://192.0.2.1/\"\n",
    );
    let config = config.to_str().unwrap();
    assert!(complaint(&["run", config, "--listen", &listen]).contains("is in use"));
    let file = folder.write("file", "");
    let store = file.join("store");
    let text = complaint(&["run", config, "--listen", "127.0.0.1:0", "--store", store.to_str().unwrap()]);
    assert!(text.contains("cannot make the folder"), "{text}");
}
