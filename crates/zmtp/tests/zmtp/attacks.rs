//! Peers that mean harm, against PLAIN and CURVE. Tests name the advisory that they answer.

use std::time::{Duration, Instant};

use zmtp::SocketType::{Dealer, Router};
use zmtp::limits::{COOKIE_LIFETIME, MAX_HANDSHAKE_COMMAND};
use zmtp::testing::script::{command, frame, greeting, play, ready, send};
use zmtp::testing::secure::{self, CLIENT, SERVER};
use zmtp::testing::{Delivery, Event, Pair, Side};
use zmtp::{
    Config, Connection, Error, HandshakeFailure, Incompatible, Misbehaved, Received, SocketType,
};

use crate::mechanisms::MECHANISMS;

/// All secured configurations: name, whether it is the server.
fn secured() -> Vec<(&'static str, bool, Config)> {
    secured_as(Dealer, Router)
}

/// The same for these types of client and server.
fn secured_as(client: SocketType, server: SocketType) -> Vec<(&'static str, bool, Config)> {
    let mut all = Vec::new();
    for (name, configs) in &MECHANISMS[1..] {
        let (client, server) = configs(client, server);
        all.push((*name, false, client));
        all.push((*name, true, server));
    }
    all
}

/// All types that speak ZMTP, each with one that it talks to.
fn types() -> impl Iterator<Item = (SocketType, SocketType)> {
    let all = || (0..=20).filter_map(SocketType::from_code).filter(|kind| kind.is_on_wire());
    all().map(move |kind| (kind, all().find(|peer| kind.is_compatible(*peer)).expect("a peer")))
}

fn first_command(config: &Config) -> usize {
    let mut connection = Connection::new(config.clone(), Instant::now());
    let mut out = Vec::new();
    let words = greeting(3, 1, config.mechanism.name());
    connection.receive(Instant::now(), &words).unwrap();
    connection.transmit(&mut out);
    out.len()
}

/// Greetings of a peer that offers less than a mechanism: of older versions, and of version 3 with
/// other mechanisms.
fn downgraded(name: &str, peer: SocketType) -> Vec<Vec<u8>> {
    let code = u8::try_from(peer.code()).expect("a small number");
    let mut greetings = vec![
        b"\x01\0".to_vec(),
        b"\xff\0\0\0\0\0\0\0\x01\0".to_vec(),
        b"\xff\0\0\0\0\0\0\0\x01\x7f\0\x01\0".to_vec(),
    ];
    for revision in [1, 2] {
        let head = b"\xff\0\0\0\0\0\0\0\x01\x7f";
        greetings.push([&head[..], &[revision, code, 0, 0]].concat());
    }
    let other = if name == "PLAIN" { "CURVE" } else { "PLAIN" };
    for mechanism in ["NULL", other, "", "null", "GSSAPI", "CURVEX", "PLAI"] {
        for minor in [0, 1, 9] {
            greetings.push(greeting(3, minor, mechanism));
        }
    }
    greetings
}

/// CVE-2014-7202, CVE-2014-9721: a peer that greets with less than our mechanism is closed, whatever
/// the type of the socket, and no octet of what it says is taken for a message.
#[test]
fn cve_2014_7202_and_9721_downgraded_greetings_are_refused() {
    let message = frame(b"harm", false);
    let mut tried = Vec::new();
    for (kind, peer) in types() {
        tried.push(kind);
        let ready = ready(&[("Socket-Type", peer.name().as_bytes())]);
        for (name, is_server, config) in secured_as(kind, kind) {
            for words in downgraded(name, peer) {
                let words = [&words[..], &ready, &message].concat();
                for piece in [1, 7, usize::MAX] {
                    let side = play(config.clone(), piece, &[send(&words)]);
                    let what = format!("{kind:?} {name} {is_server} {words:?}");
                    let error = side.error.expect("closed");
                    let refused = matches!(
                        error,
                        Error::Incompatible(
                            Incompatible::Insecure(_) | Incompatible::Mechanism { .. }
                        )
                    );
                    assert!(refused, "{what}: {error}");
                    assert_eq!(side.events, [], "{what}");
                }
            }
        }
    }
    for code in 0..=10 {
        let stable = SocketType::from_code(code).expect("a type");
        assert!(tried.contains(&stable), "{stable:?} is left out");
    }
}

