//! CURVE certificates: the text files in which czmq and pyzmq keep keys. Two belong together,
//! `name.key` with the public key and `name.key_secret` with both. Here is the format and how the
//! files are written; what the command does with them is in `cmd/keygen`.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aught::curve::{KeyPair, PublicKey, SecretKey};

use crate::cmd::Failure;

/// Only the owner may read and write.
const PRIVATE: u32 = 0o600;

/// The keys of somebody, and what is said of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Names and values, in the order of the file.
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) public: PublicKey,
    pub(crate) secret: Option<SecretKey>,
}

/// The part of a line in front of a comment, which begins with `#` outside of quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') => return &line[..at],
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    line
}

/// A value without its quotes.
fn unquoted(value: &str) -> &str {
    let value = value.trim();
    ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(value)
}

impl Certificate {
    /// A certificate with both keys.
    pub(crate) fn new(keys: &KeyPair, metadata: Vec<(String, String)>) -> Self {
        Self { metadata, public: *keys.public(), secret: Some(keys.secret().clone()) }
    }

    /// Reads the text of a certificate. If it has only a secret key, the public one follows from
    /// that.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let (mut metadata, mut public, mut secret) = (Vec::new(), None, None);
        let mut section = "";
        for line in text.lines() {
            let code = without_comment(line);
            let Some((name, value)) = code.split_once('=') else {
                if !code.trim().is_empty() {
                    section = code.trim();
                }
                continue;
            };
            let (name, value) = (name.trim(), unquoted(value));
            match name {
                _ if section == "metadata" => metadata.push((name.to_owned(), value.to_owned())),
                "public-key" => {
                    public = Some(PublicKey::from_z85(value).ok_or("the public key is not one")?);
                }
                "secret-key" => {
                    secret = Some(SecretKey::from_z85(value).ok_or("the secret key is not one")?);
                }
                _ => {}
            }
        }
        let derived = secret.as_ref().map(SecretKey::public_key);
        match (public, derived) {
            (Some(public), Some(derived)) if public != derived => {
                Err("the public key does not belong to the secret key".into())
            }
            (None, None) => Err("there is no key in it".into()),
            (Some(public), _) | (None, Some(public)) => Ok(Self { metadata, public, secret }),
        }
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()).into())
    }

    /// The text of one of the two files.
    fn write_to(&self, out: &mut impl Write, secret: Option<&SecretKey>) -> std::io::Result<()> {
        let (kind, advice) = match secret {
            None => ("public", "Give it to your peers, in a way that nobody can change it."),
            Some(_) => ("secret", "Keep it to yourself: whoever reads it can act as you."),
        };
        writeln!(out, "# A CURVE certificate of ZeroMQ, the {kind} half, made by aught.")?;
        writeln!(out, "# {advice}\n")?;
        writeln!(out, "metadata")?;
        for (name, value) in &self.metadata {
            let quote = if value.contains('"') { '\'' } else { '"' };
            writeln!(out, "    {name} = {quote}{value}{quote}")?;
        }
        writeln!(out, "curve\n    public-key = \"{}\"", self.public.to_z85())?;
        if let Some(secret) = secret {
            out.write_all(b"    secret-key = \"")?;
            out.write_all(secret.to_z85().as_bytes())?;
            out.write_all(b"\"\n")?;
        }
        Ok(())
    }

    /// Writes both files, which must not be there unless they are to be replaced. The secret one
    /// can be read by its owner only, from the first moment on.
    pub(crate) fn save(&self, files: &Files, replace: bool) -> Result<(), Failure> {
        let taken = [&files.public, &files.secret].into_iter().find(|path| is_there(path));
        if let Some(taken) = taken.filter(|_| !replace) {
            let taken = taken.display();
            return Err(format!("{taken} is there already; --force replaces both files").into());
        }
        self.put(&files.secret, self.secret.as_ref(), PRIVATE, replace)?;
        self.put(&files.public, None, 0o644, replace).inspect_err(|_| {
            if !replace {
                // Half a pair is worse than none. It is ours: it was not there before.
                let _ = std::fs::remove_file(&files.secret);
            }
        })
    }

    fn put(
        &self,
        path: &Path,
        secret: Option<&SecretKey>,
        mode: u32,
        replace: bool,
    ) -> Result<(), Failure> {
        let fail = |error: std::io::Error| format!("{}: {error}", path.display());
        // What is replaced is replaced whole or not at all, and a link by a file.
        let target = if replace { neighbour(path) } else { path.to_owned() };
        let written = create(&target, mode).and_then(|mut file| {
            self.write_to(&mut file, secret)?;
            file.sync_all()?;
            if replace { std::fs::rename(&target, path) } else { Ok(()) }
        });
        match written {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                let _ = std::fs::remove_file(&target); // it was not there before
                Err(fail(error).into())
            }
            Err(error) => Err(fail(error).into()),
            Ok(()) => Ok(()),
        }
    }
}

