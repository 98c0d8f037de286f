//! `ipc://`: local sockets by path or abstract name (zmq_ipc(7)), and the files that they
//! leave. A path is removed at the end only if it is still ours.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::Failed;
use crate::options::Options;
use crate::sys::file;
use crate::sys::socket::{self, LocalName};

/// Where to connect to, or to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LocalTarget {
    Path(PathBuf),
    Abstract(Vec<u8>),
}

impl LocalTarget {
    fn name(&self) -> LocalName<'_> {
        match self {
            Self::Path(path) => LocalName::Path(path),
            Self::Abstract(name) => LocalName::Abstract(name),
        }
    }
}

/// Connects to a local socket.
pub(crate) fn connect(target: &LocalTarget) -> Result<OwnedFd, Failed> {
    let fd = socket::local()?;
    match socket::connect_local(&fd, target.name()) {
        Ok(true) => Ok(fd),
        Ok(false) => Err(Failed::on(&fd)(Errno::AGAIN)),
        Err(errno) => Err(Failed::on(&fd)(errno)),
    }
}

/// Listens at a path or a name.
pub(crate) fn bind(
    target: &LocalTarget,
    options: &Options,
) -> Result<(OwnedFd, Option<Cleanup>), Failed> {
    if let Some(fd) = socket::given(options.use_fd)? {
        return Ok((fd, None));
    }
    let fd = socket::local()?;
    let cleanup = listen(&fd, target, options.backlog).map_err(Failed::on(&fd))?;
    Ok((fd, cleanup))
}

fn listen(fd: &OwnedFd, target: &LocalTarget, backlog: i32) -> Result<Option<Cleanup>, Errno> {
    match socket::bind_local(fd, target.name()) {
        Err(Errno::ADDRINUSE) => {
            let LocalTarget::Path(path) = target else {
                return Err(Errno::ADDRINUSE);
            };
            take_over(path)?;
            socket::bind_local(fd, target.name())?;
        }
        other => other?,
    }
    let cleanup = match target {
        LocalTarget::Path(path) => Some(Cleanup::of(path, None)),
        LocalTarget::Abstract(_) => None,
    };
    socket::listen(fd, backlog)?;
    Ok(cleanup)
}

/// Removes the socket that stands at a path, whether a process left it behind or still uses it:
/// a service that is started again takes its endpoint over, and new clients reach the new one
/// (as with the reference; zmq_ipc(7)). What is not a socket stays.
fn take_over(path: &Path) -> Result<(), Errno> {
    if !file::entry(path).is_ok_and(|entry| entry.is_socket) {
        return Err(Errno::ADDRINUSE);
    }
    match file::remove(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Errno::ADDRINUSE),
        _ => Ok(()),
    }
}

/// A fresh path for `ipc://*`, in a directory of its own.
pub(crate) fn wildcard() -> Result<(PathBuf, PathBuf), Errno> {
    let base = std::env::temp_dir();
    for _ in 0..64 {
        let name = format!("aught-{}-{}", std::process::id(), crate::engine::next_id());
        let directory = base.join(name);
        match file::make_directory(&directory) {
            Ok(()) => return Ok((directory.join("socket"), directory)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        }
    }
    Err(Errno::EXIST)
}

/// Gives up a directory from [`wildcard`] in which nothing was bound.
pub(crate) fn abandon(directory: &Path) {
    let _ = file::remove_directory(directory); // it was empty, and nobody misses it
}

/// Removes a socket's file, and its directory if that was made for it, when dropped.
#[derive(Debug)]
pub(crate) struct Cleanup {
    path: PathBuf,
    directory: Option<PathBuf>,
    /// The file that we made, by device and number: another one is not ours to remove.
    file: Option<(u64, u64)>,
}

impl Cleanup {
    fn of(path: &Path, directory: Option<PathBuf>) -> Self {
        Self { path: path.to_owned(), directory, file: identity(path) }
    }

    /// The same, with a directory that goes, too.
    pub(crate) fn with_directory(mut self, directory: PathBuf) -> Self {
        self.directory = Some(directory);
        self
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    file::entry(path).ok().map(|entry| entry.identity)
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        if self.file.is_some() && identity(&self.path) == self.file {
            let _ = file::remove(&self.path); // somebody else may have removed it
        }
        if let Some(directory) = &self.directory {
            let _ = file::remove_directory(directory); // not if somebody put something in it
        }
    }
}

/// Turns a connection away whose process the filters of zmq_ipc(7) do not let in.
pub(crate) fn admit(fd: &OwnedFd, options: &Options) -> Result<(), Errno> {
    if options.ipc_filter.is_open() {
        return Ok(());
    }
    let (process, user, group) = socket::peer_credentials(fd)?;
    let mut groups = groups_of(process);
    groups.push(group);
    if options.ipc_filter.admits(process, user, &groups) { Ok(()) } else { Err(Errno::ACCESS) }
}

/// The supplementary groups of a process, as far as they can be read.
fn groups_of(process: i32) -> Vec<u32> {
    let status = file::process_status(process).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("Groups:"))
        .map(|groups| groups.split_whitespace().filter_map(|group| group.parse().ok()).collect())
        .unwrap_or_default()
}
