//! Files: what local sockets leave in the file system, the directories that they are in, and what
//! the kernel tells about another process in `/proc`. Whose file is whose is decided in
//! `transport`.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::fault::{self, Call};

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Device and number, which no other file has at the same time.
    pub(crate) identity: (u64, u64),
    pub(crate) is_socket: bool,
}

/// What stands at a path itself: a link is not followed.
pub(crate) fn entry(path: &Path) -> io::Result<Entry> {
    fault::check(Call::LookAtFile)?;
    let found = std::fs::symlink_metadata(path)?;
    let is_socket = found.file_type().is_socket();
    Ok(Entry { identity: (found.dev(), found.ino()), is_socket })
}

/// Removes a file that is no directory.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    fault::check(Call::RemoveFile)?;
    std::fs::remove_file(path)
}

/// Makes a directory.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    fault::check(Call::MakeDirectory)?;
    std::fs::create_dir(path)
}

/// Removes an empty directory.
pub(crate) fn remove_directory(path: &Path) -> io::Result<()> {
    fault::check(Call::RemoveDirectory)?;
    std::fs::remove_dir(path)
}

/// What `/proc` says of a process (proc(5), `status`).
pub(crate) fn process_status(process: i32) -> io::Result<String> {
    fault::check(Call::ReadProcess)?;
    std::fs::read_to_string(PathBuf::from(format!("/proc/{process}/status")))
}
