//! `vigie-centre demo`: four simulated cameras in two communes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::config::{Config, Source, Tenant};
use crate::serve::{self, Failure};
use crate::token::Token;
use crate::{FolderArguments, assemble};

/// Runs the demo until Ctrl-C.
pub(crate) async fn run(
    listen: SocketAddr,
    store: Option<PathBuf>,
    folders: FolderArguments,
) -> Result<(), Failure> {
    let listener = serve::listen(listen, true).await?;
    let passing = if store.is_none() { Some(Passing::new()?) } else { None };
    let store = store.or_else(|| passing.as_ref().map(|folder| folder.0.clone())).unwrap_or_default();
    println!("Recording into {}", store.display());
    let config = Config { listen, store, origins: Vec::new(), tenants: tenants() };
    let centre = assemble(&config, &listener, folders)?;
    serve::serve(listener, centre).await
}

fn tenants() -> Vec<Tenant> {
    let source =
        |id: &str, name: &str| Source { id: id.into(), name: name.into(), url: String::new(), login: None };
    let tenant = |id: &str, name: &str, cameras| Tenant { id: id.into(), name: name.into(), cameras };
    vec![
        tenant("annoeullin", "Annœullin", vec![source("mairie", "Mairie, entrée"), source("place", "Place")]),
        tenant("provin", "Provin", vec![source("ecole", "École"), source("gare", "Gare (H.265)")]),
    ]
}

/// A folder that goes with the demo.
struct Passing(PathBuf);

impl Passing {
    /// A new one, under a name that nobody can guess and take first.
    fn new() -> Result<Self, Failure> {
        let random = Token::new().map_err(|cause| Failure::new(format!("no random numbers: {cause}")))?;
        let folder = std::env::temp_dir().join(format!("vigie-demo-{}", &random.reveal()[..8]));
        serve::make_folder(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let folder: &Path = &self.0;
        if let Err(cause) = std::fs::remove_dir_all(folder) {
            eprintln!("vigie-centre: {} is left behind: {cause}", folder.display());
        }
    }
}
