//! The folder itself: that it is there, that it is still the one that was opened, and that it is ours alone.
//!
//! A folder may go under a running server for two reasons that call for opposite answers. A volume that isn't mounted any
//! more comes back with all its sessions, so nobody is logged out and nothing is begun in its place. A folder that
//! somebody tidied away does not come back, so it is made again, or nobody could log in until a restart. The two are told
//! apart by the device: what is left of the path is then on another file system, or on the same one.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

use super::disk::{DRAFT, Disk, DuringExt as _, Result, options};

/// Others may write.
const OTHERS: u32 = 0o002;
/// The group may write.
const GROUP: u32 = 0o020;
/// Who may write may not rename or remove what is another's.
const STICKY: u32 = 0o1000;

/// The file system that a path is on, or would be.
pub(super) fn device(path: &Path) -> io::Result<u64> {
    let mut error = io::Error::from(ErrorKind::NotFound);
    for folder in path.ancestors() {
        match fs::metadata(folder) {
            Ok(found) => return Ok(found.dev()),
            Err(found) => error = found,
        }
    }
    Err(error)
}

impl Disk {
    /// Makes the folder and what is always in it; says whether anything was missing. Safe when many processes do it at
    /// once.
    pub(super) fn make(root: &Path, durable: bool) -> io::Result<bool> {
        DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        match options().write(true).create_new(true).open(root.join(super::disk::SWEEPER)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            made => drop(made?),
        }
        if durable {
            for folder in root.ancestors().take(2) {
                fs::File::open(folder)?.sync_all()?;
            }
        }
        Ok(true)
    }

    /// An error if the store itself is out of reach: its sessions are so as well then, and not ended. What was tidied
    /// away is made again.
    pub(super) fn is_there(&self) -> Result<()> {
        const DOING: &str = "find the session store";
        match fs::symlink_metadata(self.sweeper()) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if device(&self.root).ok() != Some(self.device) {
                    return Err(error).during(DOING, &self.root);
                }
                if Self::make(&self.root, self.durable).during("make the session store again", &self.root)? {
                    let folder = self.root.display();
                    event!(warn, "session.store_remade", %folder, "the folder of the sessions was gone and is made again");
                }
                Ok(())
            }
            found => found.map(drop).during(DOING, &self.root),
        }
    }

    /// What lets others than this user write where the sessions are, and so forge or remove them: an error where anybody
    /// can, and an event where it depends on who is in a group or owns a folder.
    pub(super) fn check_access(&self) -> io::Result<std::result::Result<(), String>> {
        let us = self.user();
        for folder in self.root.ancestors() {
            let found = fs::metadata(folder)?;
            let (mode, sticky) = (found.mode(), found.mode() & STICKY != 0);
            let own = folder == self.root;
            let named = folder.display();
            if own && mode & OTHERS != 0 {
                return Ok(Err(format!(
                    "names the folder {named}, which every user of this machine can write, and so forge sessions; run \
                     `chmod 700 {named}`, or name a folder in it, which is then made for this user alone"
                )));
            }
            let why = if us.is_some_and(|us| found.uid() != us) && found.uid() != 0 {
                "it belongs to another user"
            } else if mode & OTHERS != 0 && !sticky {
                "every user of this machine can write it"
            } else if mode & GROUP != 0 && (own || !sticky) {
                "its group can write it"
            } else {
                continue;
            };
            event!(warn, "session.folder_exposed", folder = %named, why, "others can write where the sessions are");
        }
        Ok(Ok(()))
    }

    /// Who makes the files here: the user of this process, as this file system calls them; `None` where nothing can be
    /// made, so that whoever only reads can open the folder.
    fn user(&self) -> Option<u32> {
        let number = u64::from_be_bytes(crate::id::random());
        let path = self.root.join(format!("{number:016x}{DRAFT}"));
        let made = options().write(true).create_new(true).open(&path).ok()?;
        let user = made.metadata().map(|made| made.uid()).ok();
        fs::remove_file(&path).ok()?;
        user
    }
}
