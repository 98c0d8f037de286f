//! `errno`: how failures reach C programs, and what they are called. The numbers of the engine's
//! errors are the engine's (`aught::Error::errno`).

use std::ffi::{CStr, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::raw;

const BASE: c_int = 156_384_712;
pub(crate) const EFSM: c_int = BASE + 51;
pub(crate) const ENOCOMPATPROTO: c_int = BASE + 52;
pub(crate) const ETERM: c_int = BASE + 53;
pub(crate) const EMTHREAD: c_int = BASE + 54;

/// Why a call fails, as C programs are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) c_int);

impl Errno {
    pub(crate) const FAULT: Self = Self(libc::EFAULT);
    pub(crate) const INVALID: Self = Self(libc::EINVAL);
    pub(crate) const NOT_A_SOCKET: Self = Self(libc::ENOTSOCK);
    pub(crate) const NO_MEMORY: Self = Self(libc::ENOMEM);
    pub(crate) const UNSUPPORTED: Self = Self(libc::ENOTSUP);
    pub(crate) const TERMINATED: Self = Self(ETERM);
}

impl From<aught::Error> for Errno {
    fn from(error: aught::Error) -> Self {
        Self(error.errno())
    }
}

/// Runs the body of an entry point. Whatever goes wrong becomes `errno` and the function's own
/// sign of failure; a broken invariant of ours must not take the process with it.
#[inline]
pub(crate) fn guarded<T>(failure: T, body: impl FnOnce() -> Result<T, Errno>) -> T {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => value,
        Ok(Err(Errno(number))) => {
            raw::set_errno(number);
            failure
        }
        Err(_) => {
            raw::set_errno(libc::ENOTRECOVERABLE);
            failure
        }
    }
}

/// What zmq_strerror(3) says: our own texts for ZeroMQ's own numbers, the platform's for others.
pub(crate) fn describe(number: c_int) -> Option<&'static CStr> {
    Some(match number {
        EFSM => c"Operation cannot be accomplished in current state",
        ENOCOMPATPROTO => c"The protocol is not compatible with the socket type",
        ETERM => c"Context was terminated",
        EMTHREAD => c"No thread available",
        libc::EHOSTUNREACH => c"Host unreachable",
        _ => return None,
    })
}
