//! An authenticator that goes by lists: addresses, names with passwords, keys.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;

use zmtp::curve::PublicKey;

use super::authenticator::{AuthRequest, AuthVerdict, Authenticator, Credentials, is_same_secret};

/// Decides by lists of users, keys and addresses. Whoever is on none of them is denied: without
/// any, nobody is let in.
///
/// The lists are fixed when the rules are given to a socket or context; giving it others replaces
/// them, for the connections that come then.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use aught::curve::KeyPair;
/// use aught::{AuthRules, Context};
///
/// let (server_keys, client_keys) = (KeyPair::generate()?, KeyPair::generate()?);
///
/// let context = Context::new()?;
/// let server = context.pull()?;
/// server.as_socket().set_curve_server(&server_keys)?;
/// server.as_socket().set_authenticator(AuthRules::new().key(*client_keys.public(), "joe"));
/// server.bind("tcp://127.0.0.1:*")?;
///
/// let client = context.push()?;
/// client.as_socket().set_curve_client(&client_keys, server_keys.public())?;
/// client.connect(&server.last_endpoint()?)?;
/// client.send("for your eyes only")?;
/// assert_eq!(server.recv()?, "for your eyes only");
/// assert_eq!(server.as_socket().auth_counts().accepted, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct AuthRules {
    users: HashMap<Vec<u8>, Vec<u8>>,
    keys: HashMap<PublicKey, String>,
    any_key: bool,
    anonymous: bool,
    addresses: Option<HashSet<IpAddr>>,
    denied: HashSet<IpAddr>,
}

impl AuthRules {
    /// Rules that let nobody in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets in whoever shows this name and password (PLAIN). The name is the user id.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.insert(name.as_bytes().to_vec(), password.as_bytes().to_vec());
        self
    }

    /// Lets in whoever has this key (CURVE), as `user_id`.
    #[must_use]
    pub fn key(mut self, public_key: PublicKey, user_id: &str) -> Self {
        self.keys.insert(public_key, user_id.to_owned());
        self
    }

    /// Lets in every CURVE client, whatever its key: what travels is encrypted, and anybody who
    /// knows the server's key can come. The user id of a key that is not on the list is the key
    /// itself, in Z85.
    #[must_use]
    pub fn any_key(mut self) -> Self {
        self.any_key = true;
        self
    }

    /// Lets in peers that show nothing (NULL), with an empty user id. Useful with addresses.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// Turns away everybody whose address is not on the list that this call adds to, whatever
    /// else they show. Peers over `ipc` have no address and are turned away, too.
    #[must_use]
    pub fn only_from(mut self, address: impl Into<IpAddr>) -> Self {
        self.addresses.get_or_insert_default().insert(address.into().to_canonical());
        self
    }

    /// Turns away everybody with this address, whatever else they show.
    #[must_use]
    pub fn not_from(mut self, address: impl Into<IpAddr>) -> Self {
        self.denied.insert(address.into().to_canonical());
        self
    }

    fn admits_address(&self, address: Option<IpAddr>) -> bool {
        let address = address.map(|address| address.to_canonical());
        let is_in = |list: &HashSet<IpAddr>| address.is_some_and(|address| list.contains(&address));
        !is_in(&self.denied) && self.addresses.as_ref().is_none_or(is_in)
    }

    fn admits_user(&self, name: &[u8], password: &[u8]) -> bool {
        let expected = self.users.get(name);
        // A name that is not known takes as long as one that is.
        let same = is_same_secret(expected.map_or(password, Vec::as_slice), password);
        expected.is_some() && same
    }
}

impl Authenticator for AuthRules {
    fn authenticate(&self, request: &AuthRequest<'_>) -> AuthVerdict {
        if !self.admits_address(request.address) {
            return AuthVerdict::deny();
        }
        match request.credentials {
            Credentials::Null if self.anonymous => AuthVerdict::accept(""),
            Credentials::Plain { username, password } if self.admits_user(username, password) => {
                AuthVerdict::accept(&String::from_utf8_lossy(username))
            }
            Credentials::Curve { public_key } => match self.keys.get(&public_key) {
                Some(user_id) => AuthVerdict::accept(user_id),
                None if self.any_key => AuthVerdict::accept(&public_key.to_z85()),
                None => AuthVerdict::deny(),
            },
            _ => AuthVerdict::deny(),
        }
    }
}

impl fmt::Debug for AuthRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthRules")
            .field("users", &self.users.len())
            .field("keys", &self.keys.len())
            .field("any_key", &self.any_key)
            .field("anonymous", &self.anonymous)
            .field("addresses", &self.addresses)
            .field("denied", &self.denied)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn ask(rules: &AuthRules, credentials: Credentials<'_>, address: Option<IpAddr>) -> bool {
        let request = AuthRequest { credentials, address, domain: b"" };
        rules.authenticate(&request).is_accepted()
    }

    fn plain<'a>(username: &'a str, password: &'a str) -> Credentials<'a> {
        Credentials::Plain { username: username.as_bytes(), password: password.as_bytes() }
    }

    #[test]
    fn rules_without_a_list_let_nobody_in() {
        let rules = AuthRules::new();
        let public_key = PublicKey::new([1; 32]);
        for credentials in [Credentials::Null, plain("", ""), Credentials::Curve { public_key }] {
            assert!(!ask(&rules, credentials, Some(HERE)), "{credentials:?}");
        }
    }

    #[test]
    fn a_list_of_one_mechanism_is_none_of_another() {
        let public_key = PublicKey::new([1; 32]);
        let curve = Credentials::Curve { public_key };
        let rules = AuthRules::new().user("joe", "secret");
        assert!(ask(&rules, plain("joe", "secret"), None));
        for (name, password) in [("joe", ""), ("joe", "secre"), ("", "secret"), ("jo", "secret")] {
            assert!(!ask(&rules, plain(name, password), None), "{name} {password}");
        }
        assert!(!ask(&rules, Credentials::Null, None) && !ask(&rules, curve, None));
        let rules = AuthRules::new().key(public_key, "joe");
        assert!(ask(&rules, curve, None));
        let other = Credentials::Curve { public_key: PublicKey::new([2; 32]) };
        assert!(!ask(&rules, other, None) && !ask(&rules, plain("joe", ""), None));
        assert!(ask(&rules.any_key(), other, None));
        let rules = AuthRules::new().anonymous();
        assert!(ask(&rules, Credentials::Null, None) && !ask(&rules, plain("", ""), None));
    }

    #[test]
    fn addresses_come_before_everything_else() {
        let other = IpAddr::from([10, 0, 0, 1]);
        let mapped = IpAddr::from(std::net::Ipv4Addr::LOCALHOST.to_ipv6_mapped());
        let only = AuthRules::new().anonymous().only_from(HERE);
        assert!(ask(&only, Credentials::Null, Some(HERE)));
        assert!(ask(&only, Credentials::Null, Some(mapped)));
        assert!(!ask(&only, Credentials::Null, Some(other)));
        assert!(!ask(&only, Credentials::Null, None));
        let not = AuthRules::new().anonymous().not_from(HERE);
        assert!(!ask(&not, Credentials::Null, Some(mapped)));
        assert!(ask(&not, Credentials::Null, Some(other)) && ask(&not, Credentials::Null, None));
    }

    #[test]
    fn rules_are_printed_without_their_secrets() {
        let printed = format!("{:?}", AuthRules::new().user("joe", "sesame"));
        assert!(!printed.contains("sesame"), "{printed}");
    }
}
