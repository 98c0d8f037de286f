//! The seam to the operating system: everything that is Linux's alone lives below here, a file
//! each for waiting (`poll`), waking (`wake`), sockets (`socket`), files (`file`), names of machines
//! (`names`), threads (`thread`) and memory barriers (`barrier`).
//! Nothing above this module makes a system call. Tests let them fail through `fault`.

pub(crate) mod barrier;
pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod names;
pub(crate) mod poll;
pub(crate) mod socket;
pub(crate) mod thread;
pub(crate) mod wake;
