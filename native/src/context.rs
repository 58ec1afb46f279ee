//! What shares of an epoch are hashed with: a light cache and perhaps a dataset, or nothing at all.

use std::path::Path;
use std::sync::{Arc, Mutex, RwLock, TryLockError};
use std::time::Duration;

use crate::algorithm::Kind;
use crate::cache::Cache;
use crate::dataset::{self, Dataset, Place};
use crate::epoch::Shape;
use crate::generate::{Job, Phase, Progress};
use crate::hashimoto::{Output, Request, hash_light};
use crate::row::FastMod;
use crate::status::Status;
use crate::tier::Tier;

/// Between two looks at whether another thread has the dataset ready.
const PREPARED_POLL: Duration = Duration::from_millis(20);

/// Which pages a call wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Computed from the light cache.
    Light,
    /// Of the dataset; [`Status::NoDataset`] without one.
    Dataset,
    /// Of the dataset when there is one.
    Best,
}

/// The context of one shape, shared by all who have it open.
pub struct Context {
    /// What it is the context of.
    pub shape: Shape,
    tier: Tier,
    engine: Engine,
    dataset: RwLock<Option<Arc<Dataset>>>,
    /// Held by the thread that prepares the dataset.
    preparing: Mutex<()>,
    /// How far the dataset is.
    pub progress: Progress,
}

#[derive(Clone)]
enum Engine {
    Hashimoto { cache: Arc<Cache>, modulus: FastMod },
    Direct(fn(Tier, &[Request], &mut [Output])),
}

impl Context {
    /// Builds the light cache, if the algorithm has one.
    pub fn build(shape: Shape, tier: Tier) -> Result<Context, Status> {
        let engine = match shape.algorithm.kind {
            Kind::Direct(hash) => Engine::Direct(hash),
            Kind::Hashimoto(_) => Engine::Hashimoto {
                cache: Arc::new(Cache::build(&shape, tier)?),
                modulus: FastMod::new(shape.dataset_items),
            },
        };
        Ok(Context::new(shape, tier, engine))
    }

    /// The same context in another tier, over the same light cache and without dataset: for tests.
    pub fn in_tier(&self, tier: Tier) -> Context {
        Context::new(self.shape, tier, self.engine.clone())
    }

    fn new(shape: Shape, tier: Tier, engine: Engine) -> Context {
        Context {
            shape,
            tier,
            engine,
            dataset: RwLock::new(None),
            preparing: Mutex::new(()),
            progress: Progress::default(),
        }
    }

    /// Hashes requests into as many outputs.
    pub fn hash(&self, wish: Wish, requests: &[Request], out: &mut [Output]) -> Result<(), Status> {
        self.hasher(wish)?(requests, out);
        Ok(())
    }

    /// Fills in the results that belong to claimed mix digests.
    pub(crate) fn final_hashes(&self, requests: &[Request], out: &mut [Output]) {
        self.shape.algorithm.final_hashes(self.tier, requests, out);
    }

    /// The function that hashes as wished; it keeps the dataset that is attached now.
    pub fn hasher(&self, wish: Wish) -> Result<impl Fn(&[Request], &mut [Output]), Status> {
        let dataset = match wish {
            Wish::Light => None,
            Wish::Best => self.dataset(),
            Wish::Dataset => Some(self.dataset().ok_or(Status::NoDataset)?),
        };
        Ok(
            move |requests: &[Request], outputs: &mut [Output]| match (&self.engine, &dataset) {
                (Engine::Direct(hash), _) => hash(self.tier, requests, outputs),
                (_, Some(dataset)) => dataset.hash(self.tier, requests, outputs),
                (Engine::Hashimoto { cache, modulus }, None) => {
                    hash_light(self.tier, cache, *modulus, requests, outputs);
                }
            },
        )
    }

    /// Whether a dataset is attached.
    pub fn has_dataset(&self) -> bool {
        self.dataset().is_some()
    }

    /// Opens a dataset file and attaches it; calls in flight keep what they started with.
    pub fn attach(&self, path: &Path) -> Result<(), Status> {
        let dataset = Dataset::open(path, &self.shape, self.cache()?, self.tier)?;
        self.set_dataset(Some(dataset));
        Ok(())
    }

    /// Lets go of the dataset; its memory goes when the last call over it ends.
    pub fn detach(&self) {
        self.set_dataset(None);
    }

    /// Attaches a whole dataset, generated unless it is there; waits for a thread that is at it.
    pub fn prepare(&self, place: Place<'_>, job: &Job<'_>) -> Result<(), Status> {
        let cache = self.cache()?;
        let _turn = loop {
            match self.preparing.try_lock() {
                Ok(turn) => break turn,
                // Its holder panicked and holds nothing any more.
                Err(TryLockError::Poisoned(poison)) => break poison.into_inner(),
                Err(TryLockError::WouldBlock) if (job.stop)() => return Err(Status::Closed),
                Err(TryLockError::WouldBlock) => std::thread::sleep(PREPARED_POLL),
            }
        };
        if self.has_dataset() {
            return Ok(());
        }
        let dataset = Dataset::prepare(self.tier, &self.shape, cache, place, job);
        self.progress.enter(Phase::Idle, 0);
        self.set_dataset(Some(dataset?));
        Ok(())
    }

    /// Writes the dataset file into a directory without attaching it.
    pub fn write_dataset(&self, directory: &Path, job: &Job<'_>) -> Result<(), Status> {
        let written = dataset::write(self.tier, self.cache()?, &self.shape, directory, job);
        self.progress.enter(Phase::Idle, 0);
        written.map(|_| ())
    }

    fn cache(&self) -> Result<&Cache, Status> {
        match &self.engine {
            Engine::Hashimoto { cache, .. } => Ok(cache),
            Engine::Direct(_) => Err(Status::Unsupported),
        }
    }

    fn dataset(&self) -> Option<Arc<Dataset>> {
        let dataset = self.dataset.read();
        dataset.unwrap_or_else(|poison| poison.into_inner()).clone()
    }

    fn set_dataset(&self, dataset: Option<Dataset>) {
        let mut place = self
            .dataset
            .write()
            .unwrap_or_else(|poison| poison.into_inner());
        let old = std::mem::replace(&mut *place, dataset.map(Arc::new));
        // Gigabytes are given back after the lock.
        drop(place);
        drop(old);
    }
}