/// CVE-2014-7202: the as-server bit is flipped.
#[test]
fn cve_2014_7202_of_two_servers_one_is_refused() {
    for (name, is_server, config) in secured() {
        let mut words = greeting(3, 1, name);
        words[32] = 1;
        let side = play(config, usize::MAX, &[send(&words)]);
        let expected = is_server.then_some(Error::Incompatible(Incompatible::TwoServers));
        assert_eq!(side.error, expected, "{name}");
        let told = side.error.map(|error| error.handshake_failure());
        assert_eq!(told, is_server.then_some(HandshakeFailure::Protocol(0x1100_0002)), "{name}");
    }
}

/// Two clients, or two servers that hide it, get nowhere: neither hears what it waits for.
#[test]
fn two_sides_of_one_kind_do_not_get_together() {
    for (name, is_server, config) in secured() {
        let delivery = Delivery { corrupt: Some((32, 1)), ..Delivery::default() };
        let mut pair = Pair::with_delivery(config.clone(), config, delivery.clone(), delivery);
        pair.advance(Duration::from_secs(31));
        for side in [&pair.left, &pair.right] {
            assert!(side.error.is_some(), "{name} {is_server}");
            assert_eq!(side.events, [], "{name} {is_server}");
        }
    }
}

#[test]
fn truncated_greetings_wait_and_time_out() {
    for (name, _, config) in secured() {
        let words = greeting(3, 1, name);
        for cut in 0..words.len() {
            let mut side = play(config.clone(), 1, &[send(&words[..cut])]);
            assert_eq!((&side.error, &side.events), (&None, &vec![]));
            side.handle_timeout(side.connection.poll_timeout().unwrap());
            assert_eq!(side.error, Some(Error::HandshakeTimeout));
        }
    }
}

/// Every flipped bit of a CURVE handshake, in both directions: nothing gets through that was not
/// sent, and what follows the greeting must be exactly as it was made.
#[test]
fn every_flipped_bit_of_curve_fails_closed() {
    let greeting_len = 64;
    // HELLO and INITIATE one way; WELCOME, READY the other way; then a message each.
    for to_server in [true, false] {
        let (len, message) = wire_len(secure::curve(Dealer, Router), to_server);
        for bit in 0..len * 8 {
            let broken =
                Delivery { corrupt: Some((bit / 8, 1 << (bit % 8))), ..Delivery::default() };
            let (left, right) = secure::curve(Dealer, Router);
            let (to_left, to_right) = if to_server {
                (Delivery::default(), broken)
            } else {
                (broken, Delivery::default())
            };
            let mut pair = Pair::with_delivery(left, right, to_left, to_right);
            converse(&mut pair);
            let harmless = pair.left.error.is_none() && pair.right.error.is_none();
            let complete = pair.left.events.len() == 2 && pair.right.events.len() == 2;
            // The flag that says whether a MESSAGE is a command decides nothing.
            let undecided = bit / 8 == message && bit % 8 == 2;
            if bit / 8 >= greeting_len && !undecided {
                assert!(!complete, "bit {bit} changed nothing");
            } else if harmless && pair.left.connection.is_ready() {
                assert!(complete, "bit {bit} lost something");
            }
            for side in [&pair.left, &pair.right] {
                for event in &side.events {
                    assert!(
                        matches!(event, Event::Ready)
                            || *event == Event::Frame(b"truth".to_vec(), false),
                        "bit {bit}: {event:?}"
                    );
                }
            }
        }
    }
}

