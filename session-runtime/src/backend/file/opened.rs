//! A file of the store, opened and looked at.
//!
//! The file is opened first. Then the open file is asked for its kind and its length. That saves calls to the system, and
//! the name cannot lead to another file in between. Opening does not follow a link, and does not wait for a pipe.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::found(&file.metadata()?))
    }

    fn found(found: &Metadata) -> Self {
        Self { device: found.dev(), inode: found.ino() }
    }

    /// Whether this file is the one at this path.
    pub(super) fn is_at(self, path: &Path) -> io::Result<bool> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            found => Ok(Self::found(&found?) == self),
        }
    }
}

/// An open file of bytes.
#[derive(Debug)]
pub(super) struct OpenedFile {
    pub(super) file: File,
    pub(super) id: FileId,
    /// Its length when it was opened.
    pub(super) length: u64,
}

impl OpenedFile {
    /// `None` if there is something else than a file of bytes, such as a link.
    pub(super) fn open(path: &Path, mut options: OpenOptions) -> io::Result<Option<Self>> {
        let file = match options.custom_flags(no_surprise()).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(error),
            // How a link or a folder is refused is named differently by each system.
            Err(error) => return if fs::symlink_metadata(path)?.is_file() { Err(error) } else { Ok(None) },
        };
        let found = file.metadata()?;
        Ok(found.is_file().then(|| Self { file, id: FileId::found(&found), length: found.len() }))
    }

    /// One that was made by this process just now.
    pub(super) fn new(file: File) -> io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self { id: FileId::found(&found), length: found.len(), file })
    }

    /// What is in it, as much as there was when it was opened.
    pub(super) fn bytes(&self) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.length).map_err(|_| ErrorKind::FileTooLarge)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length)?;
        bytes.resize(length, 0);
        let read = read_at(&self.file, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// Neither follows a link nor waits for the other end of a pipe, nor takes a terminal for its own.
pub(super) fn no_surprise() -> i32 {
    (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed()
}

/// Reads from the beginning until the buffer is full or the file is at its end; gives how much that is.
pub(super) fn read_at(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read_at(&mut buffer[length..], u64::try_from(length).unwrap_or(u64::MAX)) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
