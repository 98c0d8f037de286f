//! How fast CURVE seals and opens, next to libsodium if it is installed:
//! `cargo run --release -p aught-zmtp --example boxes`.
//!
//! Ours is a whole frame through a connection, header and copy included; libsodium's is the box
//! alone, with its key agreed on beforehand.

#![expect(clippy::print_stdout, reason = "this is a program")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use zmtp::SocketType::{Pull, Push};
use zmtp::testing::Pair;
use zmtp::testing::secure::curve;

/// Bodies of this many octets are measured.
const SIZES: [usize; 5] = [64, 256, 1024, 8000, 65536];

/// Runs of which the best counts: others were disturbed.
const RUNS: usize = 7;

fn main() {
    println!("{:>8} {:>24} {:>12} {:>12} {:>10}", "octets", "", "ns", "per second", "MB/s");
    for size in SIZES {
        ours(size);
        if let Err(reason) = sodium::measure(size) {
            println!("{size:>8} libsodium: {reason}");
        }
    }
}

fn report(size: usize, what: &str, each: Duration) {
    let ns = each.as_secs_f64() * 1e9;
    println!("{size:>8} {what:>24} {ns:>12.1} {:>12.0} {:>10.0}", 1e9 / ns, size as f64 * 1e3 / ns);
}

/// The best time of one of `count` steps.
fn best(count: usize, mut run: impl FnMut()) -> Duration {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..RUNS).map(|_| time(&mut run)).min().unwrap_or_default() / count as u32
}

fn ours(size: usize) {
    let (left, right) = curve(Push, Pull);
    let mut pair = Pair::new(left, right);
    pair.settle();
    let body = vec![1; size];
    // As much as an engine would have in hand at once, so that it stays in the caches.
    let count = (64 * 1024 / size).max(1);
    let mut batches = Vec::new();
    let repeat = 20_000_000 / (size + 1000) / count;
    let mut out = Vec::new();
    let sealing = best(count * repeat, || {
        for _ in 0..repeat {
            out.clear();
            for _ in 0..count {
                pair.left.connection.seal(black_box(&body), false, &mut out);
            }
            if batches.len() < RUNS * repeat {
                batches.push(out.clone());
            }
        }
    });
    // The copies above are part of what was measured: once more without them.
    let (left, right) = curve(Push, Pull);
    let mut other = Pair::new(left, right);
    other.settle();
    let alone = best(count * repeat, || {
        for _ in 0..repeat {
            out.clear();
            for _ in 0..count {
                other.left.connection.seal(black_box(&body), false, &mut out);
            }
        }
    });
    report(size, "seal", alone.min(sealing));
    let mut batches = batches.iter();
    let now = Instant::now();
    let opening = best(count * repeat, || {
        for _ in 0..repeat {
            let mut input = batches.next().map(Vec::as_slice).unwrap_or_default();
            while !input.is_empty() {
                let received = pair.right.connection.receive(now, input);
                let (consumed, _) = received.expect("what was sealed opens");
                input = &input[consumed..];
            }
        }
    });
    report(size, "open", opening);
}

mod sodium {
    //! The same box by libsodium, loaded if it is there.

    use libloading::{Library, Symbol};

    use super::{best, report};

    type Box = unsafe extern "C" fn(*mut u8, *const u8, u64, *const u8, *const u8) -> i32;
    type Init = unsafe extern "C" fn() -> i32;

    pub(super) fn measure(size: usize) -> Result<(), libloading::Error> {
        // SAFETY: loading libsodium runs no code that could matter here.
        let library = unsafe { Library::new("libsodium.so.23") }?;
        // SAFETY: these are the types of libsodium's header.
        let (init, seal, open): (Symbol<'_, Init>, Symbol<'_, Box>, Symbol<'_, Box>) = unsafe {
            (
                library.get(b"sodium_init\0")?,
                library.get(b"crypto_box_easy_afternm\0")?,
                library.get(b"crypto_box_open_easy_afternm\0")?,
            )
        };
        // SAFETY: it may be called at any time.
        unsafe { init() };
        let (key, nonce) = ([7_u8; 32], [9_u8; 24]);
        let (plain, mut boxed, mut again) = (vec![1; size], vec![0; size + 16], vec![0; size]);
        let len = size as u64;
        let count = 20_000_000 / (size + 1000);
        let sealing = best(count, || {
            for _ in 0..count {
                // SAFETY: the box is 16 octets larger than what goes into it.
                unsafe {
                    seal(boxed.as_mut_ptr(), plain.as_ptr(), len, nonce.as_ptr(), key.as_ptr());
                }
            }
        });
        report(size, "libsodium seal", sealing);
        let opening = best(count, || {
            for _ in 0..count {
                let (to, from) = (again.as_mut_ptr(), boxed.as_ptr());
                // SAFETY: what comes out is 16 octets smaller than the box.
                unsafe { open(to, from, len + 16, nonce.as_ptr(), key.as_ptr()) };
            }
        });
        report(size, "libsodium open", opening);
        Ok(())
    }
}