/// The same for PLAIN, which protects nothing once the handshake is over: until then, nothing gets
/// through.
#[test]
fn every_flipped_bit_of_plain_is_survived() {
    for to_server in [true, false] {
        let (len, _) = wire_len(secure::plain(Dealer, Router), to_server);
        for bit in 0..len * 8 {
            let broken =
                Delivery { corrupt: Some((bit / 8, 1 << (bit % 8))), ..Delivery::default() };
            let (left, right) = secure::plain(Dealer, Router);
            let (to_left, to_right) = if to_server {
                (Delivery::default(), broken)
            } else {
                (broken, Delivery::default())
            };
            let mut pair = Pair::with_delivery(left, right, to_left, to_right);
            converse(&mut pair);
            for side in [&pair.left, &pair.right] {
                assert!(side.events.is_empty() || side.events[0] == Event::Ready, "bit {bit}");
            }
        }
    }
}

/// Lets both sides shake hands and say the truth.
fn converse(pair: &mut Pair) {
    pair.settle();
    for left in [true, false] {
        let side = if left { &mut pair.left } else { &mut pair.right };
        if side.connection.is_ready() && side.error.is_none() {
            let octets = side.frame(b"truth", false);
            if left { pair.send_left(&octets) } else { pair.send_right(&octets) }
        }
    }
    pair.settle();
    pair.advance(Duration::from_secs(31));
}

/// How many octets the conversation has in one direction, and where its message begins.
fn wire_len((left, right): (Config, Config), to_server: bool) -> (usize, usize) {
    let (mut left, mut right) = (Side::new(left, Instant::now()), Side::new(right, Instant::now()));
    let mut carried = [0; 2];
    for _ in 0..10 {
        for forth in [true, false] {
            let (from, to) = if forth { (&mut left, &mut right) } else { (&mut right, &mut left) };
            let octets = from.transmit();
            carried[usize::from(forth)] += octets.len();
            to.receive(Instant::now(), &octets);
        }
    }
    let side = if to_server { &mut left } else { &mut right };
    let message = carried[usize::from(to_server)];
    (message + side.frame(b"truth", false).len(), message)
}

/// CVE-2014-7203: a message that is sent again, or out of order, ends the connection; the
/// application sees each at most once.
#[test]
fn cve_2014_7203_replayed_and_reordered_messages_end_the_connection() {
    let orders: [(&[usize], usize); 5] =
        [(&[0, 0], 1), (&[0, 1, 0], 2), (&[1, 0], 1), (&[0, 2, 1], 2), (&[2, 2], 1)];
    for large in [false, true] {
        for forth in [true, false] {
            for (order, seen) in orders {
                let (left, right) = secure::curve(Dealer, Router);
                let mut pair = Pair::new(left, right);
                pair.settle();
                let len = if large { 20_000 } else { 10 };
                let from = if forth { &mut pair.left } else { &mut pair.right };
                let sealed: Vec<_> = (0..3_u8).map(|i| from.frame(&vec![i; len], false)).collect();
                for &turn in order {
                    if forth {
                        pair.send_left(&sealed[turn]);
                    } else {
                        pair.send_right(&sealed[turn]);
                    }
                    pair.settle();
                }
                let to = if forth { &pair.right } else { &pair.left };
                assert_eq!(to.error, Some(Misbehaved::Nonce.into()), "{order:?}");
                assert_eq!(to.events.len(), 1 + seen, "{order:?}");
            }
        }
    }
    let failure = Error::from(Misbehaved::Nonce).handshake_failure();
    assert_eq!(failure, HandshakeFailure::Protocol(0x1000_0002));
}

/// A nonce may jump, as RFC 26 only asks for growth, and after the last one nothing is accepted.
#[test]
fn messages_of_one_direction_are_not_accepted_in_the_other() {
    let (left, right) = secure::curve(Dealer, Router);
    let mut pair = Pair::new(left, right);
    pair.settle();
    // The server's own words come back to it, the second ones, whose nonce would do.
    drop(pair.right.frame(b"mine", false));
    let octets = pair.right.frame(b"mine", false);
    pair.right.receive(pair.now, &octets);
    assert_eq!(pair.right.error, Some(Misbehaved::Box.into()));
}

