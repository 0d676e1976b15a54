//! A small file of answers in the state folder: one for all windows, read at every question, because another window may have
//! answered, and written under a lock and in one step.

use std::io;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::state::StateDir;

/// What this program writes. A file of a later version is left alone.
const VERSION: u32 = 1;

/// The file. All clones and all windows see the same one.
#[derive(Clone, Debug)]
pub struct Book<T> {
    dir: StateDir,
    name: &'static str,
    answers: PhantomData<fn() -> T>,
}

#[derive(Default, Serialize, Deserialize)]
struct Page<T> {
    version: u32,
    #[serde(flatten)]
    answers: T,
}

impl<T: Default + Serialize + DeserializeOwned> Book<T> {
    /// `NAME.json` in this state folder, and `NAME.lock` beside it.
    pub fn open(dir: StateDir, name: &'static str) -> Self {
        Self { dir, name, answers: PhantomData }
    }

    /// The folder.
    pub(crate) fn dir(&self) -> &StateDir {
        &self.dir
    }

    /// What was answered. A file that cannot be read, or was written by something newer, answers nothing: then we ask.
    pub fn read(&self) -> T {
        self.page().unwrap_or_default().answers
    }

    /// Reads, changes and writes under the lock. `change` says whether there is something to write. Blocks for a moment on
    /// other windows that write.
    ///
    /// # Errors
    /// What the operating system says, and a file that something newer wrote: it is left alone.
    pub fn edit(&self, change: impl FnOnce(&mut T) -> bool) -> io::Result<()> {
        let _lock = self.dir.lock_blocking(&format!("{}.lock", self.name))?;
        let mut page = match self.page() {
            Ok(page) => page,
            // A broken file holds no answer; it is replaced by one that holds this answer only.
            Err(error) if error.get_ref().is_some_and(|it| it.is::<serde_json::Error>()) => Page::default(),
            Err(error) => return Err(error),
        };
        page.version = VERSION;
        if !change(&mut page.answers) {
            return Ok(());
        }
        self.dir.write(&self.file(), &serde_json::to_vec_pretty(&page)?)
    }

    fn file(&self) -> String {
        format!("{}.json", self.name)
    }

    fn page(&self) -> io::Result<Page<T>> {
        let Some(bytes) = self.dir.read(&self.file())? else { return Ok(Page::default()) };
        let page: Page<T> = serde_json::from_slice(&bytes)?;
        if page.version > VERSION {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "written by a newer fluxcd-ls"));
        }
        Ok(page)
    }
}
