//! The configuration: one TOML file of tenants and their cameras.
//!
//! ```toml
//! listen = "127.0.0.1:8080"
//! store = "/var/lib/vigie"                   # or several volumes: ["/mnt/a", "/mnt/b"]
//! origins = ["https://video.example.fr"]     # behind a reverse proxy: what the browser's address bar shows
//!
//! [[tenant]]
//! id = "annoeullin"
//! name = "Annœullin"
//!
//! [[tenant.camera]]
//! id = "mairie"
//! name = "Mairie, entrée"
//! url = "rtsp://192.0.2.10/stream1"
//! user = "vigie"
//! password_file = "/etc/vigie/mairie.password"   # or password_env = "MAIRIE_PASSWORD"
//! ```
//! A password is never written in this file, so that it can be shown to whoever helps, and an error about a line of
//! it never repeats the line.

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use vigie::rtsp::{Credentials, Url};
use vigie_cli::stores::Stores;

/// What the file says, checked.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where the centre listens.
    pub(crate) listen: SocketAddr,
    /// The folders of the recordings.
    pub(crate) stores: Stores,
    /// Origins (`https://name[:port]`) under which browsers may reach the centre, besides loopback.
    pub(crate) origins: Vec<String>,
    /// Whose cameras.
    pub(crate) tenants: Vec<Tenant>,
}

/// A commune.
#[derive(Debug)]
pub(crate) struct Tenant {
    /// Its name in paths and addresses.
    pub(crate) id: String,
    /// Its name on the page.
    pub(crate) name: String,
    /// Its cameras.
    pub(crate) cameras: Vec<Source>,
}

/// Where a camera's pictures come from.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its name in paths and addresses, unique within the tenant.
    pub(crate) id: String,
    /// Its name on the page.
    pub(crate) name: String,
    /// Its address, without user and password.
    pub(crate) url: Url,
    /// Who logs in at the camera.
    pub(crate) credentials: Option<Credentials>,
}

/// What is wrong with a configuration, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {what}", path.display(), LineSuffix(*line))]
pub(crate) struct Error {
    path: PathBuf,
    line: Option<usize>,
    what: String,
}

struct LineSuffix(Option<usize>);

impl fmt::Display for LineSuffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, ", line {line}"))
    }
}

impl Config {
    /// Reads and checks a file, and fetches the passwords it points at.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|cause| Error {
            path: path.to_owned(),
            line: None,
            what: format!("cannot be read: {cause}"),
        })?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let at = |span: Option<Range<usize>>, what: String| Error {
            path: path.to_owned(),
            line: span.map(|span| line_of(text, span.start)),
            what,
        };
        let raw: RawConfig = toml::from_str(text).map_err(|cause| at(cause.span(), plain(&cause)))?;
        check(raw, path).map_err(|(span, what)| at(span, what))
    }
}

/// toml's own words without the quoted line, which may hold a secret written in the wrong place.
fn plain(cause: &toml::de::Error) -> String {
    cause.message().replace('\n', "; ")
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    listen: Option<SocketAddr>,
    store: RawStore,
    #[serde(default)]
    origins: Vec<Spanned<String>>,
    #[serde(default, rename = "tenant")]
    tenants: Vec<RawTenant>,
}

/// `store = "/mnt/video"`, or the volumes: `store = ["/mnt/a", "/mnt/b"]`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`store` is a folder, or a list of folders in brackets")]
enum RawStore {
    One(PathBuf),
    Several(Vec<PathBuf>),
}