#[test]
fn messages_of_another_connection_are_not_accepted() {
    let (left, right) = secure::curve(Dealer, Router);
    let mut one = Pair::new(left, right);
    one.settle();
    let (left, mut right) = secure::curve(Dealer, Router);
    right.random = secure::predictable(77);
    let mut two = Pair::new(left, right);
    two.settle();
    let octets = one.left.frame(b"elsewhere", false);
    two.send_left(&octets);
    two.settle();
    assert_eq!(two.right.error, Some(Misbehaved::Box.into()));
    assert_eq!(two.right.events, [Event::Ready]);
}

/// After CURVE's handshake, everything is sealed or ends the connection.
#[test]
fn plain_frames_do_not_pass_for_sealed_ones() {
    let big = frame(&[0; 30_000], false);
    for octets in [
        frame(b"harm", false),
        frame(b"", false),
        frame(b"harm", true),
        command("PING", b"\0\0"),
        command("SUBSCRIBE", b""),
        command("MESSAGE", &[0; 24]),
        command("MESSAGE", &[0; 25]),
        command("MESSAGE", b""),
        frame(b"\x07MESSAGE", true),
        big,
    ] {
        let (left, right) = secure::curve(Dealer, Router);
        let mut pair = Pair::new(left, right);
        pair.settle();
        pair.send_left(&octets);
        pair.settle();
        assert!(pair.right.error.is_some(), "{octets:?}");
        assert_eq!(pair.right.events, [Event::Ready], "{octets:?}");
        assert_eq!(pair.right.transmit(), b"", "{octets:?} is not answered");
    }
}

/// Some implementations repeat MORE outside of the box. It counts for nothing there, and may not
/// contradict what is in the box.
#[test]
fn more_outside_of_the_box_may_only_repeat_what_is_in_it() {
    for (len, inside, passes) in
        [(5, true, true), (5, false, false), (100_000, true, true), (100_000, false, false)]
    {
        let (left, right) = secure::curve(Dealer, Router);
        let mut pair = Pair::new(left, right);
        pair.settle();
        let mut octets = Vec::new();
        pair.left.connection.seal(&vec![7; len], inside, &mut octets);
        octets[0] |= 1;
        pair.send_left(&octets);
        pair.settle();
        assert_eq!(pair.right.error.is_none(), passes, "{len} {inside}");
        assert_eq!(pair.right.events.len(), if passes { 2 } else { 1 }, "{len} {inside}");
    }
}

/// No octet reaches the application before the handshake is over, whatever the order of things.
#[test]
fn nothing_reaches_the_application_before_authentication() {
    for (name, is_server, config) in secured() {
        let early: [Vec<u8>; 8] = [
            frame(b"harm", false),
            frame(&[0; 100_000], false),
            command("READY", b""),
            command("SUBSCRIBE", b""),
            command("PING", b"\0\0"),
            command("MESSAGE", &[0; 60]),
            ready(&[("Socket-Type", b"DEALER")]),
            command("INITIATE", &[0; 300]),
        ];
        for words in early {
            for piece in [1, usize::MAX] {
                let all = [greeting(3, 1, name), words.clone(), frame(b"more", false)].concat();
                let side = play(config.clone(), piece, &[send(&all)]);
                assert!(side.error.is_some(), "{name} {is_server} {:?}", &words[..10]);
                assert_eq!(side.events, [], "{name} {is_server}");
            }
        }
    }
}

/// CVE-2019-13132: however much metadata a client has, a server takes 64 KiB of it or nothing.
#[test]
fn cve_2019_13132_metadata_beyond_the_cap_is_refused() {
    for (name, configs) in &MECHANISMS[1..] {
        for len in [0, 1, 255, 256, 1000, 60_000, 65_536, 100_000, 1 << 20] {
            let (mut client, server) = configs(Dealer, Router);
            client.metadata.push(("X-much".into(), vec![1; len]));
            let mut pair = Pair::new(client, server);
            pair.settle();
            let fits = len <= 60_000;
            assert_eq!(pair.right.connection.is_ready(), fits, "{name} {len}");
            if !fits {
                assert!(
                    matches!(
                        pair.right.error,
                        Some(Error::Misbehaved(Misbehaved::CommandTooLarge { .. }))
                    ),
                    "{name} {len}: {:?}",
                    pair.right.error
                );
            }
        }
    }
}

