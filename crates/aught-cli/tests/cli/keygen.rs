//! `aught keygen`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use aught::curve::{PublicKey, SecretKey};

use crate::{Directory, aught};

/// The value of a key in a file, read as pyzmq's `zmq.auth.load_certificate` reads it: by lines,
/// whatever section they are in.
fn key(text: &str, name: &str) -> Option<String> {
    text.lines().map(str::trim).find_map(|line| {
        let value = line.strip_prefix(name)?.split_once('=')?.1;
        Some(value.trim_matches([' ', '\t', '\'', '"']).to_owned())
    })
}

#[test]
fn keys_are_written_and_read() {
    let directory = Directory::new();
    let name = directory.path("alice");
    let made = aught(&["keygen", &name, "--metadata", "name=Alice", "--metadata", "role=a = b"]);
    let made = made.ends(0).shows("wrote");
    let public_text = fs::read_to_string(directory.path("alice.key")).unwrap();
    let secret_text = fs::read_to_string(directory.path("alice.key_secret")).unwrap();
    let public = key(&public_text, "public-key").unwrap();
    let secret = key(&secret_text, "secret-key").unwrap();
    assert_eq!(made.value("public-key"), public);
    assert_eq!(key(&public_text, "secret-key"), None);
    assert_eq!(key(&secret_text, "public-key").as_ref(), Some(&public));
    let derived = SecretKey::from_z85(&secret).unwrap().public_key();
    assert_eq!(PublicKey::from_z85(&public), Some(derived));
    made.hides(&secret);
    let read = aught(&["keygen", "--read", &directory.path("alice.key_secret")]);
    let read = read.ends(0).shows("name: Alice\n").shows("role: a = b\n").hides(&secret);
    assert_eq!(read.value("public-key"), public);
    assert!(read.err.is_empty(), "{}", read.err);
    let shown =
        aught(&["keygen", "--read", &directory.path("alice.key_secret"), "--show-secret"]).ends(0);
    assert_eq!(shown.value("secret-key"), secret);
    aught(&["keygen", "--read", &directory.path("alice.key")]).ends(0).hides("secret-key");
}

#[test]
fn only_the_owner_reads_secrets() {
    let directory = Directory::new();
    let name = directory.path("bob");
    let mode =
        |name: &str| fs::metadata(directory.path(name)).unwrap().permissions().mode() & 0o777;
    aught(&["keygen", &name]).ends(0);
    assert_eq!(mode("bob.key_secret"), 0o600);
    // A file that was there gets the right mode when it is replaced, too.
    let open = fs::Permissions::from_mode(0o666);
    fs::set_permissions(directory.path("bob.key_secret"), open).unwrap();
    let told = aught(&["keygen", "--read", &directory.path("bob.key_secret")]).ends(0);
    assert!(told.err.contains("can be read by others"), "{}", told.err);
    aught(&["keygen", &name, "--force"]).ends(0);
    assert_eq!(mode("bob.key_secret"), 0o600);
}

#[test]
fn nothing_is_overwritten_unless_asked() {
    let directory = Directory::new();
    let name = directory.path("carol");
    let first = aught(&["keygen", &name]).ends(0).value("public-key");
    let files =
        || ["carol.key", "carol.key_secret"].map(|name| fs::read(directory.path(name)).ok());
    let before = files();
    let refused = aught(&["keygen", &name]).ends(1);
    assert!(refused.err.contains("--force"), "{}", refused.err);
    assert_eq!(files(), before);
    fs::remove_file(directory.path("carol.key")).unwrap();
    let before = files();
    aught(&["keygen", &name]).ends(1);
    assert_eq!(files(), before, "half a pair is protected, too");
    let second = aught(&["keygen", &name, "--force"]).ends(0).value("public-key");
    assert_ne!(first, second);
    assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 2, "nothing else is left");
}

#[test]
fn links_are_not_followed() {
    let directory = Directory::new();
    let precious = directory.path("precious");
    fs::write(&precious, "precious").unwrap();
    symlink(&precious, directory.path("dave.key_secret")).unwrap();
    aught(&["keygen", &directory.path("dave")]).ends(1);
    aught(&["keygen", &directory.path("dave"), "--force"]).ends(0);
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    assert!(fs::symlink_metadata(directory.path("dave.key_secret")).unwrap().is_file());
}

#[test]
fn a_public_key_follows_from_a_secret_one() {
    // The server's keys of zmq_curve(7).
    let public = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    let secret = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
    let directory = Directory::new();
    fs::write(directory.path("plain"), format!("{secret}\n")).unwrap();
    let derived = aught(&["keygen", "--secret", &directory.path("plain")]).ends(0).hides(secret);
    assert_eq!(derived.value("public-key"), public);
    let name = directory.path("erin.key");
    aught(&["keygen", &name, "--secret", &directory.path("plain")]).ends(0).hides(secret);
    assert_eq!(key(&fs::read_to_string(&name).unwrap(), "public-key").unwrap(), public);
    let again = aught(&["keygen", "--secret", &directory.path("erin.key_secret")]).ends(0);
    assert_eq!(again.value("public-key"), public);
    aught(&["keygen", "--secret", &name]).ends(1);
}

#[test]
fn new_keys_are_printed_only_when_asked() {
    aught(&["keygen"]).ends(1).hides("secret-key: ");
    let printed = aught(&["keygen", "--show-secret"]).ends(0);
    let secret = SecretKey::from_z85(&printed.value("secret-key")).unwrap();
    assert_eq!(printed.value("public-key"), secret.public_key().to_z85());
}

#[test]
fn files_that_are_none_are_told() {
    let directory = Directory::new();
    fs::write(directory.path("empty"), "").unwrap();
    for name in ["empty", "missing"] {
        let told = aught(&["keygen", "--read", &directory.path(name)]).ends(1);
        assert!(told.err.contains(name), "{}", told.err);
    }
    aught(&["keygen", &directory.path("no/such/directory")]).ends(1);
    aught(&["keygen", &directory.path("x"), "--metadata", "no value"]).ends(1);
}