impl RawStore {
    fn check(self, folder: &Path) -> Result<Stores, Complaint> {
        let roots = match self {
            Self::One(root) => vec![root],
            Self::Several(roots) => roots,
        };
        let roots: Vec<PathBuf> = roots.iter().map(|root| folder.join(root)).collect();
        let twice =
            roots.iter().enumerate().any(|(n, root)| roots.iter().skip(n + 1).any(|other| other == root));
        match (roots.is_empty(), twice) {
            (true, _) => Err((None, "`store` names no folder".into())),
            (_, true) => Err((None, "`store` names a folder twice".into())),
            _ => Ok(Stores::new(roots)),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTenant {
    id: Spanned<String>,
    name: Option<String>,
    #[serde(default, rename = "camera")]
    cameras: Vec<RawCamera>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCamera {
    id: Spanned<String>,
    name: Option<String>,
    url: Spanned<String>,
    user: Option<Spanned<String>>,
    password_env: Option<Spanned<String>>,
    password_file: Option<Spanned<PathBuf>>,
}

type Complaint = (Option<Range<usize>>, String);

fn check(raw: RawConfig, path: &Path) -> Result<Config, Complaint> {
    let folder = path.parent().unwrap_or(Path::new(""));
    if raw.tenants.iter().all(|tenant| tenant.cameras.is_empty()) {
        return Err((None, "no camera: add [[tenant]] with [[tenant.camera]]".into()));
    }
    let mut origins = Vec::new();
    for origin in raw.origins {
        origins.push(check_origin(&origin)?);
    }
    let mut seen = HashSet::new();
    let mut tenants = Vec::new();
    for tenant in raw.tenants {
        let id = check_name(&tenant.id, "tenant")?;
        if !seen.insert(id.clone()) {
            return Err((Some(tenant.id.span()), format!("a second tenant with the id {id:?}")));
        }
        let name = tenant.name.unwrap_or_else(|| id.clone());
        let cameras = check_cameras(tenant.cameras, folder)?;
        tenants.push(Tenant { id, name, cameras });
    }
    let listen = raw.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
    Ok(Config { listen, stores: raw.store.check(folder)?, origins, tenants })
}

fn check_cameras(raw: Vec<RawCamera>, folder: &Path) -> Result<Vec<Source>, Complaint> {
    let mut seen = HashSet::new();
    let mut cameras = Vec::new();
    for camera in raw {
        let id = check_name(&camera.id, "camera")?;
        if !seen.insert(id.clone()) {
            return Err((
                Some(camera.id.span()),
                format!("a second camera with the id {id:?} in this tenant"),
            ));
        }
        let url = check_url(&camera.url)?;
        let name = camera.name.clone().unwrap_or_else(|| id.clone());
        let credentials = credentials(&camera, folder)?;
        cameras.push(Source { id, name, url, credentials });
    }
    Ok(cameras)
}

/// Names become folders and parts of addresses.
fn check_name(name: &Spanned<String>, what: &str) -> Result<String, Complaint> {
    let text = name.get_ref();
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    if (1..=64).contains(&text.len()) && text.bytes().all(good) {
        return Ok(text.clone());
    }
    let rule = "1 to 64 characters out of a to z, 0 to 9, _ and -";
    Err((
        Some(name.span()),
        format!("the {what}'s id {text:?} must be {rule}; put the full name into `name`"),
    ))
}

fn check_url(url: &Spanned<String>) -> Result<Url, Complaint> {
    let text = url.get_ref();
    // Looked for in the whole text: a password may itself hold a slash.
    if text.contains('@') {
        let what = "the camera's url holds a user or password; write `user` and `password_env` or `password_file` \
                    instead (an @ in the path is written %40)";
        return Err((Some(url.span()), what.into()));
    }
    Url::parse(text).map(|(parsed, _)| parsed).map_err(|error| (Some(url.span()), error.to_string()))
}

fn check_origin(origin: &Spanned<String>) -> Result<String, Complaint> {
    let text = origin.get_ref().to_ascii_lowercase();
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    match authority {
        Some(authority) if !authority.is_empty() && authority.bytes().all(good) => Ok(text),
        _ => Err((
            Some(origin.span()),
            "an origin is written https://name or https://name:port, no more".into(),
        )),
    }
}

fn credentials(camera: &RawCamera, folder: &Path) -> Result<Option<Credentials>, Complaint> {
    let password = match (&camera.password_env, &camera.password_file) {
        (Some(_), Some(file)) => {
            return Err((Some(file.span()), "password_env or password_file, not both".into()));
        }
        (Some(name), None) => Some(std::env::var(name.get_ref()).map_err(|_| {
            (Some(name.span()), format!("the environment variable {} is not set", name.get_ref()))
        })?),
        (None, Some(file)) => {
            let path = folder.join(file.get_ref());
            let text = std::fs::read_to_string(&path).map_err(|cause| {
                (Some(file.span()), format!("the password file {} cannot be read: {cause}", path.display()))
            })?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        (None, None) => None,
    };
    match (&camera.user, password) {
        (None, None) => Ok(None),
        (Some(user), password) => Ok(Some(Credentials::new(user.get_ref(), password.unwrap_or_default()))),
        (None, Some(_)) => Err((Some(camera.id.span()), "a password without a `user`".into())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const GOOD: &str = "store = \"s\"\n\n[[tenant]]\nid = \"a\"\nname = \"Annœullin\"\n\n\
                        [[tenant.camera]]\nid = \"mairie\"\nurl = \"rtsp://192.0.2.1/one\"\n";

    fn complaint(text: &str) -> String {
        Config::parse(text, Path::new("c.toml")).unwrap_err().to_string()
    }

    #[test]
    fn a_good_one_is_read() {
        let config = Config::parse(GOOD, Path::new("/etc/vigie/c.toml")).unwrap();
        assert_eq!(config.listen, SocketAddr::from(([127, 0, 0, 1], 8080)));
        assert_eq!(config.stores.roots(), [Path::new("/etc/vigie/s")]);
        let [tenant] = &config.tenants[..] else { panic!("{config:?}") };
        assert_eq!((tenant.id.as_str(), tenant.name.as_str()), ("a", "Annœullin"));
        assert_eq!(tenant.cameras[0].url.to_string(), "rtsp://192.0.2.1/one");
        assert!(tenant.cameras[0].credentials.is_none());
    }

    #[test]
    fn a_complaint_names_the_line_and_never_repeats_it() {
        for (from, to, line, part) in [
            ("name = ", "password = \"geheim\"\nname = ", 5, "unknown field `password`"),
            ("id = \"mairie\"", "id = \"Mairie 1\"", 8, "a to z"),
            ("rtsp://", "rtsp://u:geheim@", 9, "password_env"),
            ("rtsp://", "rtsp://u:geheim/@", 9, "password_env"),
            ("rtsp://", "http://", 9, "rtsp://"),
            ("store = ", "origins = [\"https://x/geheim\"]\nstore = ", 1, "https://name"),
            ("store = ", "listen = \"8080\"\nstore = ", 1, "socket address"),
            ("[[tenant]]", "[[tenant]", 3, ""),
            ("name = \"Annœullin\"", "name = 3", 5, "invalid type"),
        ] {
            let text = complaint(&GOOD.replacen(from, to, 1));
            assert!(text.starts_with(&format!("c.toml, line {line}: ")), "{to}: {text}");
            assert!(text.contains(part), "{to}: {text}");
            assert!(!text.contains("geheim") && !text.contains('\n'), "{to}: {text}");
        }
        let twice = format!("{GOOD}\n[[tenant.camera]]\nid = \"mairie\"\nurl = \"rtsp://192.0.2.1/one\"\n");
        assert!(complaint(&twice).starts_with("c.toml, line 12: a second camera"));
        assert!(complaint("store = \"s\"").contains("no camera"));
        assert!(complaint("").contains("missing field `store`"));
        let stores = |list: &str| GOOD.replacen("\"s\"", list, 1);
        let several = Config::parse(&stores("[\"a\", \"/b\"]"), Path::new("/etc/c.toml")).unwrap();
        assert_eq!(several.stores.roots(), [Path::new("/etc/a"), Path::new("/b")]);
        assert!(complaint(&stores("[]")).contains("no folder"));
        assert!(complaint(&stores("[\"a\", \"a\"]")).contains("twice"));
        assert!(complaint(&stores("3")).contains("a folder, or a list of folders"));
    }

    #[test]
    fn passwords_come_from_elsewhere_and_are_not_shown() {
        let folder = std::env::temp_dir().join(format!("vigie-centre-config-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("pw"), "geheim\n").unwrap();
        let with = |lines: &str| {
            Config::parse(&format!("{GOOD}{lines}"), &folder.join("c.toml"))
                .map_err(|error| error.to_string())
        };
        let config = with("user = \"u\"\npassword_file = \"pw\"\n").unwrap();
        assert_eq!(config.tenants[0].cameras[0].credentials.as_ref().unwrap().password(), "geheim");
        assert!(!format!("{config:?}").contains("geheim"));
        assert!(with("password_file = \"pw\"\n").unwrap_err().contains("without a `user`"));
        assert!(with("user = \"u\"\npassword_file = \"none\"\n").unwrap_err().contains("line 11"));
        let unset = with("user = \"u\"\npassword_env = \"VIGIE_TEST_NOT_SET\"\n").unwrap_err();
        assert!(unset.contains("VIGIE_TEST_NOT_SET is not set"), "{unset}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
