//! `aught version`.

use crate::format;

pub(super) fn run() {
    format::say(&format!("aught {}", env!("CARGO_PKG_VERSION")));
}