/// What a peer that has proved nothing can make us hold.
#[test]
fn memory_before_authentication_is_bounded() {
    for (name, is_server, config) in secured() {
        let cap = match (name, is_server) {
            ("CURVE", true) => 200,
            ("PLAIN", true) => 6 + 2 * 256,
            _ => MAX_HANDSHAKE_COMMAND,
        };
        for claim in [cap + 1, 1 << 31, 1 << 32, (1 << 63) - 1] {
            let header = [&[6][..], &claim.to_be_bytes(), b"\x05HELLO"].concat();
            let words = [greeting(3, 1, name), header].concat();
            let side = play(config.clone(), 1, &[send(&words)]);
            let refused = if is_server {
                Misbehaved::HelloTooLarge { len: claim, limit: cap }
            } else {
                Misbehaved::CommandTooLarge { len: claim, limit: cap }
            };
            assert_eq!(side.error, Some(refused.into()), "{name} {is_server}");
        }
        let header = [&[6][..], &cap.to_be_bytes()].concat();
        let words = [greeting(3, 1, name), header].concat();
        let side = play(config.clone(), 1, &[send(&words)]);
        assert_eq!(side.error, None, "{name} {is_server}");
        assert!(side.connection.wanted() as u64 <= cap + 9);
        assert!(first_command(&config) < 512, "our own first words are small as well");
    }
}

/// CVE-2019-6250: lengths near the edges of integers, in sealed traffic.
#[test]
fn cve_2019_6250_claimed_lengths_of_sealed_frames_are_only_claims() {
    for claim in [1_u64 << 31, 1 << 32, (1 << 63) - 1, (1 << 63) - 40] {
        let (left, right) = secure::curve(Dealer, Router);
        let mut pair = Pair::new(left, right);
        pair.settle();
        let octets = [&[2][..], &claim.to_be_bytes(), b"\x07MESSAGE"].concat();
        for cut in 1..octets.len() {
            let received = pair.right.connection.receive(pair.now, &octets[..cut]).unwrap();
            if cut < 9 {
                assert_eq!(received, (0, None), "{cut}");
            } else {
                assert_eq!(
                    received,
                    (cut, Some(Received::Sealed { head: &octets[9..cut], len: claim }))
                );
                break;
            }
        }
    }
    for claim in [1_u64 << 63, u64::MAX, u64::MAX - 39] {
        let (left, right) = secure::curve(Dealer, Router);
        let mut pair = Pair::new(left, right);
        pair.settle();
        let octets = [&[2][..], &claim.to_be_bytes()].concat();
        pair.send_left(&octets);
        pair.settle();
        assert!(matches!(pair.right.error, Some(Error::Misbehaved(Misbehaved::Frame(_)))));
    }
}

/// RFC 26: the cookie key is discarded "after a short interval, for example 60 seconds", also when
/// the handshake may take for ever.
#[test]
fn a_cookie_is_good_for_a_minute() {
    for (limit, ends) in [
        (None, COOKIE_LIFETIME),
        (Some(Duration::from_secs(600)), COOKIE_LIFETIME),
        (Some(Duration::from_secs(10)), Duration::from_secs(10)),
    ] {
        let (client, mut server) = secure::curve(Dealer, Router);
        server.handshake_timeout = limit;
        // HELLO arrives, and INITIATE never does.
        let lost = Delivery { cut_after: Some(64 + 202), ..Delivery::default() };
        let mut pair = Pair::with_delivery(client, server, Delivery::default(), lost);
        pair.settle();
        pair.advance(ends - Duration::from_millis(1));
        assert_eq!(pair.right.error, None, "{limit:?}");
        pair.advance(Duration::from_millis(1));
        assert_eq!(pair.right.error, Some(Error::HandshakeTimeout), "{limit:?}");
    }
}