/// A new file with this mode, whatever the umask takes away from it.
fn create(path: &Path, mode: u32) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// A name next to `path` for a file that is to take its place.
fn neighbour(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    name.into()
}

/// Where the two halves are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) public: PathBuf,
    pub(crate) secret: PathBuf,
}

impl Files {
    /// The files of a name, with or without its `.key`.
    pub(crate) fn of(name: &Path) -> Self {
        let mut public = name.as_os_str().to_owned();
        if name.extension().is_none_or(|extension| extension != "key") {
            public.push(".key");
        }
        let mut secret = public.clone();
        secret.push("_secret");
        Self { public: public.into(), secret: secret.into() }
    }
}

/// Whether others than its owner may read a file.
pub(crate) fn is_exposed(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The server's keys of zmq_curve(7).
    const PUBLIC: &str = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    const SECRET: &str = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";

    fn text(certificate: &Certificate, secret: bool) -> String {
        let mut out = Vec::new();
        let secret = certificate.secret.as_ref().filter(|_| secret);
        certificate.write_to(&mut out, secret).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_keys_of_the_manual_belong_together() {
        let parsed = Certificate::parse(&format!("curve\n    secret-key = \"{SECRET}\"\n"));
        assert_eq!(parsed.unwrap().public.to_z85(), PUBLIC);
    }

    #[test]
    fn what_is_written_is_read() {
        let metadata = [("name", "alice"), ("note", "say \"so\""), ("n", "#1 = 'one'")];
        let metadata = metadata.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let whole = Certificate::new(&KeyPair::generate().unwrap(), metadata[..2].to_vec());
        assert_eq!(Certificate::parse(&text(&whole, true)).unwrap(), whole);
        let public = Certificate::parse(&text(&whole, false)).unwrap();
        assert_eq!((public.public, &public.secret), (whole.public, &None));
        let odd = Certificate { metadata: vec![metadata[2].clone()], ..public };
        assert_eq!(Certificate::parse(&text(&odd, false)).unwrap(), odd);
    }

    #[test]
    fn other_peoples_files_are_read() {
        // As pyzmq writes them, and as czmq does: with comments, tabs and other quotes.
        let pyzmq = format!(
            "#   ****  Generated on 2026-01-01 by pyzmq  ****\n#   ZeroMQ CURVE **Secret** \
             Certificate\n\nmetadata\n    name = \"x # y\"\ncurve\n    public-key = \
             \"{PUBLIC}\"\n    secret-key = \"{SECRET}\"\n"
        );
        let parsed = Certificate::parse(&pyzmq).unwrap();
        assert_eq!(parsed.metadata, [("name".to_owned(), "x # y".to_owned())]);
        assert!(parsed.secret.is_some());
        let czmq = format!("curve\r\n\tpublic-key='{PUBLIC}'   # a comment\r\nempty\r\n");
        assert_eq!(Certificate::parse(&czmq).unwrap().public.to_z85(), PUBLIC);
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let other = KeyPair::generate().unwrap().public().to_z85();
        for text in [
            String::new(),
            "curve\n".to_owned(),
            "metadata\n    public-key = \"in the wrong section\"\n".to_owned(),
            "curve\n    public-key = \"too short\"\n".to_owned(),
            format!("curve\n    public-key = \"{}~\"\n", &PUBLIC[1..]),
            format!("curve\n    secret-key = \"{}\"\n", &SECRET[1..]),
            format!("curve\n  public-key = \"{other}\"\n  secret-key = \"{SECRET}\"\n"),
        ] {
            assert!(Certificate::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_become_files() {
        let expected = Files { public: "a/bob.key".into(), secret: "a/bob.key_secret".into() };
        assert_eq!(Files::of(Path::new("a/bob")), expected);
        assert_eq!(Files::of(Path::new("a/bob.key")), expected);
        assert_eq!(Files::of(Path::new("v1.2")).public, Path::new("v1.2.key"));
    }
}
