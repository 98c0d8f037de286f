//! Error numbers as the C interface reports them: the platform's, and ZeroMQ's own four.

use std::fmt;

/// An `errno` value, which prints its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub i32);

/// Where ZeroMQ's own numbers start.
const HAUSNUMERO: i32 = 156_384_712;

macro_rules! errnos {
    ($($name:ident = $value:expr;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "`.")]
            pub const $name: Errno = Errno($value);
        )*

        impl fmt::Debug for Errno {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {
                    $($name => f.write_str(stringify!($name)),)*
                    Errno(other) => write!(f, "errno {other}"),
                }
            }
        }
    };
}

errnos! {
    EPERM = libc::EPERM;
    ENOENT = libc::ENOENT;
    EINTR = libc::EINTR;
    EAGAIN = libc::EAGAIN;
    ENOMEM = libc::ENOMEM;
    EACCES = libc::EACCES;
    EFAULT = libc::EFAULT;
    EBUSY = libc::EBUSY;
    ENODEV = libc::ENODEV;
    EINVAL = libc::EINVAL;
    EMFILE = libc::EMFILE;
    ENAMETOOLONG = libc::ENAMETOOLONG;
    EPROTO = libc::EPROTO;
    ENOTSOCK = libc::ENOTSOCK;
    EMSGSIZE = libc::EMSGSIZE;
    EPROTONOSUPPORT = libc::EPROTONOSUPPORT;
    ENOTSUP = libc::ENOTSUP;
    EADDRINUSE = libc::EADDRINUSE;
    EADDRNOTAVAIL = libc::EADDRNOTAVAIL;
    ECONNREFUSED = libc::ECONNREFUSED;
    EHOSTUNREACH = libc::EHOSTUNREACH;
    EFSM = HAUSNUMERO + 51;
    ENOCOMPATPROTO = HAUSNUMERO + 52;
    ETERM = HAUSNUMERO + 53;
    EMTHREAD = HAUSNUMERO + 54;
}