/// One cookie, one INITIATE: the second is no part of the protocol.
#[test]
fn a_cookie_is_good_for_one_initiate() {
    let (client, server) = secure::curve(Dealer, Router);
    let now = Instant::now();
    let (mut client, mut server) = (Side::new(client, now), Side::new(server, now));
    let mut last = Vec::new();
    for _ in 0..3 {
        last = client.transmit();
        server.receive(now, &last);
        client.receive(now, &server.transmit());
    }
    for _ in 0..2 {
        let words = client.transmit();
        if !words.is_empty() {
            last = words;
        }
        server.receive(now, &last);
        client.receive(now, &server.transmit());
    }
    assert!(server.events.first() == Some(&Event::Ready));
    server.receive(now, &last);
    assert!(server.error.is_some(), "an INITIATE is no MESSAGE");
    assert_eq!(server.events, [Event::Ready]);
}

#[test]
fn the_wrong_server_key_ends_the_handshake_at_hello() {
    let (mut client, server) = secure::curve(Dealer, Router);
    client.mechanism = zmtp::MechanismConfig::CurveClient {
        keys: secure::keys(CLIENT),
        server: *secure::keys(SERVER + 1).public(),
    };
    let mut pair = Pair::new(client, server);
    pair.settle();
    let error = pair.right.error.clone().unwrap();
    assert_eq!(error, Misbehaved::Box.into());
    assert_eq!(error.handshake_failure(), HandshakeFailure::Protocol(0x1100_0001));
    assert!(!pair.left.connection.is_ready());
}

/// What libzmq 4.3.4 sends in place of ERROR under PLAIN.
#[test]
fn the_misspelt_error_of_libzmq_is_understood() {
    let (client, server) = secure::plain(Dealer, Router);
    let words = [greeting(3, 1, "PLAIN"), b"\x04\x09^RROR\x03400".to_vec()].concat();
    let side = play(client, 1, &[send(&words)]);
    let error = side.error.unwrap();
    assert_eq!(error.handshake_failure(), HandshakeFailure::Auth(400));
    // From a client it is nothing at all.
    let side = play(server, 1, &[send(&words)]);
    assert_eq!(side.error, Some(Misbehaved::NamelessCommand.into()));
}

/// Names and passwords of every length are taken as they are, and every other layout is refused.
#[test]
fn plain_hello_is_read_to_the_octet() {
    let (_, server) = secure::plain(Dealer, Router);
    let hello = |data: &[u8]| {
        let words = [greeting(3, 1, "PLAIN"), command("HELLO", data)].concat();
        play(server.clone(), usize::MAX, &[send(&words)]).error
    };
    let long = [&[255][..], &[1; 255], &[255], &[2; 255]].concat();
    for good in [&b"\0\0"[..], b"\x01a\0", b"\0\x01b", &long] {
        assert_eq!(hello(good), None, "{good:?}");
    }
    let refused = Some(Error::from(Misbehaved::Command("HELLO")));
    for bad in [&b""[..], b"\0", b"\x02a", b"\x01a\x02b", b"\x01a\x01bc", b"\xffa\0", &long[1..]] {
        let error = hello(bad);
        assert!(error == refused, "{bad:?}: {error:?}");
    }
}

/// Nothing that a program might log has a secret in it.
#[test]
fn secrets_are_never_printed() {
    for (name, configs) in &MECHANISMS[1..] {
        let (left, mut right) = configs(Dealer, Router);
        right.authenticate = true;
        let mut pair = Pair::new(left, right);
        pair.right.verdict = None;
        let mut seen = format!("{pair:?}");
        pair.settle();
        seen += &format!("{pair:?} {:?}", pair.right.connection.credentials());
        pair.right.authorize(pair.now, zmtp::Verdict::Accept);
        pair.settle();
        seen += &format!("{pair:?}");
        let secrets = [
            secure::keys(CLIENT).secret().to_z85().to_string(),
            secure::keys(SERVER).secret().to_z85().to_string(),
            format!("{:?}", [CLIENT; 32]),
            format!("{:?}", [SERVER; 32]),
            String::from("secret\""),
            format!("{:?}", b"secret"),
        ];
        for secret in secrets {
            assert!(!seen.contains(&secret), "{name} shows {secret}");
        }
    }
}
