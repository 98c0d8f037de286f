//! That comparing secrets does not depend on them, by running it under valgrind, which complains
//! when what is done next depends on memory that it was told is unknown. The requests to valgrind
//! are instructions of one kind of processor, and so this is only built there. That nothing else is
//! compared with is tested in `secrets`.

use std::arch::asm;
use std::hint::black_box;
use std::process::Command;

use aught::curve::SecretKey;
use aught::is_same_secret;

/// Marks a process that valgrind runs.
const MARK: &str = "AUGHT_UNDER_VALGRIND";
/// How it ends when valgrind complains.
const COMPLAINT: i32 = 99;

/// Asks memcheck, if that runs us, to take memory for unknown, or for known.
fn tell_memcheck<T: ?Sized>(memory: &T, known: bool) {
    // 'M', 'C' and the number of the request: memcheck.h.
    let request = 0x4d43_0001 + u64::from(known);
    let address = std::ptr::from_ref(memory).cast::<u8>() as u64;
    let request = [request, address, size_of_val(memory) as u64, 0, 0, 0];
    // SAFETY: outside of valgrind, these instructions rotate a register all the way round and
    // exchange another with itself. Within, no memory is changed.
    unsafe {
        asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") request.as_ptr(), inout("rdx") 0_u64 => _, in("rdi") 0_u64,
            options(nostack),
        );
    }
}

/// Whether two things are the same, said by `compare`, while both are unknown.
fn compare_unknown<T: ?Sized>(one: &T, other: &T, compare: impl Fn(&T, &T) -> bool) -> bool {
    tell_memcheck(one, false);
    tell_memcheck(other, false);
    let same = black_box(compare(one, other));
    for memory in [one, other] {
        tell_memcheck(memory, true);
    }
    tell_memcheck(&same, true); // the outcome is told to everybody
    same
}

/// Runs `body` under valgrind, in a process of its own. `name` is the test's own path. Whether
/// valgrind is silent; `None` where there is none, or where the body runs.
fn under_valgrind(name: &str, body: impl FnOnce()) -> Option<bool> {
    if std::env::var(MARK).is_ok_and(|mark| mark == name) {
        body();
        return None;
    }
    let own = std::env::current_exe().expect("the path of this program");
    let output = Command::new("valgrind")
        .args(["--quiet", &format!("--error-exitcode={COMPLAINT}")])
        .arg(own)
        .args(["--exact", name, "--test-threads=1"])
        .env(MARK, name)
        .output()
        .ok()?; // not installed: `./test` installs it
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{name}: {said}");
    let code = output.status.code();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(code == Some(0) || code == Some(COMPLAINT), "{}: {complained}", output.status);
    Some(code == Some(0))
}

#[test]
fn comparing_secrets_does_not_depend_on_them() {
    let silent = under_valgrind("constant_time::comparing_secrets_does_not_depend_on_them", || {
        for len in [0, 1, 6, 31, 32, 40, 255, 256, 300] {
            let secret = vec![7; len];
            for at in [0, len / 2, len.saturating_sub(1), len] {
                let mut other = secret.clone();
                if let Some(octet) = other.get_mut(at) {
                    *octet = 8;
                }
                let same = compare_unknown(&secret[..], &other, is_same_secret);
                assert_eq!(same, at >= len, "{len} {at}");
            }
        }
        for at in [0, 15, 31, 32] {
            let mut other = [7; 32];
            if let Some(octet) = other.get_mut(at) {
                *octet = 8;
            }
            let (one, other) = (SecretKey::new([7; 32]), SecretKey::new(other));
            assert_eq!(compare_unknown(&one, &other, PartialEq::eq), at == 32);
        }
    });
    assert_ne!(silent, Some(false), "what is done depends on a secret");
}

/// That valgrind would notice.
#[test]
fn careless_comparisons_are_noticed() {
    let silent = under_valgrind("constant_time::careless_comparisons_are_noticed", || {
        let careless = |one: &[u8; 32], other: &[u8; 32]| one.iter().eq(other);
        assert!(compare_unknown(&[7; 32], &[7; 32], careless));
    });
    assert_ne!(silent, Some(true), "valgrind is silent about a comparison that stops early");
}
