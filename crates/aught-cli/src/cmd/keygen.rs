//! `aught keygen`: makes CURVE keys, and writes and reads the files that hold them. How these look
//! is in `certificate`.

use std::io::Read;
use std::path::Path;

use aught::curve::{KeyPair, SecretKey};

use super::Failure;
use crate::args::KeygenArgs;
use crate::certificate::{Certificate, Files, is_exposed};
use crate::format;

pub(super) fn run(args: &KeygenArgs) -> Result<(), Failure> {
    if let Some(path) = &args.read {
        let certificate = Certificate::read(path)?;
        warn_if_exposed(path, &certificate);
        for (name, value) in &certificate.metadata {
            format::say(&format!("{name}: {}", value.escape_debug()));
        }
        print_keys(&certificate, args.show_secret);
        return Ok(());
    }
    let keys = match &args.secret {
        Some(path) => KeyPair::from_secret(read_secret(path)?),
        None => KeyPair::generate()?,
    };
    let certificate = Certificate::new(&keys, metadata(&args.metadata)?);
    match &args.name {
        Some(name) => {
            let files = Files::of(name);
            certificate.save(&files, args.force)?;
            format::say(&format!("wrote {}", files.public.display()));
            format::say(&format!("wrote {} (keep it secret)", files.secret.display()));
        }
        // Keys that are neither written nor shown would be good for nothing.
        None if args.secret.is_none() && !args.show_secret => {
            return Err("give a name for the files, or --show-secret to print new keys".into());
        }
        None => {}
    }
    print_keys(&certificate, args.show_secret);
    Ok(())
}

fn print_keys(certificate: &Certificate, show_secret: bool) {
    format::say(&format!("public-key: {}", certificate.public.to_z85()));
    match &certificate.secret {
        Some(secret) if show_secret => format::say(&format!("secret-key: {}", *secret.to_z85())),
        Some(_) => format::say("secret-key: not shown (--show-secret)"),
        None => {}
    }
}

fn warn_if_exposed(path: &Path, certificate: &Certificate) {
    if certificate.secret.is_some() && is_exposed(path) {
        let path = path.display();
        format::complain(&format!("{path} has a secret key and can be read by others: chmod 600"));
    }
}

/// A secret key out of a certificate, or alone as 40 characters; "-" is the standard input.
fn read_secret(path: &Path) -> Result<SecretKey, Failure> {
    let name = path.display();
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    }
    if let Some(secret) = SecretKey::from_z85(text.trim()) {
        return Ok(secret);
    }
    let certificate = Certificate::parse(&text).map_err(|error| format!("{name}: {error}"))?;
    certificate.secret.ok_or_else(|| format!("{name}: there is no secret key in it").into())
}

/// `NAME=VALUE`, which has to fit on a line of the file.
fn metadata(given: &[String]) -> Result<Vec<(String, String)>, Failure> {
    given
        .iter()
        .map(|text| {
            let (name, value) = text.split_once('=').ok_or("metadata is NAME=VALUE")?;
            let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
            if name.is_empty() || !name.chars().all(is_name) {
                return Err(format!("{name:?} is no name: letters, digits and -_.+").into());
            }
            let has_both = value.contains('"') && value.contains('\'');
            if has_both || value.chars().any(char::is_control) {
                return Err(format!("{name}: no control characters, one kind of quotes").into());
            }
            Ok((name.to_owned(), value.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_has_to_fit_on_a_line() {
        let read = |text: &str| metadata(&[text.to_owned()]);
        assert_eq!(read("name=a = b").unwrap(), [("name".to_owned(), "a = b".to_owned())]);
        for bad in ["name", "=x", "a b=c", "a=b\nc", "a=\"'"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
