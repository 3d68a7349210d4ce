//! The simulated AWS alone, for people and for tests with other clients.

use std::{io::Write as _, path::PathBuf};

use tokio::net::TcpListener;

use super::run::{RunError, stop_signal};
use crate::sim::{
    Sim,
    wire::{self, Options, Speed, SpeedError, WireFaults},
    world::{World, WorldFaults},
};

/// What `sim` is started with.
#[derive(Debug)]
pub struct SimOptions {
    /// The port; 0 takes a free one.
    pub port: u16,
    /// The world's file; without one, the demo's.
    pub world: Option<PathBuf>,
    /// `max`, or a factor.
    pub speed: String,
    /// Seed of everything that is drawn.
    pub seed: u64,
}

/// Why the simulated AWS could not be served.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The world's file could not be read.
    #[error("could not read the world `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The world has faults.
    #[error("the world does not hold")]
    World(#[from] WorldFaults),
    /// The speed is not one.
    #[error("the speed does not hold")]
    Speed(#[from] SpeedError),
    /// The port, or the server.
    #[error("could not serve on port {port}")]
    Serve {
        /// Which.
        port: u16,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A signal handler could not be installed.
    #[error("could not listen for signals")]
    Signals(#[source] Box<RunError>),
}

/// Serves until it is told to stop. Says `sim ready http://127.0.0.1:PORT` on standard output once it listens.
pub async fn sim(options: SimOptions) -> Result<(), SimError> {
    let world = match options.world {
        None => World::built_in("fortnight")?,
        Some(path) => {
            let text =
                std::fs::read_to_string(&path).map_err(|source| SimError::Read { path, source })?;
            World::parse(&text)?
        }
    };
    let speed: Speed = options.speed.parse()?;
    let failed = |source| SimError::Serve {
        port: options.port,
        source,
    };
    let listener = TcpListener::bind(("127.0.0.1", options.port))
        .await
        .map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let stop = stop_signal().map_err(|error| SimError::Signals(Box::new(error)))?;
    let ready = format!("sim ready http://{address}\n");
    let mut out = std::io::stdout();
    out.write_all(ready.as_bytes())
        .and_then(|()| out.flush())
        .map_err(failed)?;
    let faults = WireFaults::of_world(&world, options.seed);
    let served = Options {
        faults,
        ..Options::at(speed)
    };
    wire::serve(Sim::new(world, options.seed), listener, served, stop)
        .await
        .map_err(failed)
}
