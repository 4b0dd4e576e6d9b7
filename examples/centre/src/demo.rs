//! `vigie-centre demo`: four simulated cameras in two communes, and one that can be moved where that is asked for.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use vigie::rtsp::Url;
use vigie::time::UtcMicros;
use vigie_cli::simulator::{self, Outage, Picture, Simulator, Velocity};
use vigie_cli::stores::Stores;

use crate::config::{Config, Source, Tenant};
use crate::serve::{self, Failure};
use crate::token::Token;
use crate::{SharedArguments, assemble};

/// The simulated cameras behind the demo.
#[derive(Debug)]
pub(crate) struct Demo {
    simulator: Simulator,
}

impl Demo {
    /// What a camera sent that was taken in `from..to`.
    pub(crate) fn pictures(
        &self,
        tenant: &str,
        camera: &str,
        from: UtcMicros,
        to: UtcMicros,
    ) -> Vec<Picture> {
        let ordinal = self.ordinal(tenant, camera);
        ordinal.map(|ordinal| self.simulator.pictures(ordinal, from, to)).unwrap_or_default()
    }

    /// Kills a camera or its network, or brings it back; false where there is no such camera.
    pub(crate) fn set_outage(&self, tenant: &str, camera: &str, outage: Outage) -> bool {
        let ordinal = self.ordinal(tenant, camera);
        ordinal.map(|ordinal| self.simulator.set_outage(ordinal, outage)).is_some()
    }

    /// Moves a camera so, for a second; false where there is no such camera, or it cannot be moved.
    pub(crate) fn drive(&self, tenant: &str, camera: &str, velocity: Velocity) -> bool {
        self.ordinal(tenant, camera).is_some_and(|ordinal| self.simulator.drive(ordinal, velocity))
    }

    /// Can a camera be moved?
    pub(crate) fn can_move(&self, tenant: &str, camera: &str) -> bool {
        self.ordinal(tenant, camera).is_some_and(|ordinal| self.simulator.can_move(ordinal))
    }

    /// Of those that there are: the dome is not always.
    fn ordinal(&self, tenant: &str, camera: &str) -> Option<usize> {
        let (_, _, cameras) = TENANTS.iter().find(|(id, _, _)| *id == tenant)?;
        let found = cameras.iter().find(|(id, _, _)| *id == camera).map(|(_, _, ordinal)| *ordinal);
        found.filter(|ordinal| *ordinal < self.simulator.len())
    }
}

/// Runs the demo until Ctrl-C.
pub(crate) async fn run(
    listen: SocketAddr,
    store: Option<PathBuf>,
    dome: bool,
    shared: SharedArguments,
) -> Result<(), Failure> {
    let listener = serve::listen(listen, true).await?;
    let passing = if store.is_none() { Some(Passing::new()?) } else { None };
    let store = store.or_else(|| passing.as_ref().map(|folder| folder.0.clone())).unwrap_or_default();
    let simulator = Simulator::start(simulator::Config::default().dome(dome));
    let simulator =
        simulator.await.map_err(|cause| Failure::new(format!("no simulated cameras: {cause}")))?;
    println!("Simulating {} cameras at rtsp://{}/cam1 and on", simulator.len(), simulator.address());
    let fate = if passing.is_some() { " (removed at the end; --store DIR keeps it)" } else { "" };
    println!("Recording them into {}{fate}", store.display());
    let tenants = tenants(simulator.len(), |ordinal| simulator.url(ordinal))?;
    let stores = Stores::new(vec![store]);
    let config = Config { listen, stores, origins: Vec::new(), tenants };
    let centre = assemble(&config, &listener, shared, Some(Demo { simulator }))?;
    serve::serve(listener, centre, &config.tenants).await
}

/// Id, name, ordinal of the simulated camera behind it.
type Simulated = (&'static str, &'static str, usize);

/// The communes and their cameras; the last one, the dome, is there where it was asked for.
const TENANTS: [(&str, &str, &[Simulated]); 2] = [
    ("annoeullin", "Annœullin", &[("mairie", "Mairie, entrée", 0), ("place", "Place", 1)]),
    ("provin", "Provin", &[("ecole", "École", 2), ("gare", "Gare (H.265)", 3), ("rue", "Rue (dôme)", 4)]),
];

fn tenants(count: usize, url: impl Fn(usize) -> String) -> Result<Vec<Tenant>, Failure> {
    let source = |&(id, name, ordinal): &Simulated| {
        let (url, credentials) =
            Url::parse(&url(ordinal)).map_err(|error| Failure::new(error.to_string()))?;
        Ok(Source { id: id.into(), name: name.into(), url, credentials })
    };
    let tenant = |(id, name, cameras): (&str, &str, &[Simulated])| {
        let there = cameras.iter().filter(|(_, _, ordinal)| *ordinal < count);
        let cameras = there.map(source).collect::<Result<_, Failure>>()?;
        Ok(Tenant { id: id.into(), name: name.into(), cameras })
    };
    TENANTS.into_iter().map(tenant).collect()
}

/// A folder that goes with the demo.
struct Passing(PathBuf);

impl Passing {
    /// A new one, under a name that nobody can guess and take first.
    fn new() -> Result<Self, Failure> {
        let random = Token::new().map_err(|cause| Failure::new(format!("no random numbers: {cause}")))?;
        let folder = std::env::temp_dir().join(format!("vigie-demo-{}", &random.reveal()[..8]));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&folder);
        made.map_err(|cause| Failure::new(format!("{} cannot be made: {cause}", folder.display())))?;
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
