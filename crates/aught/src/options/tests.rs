//! The table against what `zmq.h` names, and the defaults, sizes and ranges that libzmq 4.3.4
//! shows.

use std::collections::BTreeMap;

use super::table::{TABLE, find};
use super::*;

const TYPES: i32 = 12;

fn kind(code: i32) -> SocketType {
    SocketType::from_code(code).expect("a type")
}

fn get(options: &Options, option: i32, size: usize) -> Result<Vec<u8>, OptionError> {
    let mut out = vec![0; size];
    let written = options.get(option, &mut out)?;
    out.truncate(written);
    Ok(out)
}

fn get_int(options: &Options, option: i32) -> i32 {
    let bytes = get(options, option, 4).expect("readable");
    i32::from_ne_bytes(bytes.try_into().expect("an int"))
}

/// `zmq.h`'s socket options by number, stable ones first.
const NAMES: &str = "\
4 AFFINITY 5 ROUTING_ID 6 SUBSCRIBE 7 UNSUBSCRIBE 8 RATE 9 RECOVERY_IVL 11 SNDBUF 12 RCVBUF \
13 RCVMORE 14 FD 15 EVENTS 16 TYPE 17 LINGER 18 RECONNECT_IVL 19 BACKLOG 21 RECONNECT_IVL_MAX \
22 MAXMSGSIZE 23 SNDHWM 24 RCVHWM 25 MULTICAST_HOPS 27 RCVTIMEO 28 SNDTIMEO 31 IPV4ONLY \
32 LAST_ENDPOINT 33 ROUTER_MANDATORY 34 TCP_KEEPALIVE 35 TCP_KEEPALIVE_CNT \
36 TCP_KEEPALIVE_IDLE 37 TCP_KEEPALIVE_INTVL 38 TCP_ACCEPT_FILTER 39 IMMEDIATE \
40 XPUB_VERBOSE 41 ROUTER_RAW 42 IPV6 43 MECHANISM 44 PLAIN_SERVER 45 PLAIN_USERNAME \
46 PLAIN_PASSWORD 47 CURVE_SERVER 48 CURVE_PUBLICKEY 49 CURVE_SECRETKEY 50 CURVE_SERVERKEY \
51 PROBE_ROUTER 52 REQ_CORRELATE 53 REQ_RELAXED 54 CONFLATE 55 ZAP_DOMAIN 56 ROUTER_HANDOVER \
57 TOS 58 IPC_FILTER_PID 59 IPC_FILTER_UID 60 IPC_FILTER_GID 61 CONNECT_ROUTING_ID \
62 GSSAPI_SERVER 63 GSSAPI_PRINCIPAL 64 GSSAPI_SERVICE_PRINCIPAL 65 GSSAPI_PLAINTEXT \
66 HANDSHAKE_IVL 68 SOCKS_PROXY 69 XPUB_NODROP 71 XPUB_MANUAL 72 XPUB_WELCOME_MSG \
73 STREAM_NOTIFY 74 INVERT_MATCHING 75 HEARTBEAT_IVL 76 HEARTBEAT_TTL 77 HEARTBEAT_TIMEOUT \
78 XPUB_VERBOSER 79 CONNECT_TIMEOUT 80 TCP_MAXRT 81 THREAD_SAFE 84 MULTICAST_MAXTPDU \
85 VMCI_BUFFER_SIZE 86 VMCI_BUFFER_MIN_SIZE 87 VMCI_BUFFER_MAX_SIZE 88 VMCI_CONNECT_TIMEOUT \
89 USE_FD 90 GSSAPI_PRINCIPAL_NAMETYPE 91 GSSAPI_SERVICE_PRINCIPAL_NAMETYPE 92 BINDTODEVICE";

const DRAFT_NAMES: &str = "\
93 ZAP_ENFORCE_DOMAIN 94 LOOPBACK_FASTPATH 95 METADATA 96 MULTICAST_LOOP 97 ROUTER_NOTIFY \
98 XPUB_MANUAL_LAST_VALUE 99 SOCKS_USERNAME 100 SOCKS_PASSWORD 101 IN_BATCH_SIZE \
102 OUT_BATCH_SIZE 103 WSS_KEY_PEM 104 WSS_CERT_PEM 105 WSS_TRUST_PEM 106 WSS_HOSTNAME \
107 WSS_TRUST_SYSTEM 108 ONLY_FIRST_SUBSCRIBE 109 RECONNECT_STOP 110 HELLO_MSG \
111 DISCONNECT_MSG 112 PRIORITY 113 BUSY_POLL 114 HICCUP_MSG 115 XSUB_VERBOSE_UNSUBSCRIBE \
116 TOPICS_COUNT 117 NORM_MODE 118 NORM_UNICAST_NACK 119 NORM_BUFFER_SIZE \
120 NORM_SEGMENT_SIZE 121 NORM_BLOCK_SIZE 122 NORM_NUM_PARITY 123 NORM_NUM_AUTOPARITY \
124 NORM_PUSH";

fn named(list: &str, draft: bool) -> Vec<(i32, String, bool)> {
    let words: Vec<_> = list.split(' ').collect();
    let pair = |pair: &[&str]| (pair[0].parse().expect(pair[0]), format!("ZMQ_{}", pair[1]), draft);
    words.chunks(2).map(pair).collect()
}

#[test]
fn the_table_has_every_option_of_the_header() {
    let mut expected = named(NAMES, false);
    expected.extend(named(DRAFT_NAMES, true));
    let table: Vec<_> =
        TABLE.iter().map(|row| (row.number, row.name.to_owned(), row.draft)).collect();
    assert_eq!(table, expected);
    assert!(TABLE.iter().all(|row| find(row.number).is_some_and(|found| found.name == row.name)));
}

/// What each readable option is on a fresh socket.
#[test]
fn sockets_begin_with_the_defaults_of_the_table() {
    for code in 0..TYPES {
        let options = Options::new(kind(code));
        for row in TABLE {
            if row.access == Access::Write || !row.is_for(kind(code)) {
                assert!(get(&options, row.number, 256).is_err(), "{}", row.name);
                continue;
            }
            let expected = match row.built {
                Built::No(reason) => {
                    assert_eq!(
                        get(&options, row.number, 4),
                        Err(OptionError::Unsupported(reason)),
                        "{}",
                        row.name
                    );
                    continue;
                }
                _ => row.kind,
            };
            let default = match expected {
                Kind::Int { default, .. } if row.number == numbers::LINGER => {
                    if matches!(code, 2 | 10) { 0 } else { default }
                }
                Kind::Int { default, .. } => default,
                Kind::Switch { default } | Kind::Truth { default } => i32::from(default),
                Kind::Mask { .. } => {
                    assert_eq!(get(&options, row.number, 8), Ok(vec![0; 8]), "{}", row.name);
                    continue;
                }
                Kind::Limit { .. } => {
                    assert_eq!(get(&options, row.number, 8), Ok(vec![0xff; 8]), "{}", row.name);
                    continue;
                }
                Kind::Text { .. } => {
                    assert_eq!(get(&options, row.number, 1), Ok(vec![0]), "{}", row.name);
                    continue;
                }
                Kind::Binary { .. } => {
                    assert_eq!(get(&options, row.number, 0), Ok(vec![]), "{}", row.name);
                    continue;
                }
                Kind::Key => {
                    assert_eq!(get(&options, row.number, 32), Ok(vec![0; 32]), "{}", row.name);
                    continue;
                }
                _ => continue,
            };
            assert_eq!(get_int(&options, row.number), default, "{}", row.name);
        }
    }
}

/// Every option that takes an `int` takes its range and nothing else, in four bytes and no
/// others, and gives back what it took.
#[test]
fn numbers_are_checked_against_their_ranges() {
    let probes = [i32::MIN, -100, -99, -2, -1, 0, 1, 2, 3, 4, 100, 6_553_599, 6_553_600, i32::MAX];
    for row in TABLE {
        let Some(code) = (0..TYPES).find(|code| row.is_for(kind(*code))) else {
            continue;
        };
        if row.access == Access::Read || !matches!(row.built, Built::Yes | Built::Stored(_)) {
            continue;
        }
        for probe in probes {
            let wanted = match row.kind {
                Kind::Int { min, max, .. } => (min..=max).contains(&probe),
                Kind::Switch { .. } => probe == 0 || probe == 1,
                Kind::Truth { .. } => true,
                Kind::Flag { .. } => probe >= 0,
                _ => continue,
            };
            let mut options = Options::new(kind(code));
            let result = options.set(row.number, &probe.to_ne_bytes());
            assert_eq!(result.is_ok(), wanted, "{} = {probe}: {result:?}", row.name);
            if !wanted || row.access == Access::Write {
                continue;
            }
            let expected = match (row.number, row.kind) {
                (numbers::HEARTBEAT_TTL, _) => probe.max(0) / 100 * 100,
                (_, Kind::Truth { .. }) => i32::from(probe != 0),
                _ => probe,
            };
            assert_eq!(get_int(&options, row.number), expected, "{} = {probe}", row.name);
        }
        if matches!(row.kind, Kind::Int { .. } | Kind::Switch { .. } | Kind::Flag { .. }) {
            let mut options = Options::new(kind(code));
            for size in [0, 1, 2, 3, 5, 8, 64] {
                let result = options.set(row.number, &vec![1; size]);
                assert_eq!(result, Err(OptionError::WrongSize), "{} in {size}", row.name);
            }
        }
    }
}

#[test]
fn options_of_other_types_are_refused() {
    let types = |number: i32| -> Vec<i32> {
        let one = 1_i32.to_ne_bytes();
        (0..TYPES).filter(|code| Options::new(kind(*code)).set(number, &one).is_ok()).collect()
    };
    let expected = BTreeMap::from([
        (numbers::SUBSCRIBE, vec![1, 2, 9]),
        (numbers::ROUTER_MANDATORY, vec![4, 6]),
        (numbers::ROUTER_RAW, vec![6]),
        (numbers::ROUTER_HANDOVER, vec![4, 6]),
        (numbers::CONNECT_ROUTING_ID, vec![4, 6, 11]),
        (numbers::PROBE_ROUTER, vec![3, 4, 5, 6]),
        (numbers::REQ_CORRELATE, vec![3]),
        (numbers::REQ_RELAXED, vec![3]),
        (numbers::XPUB_VERBOSE, vec![1, 9]),
        (numbers::XPUB_NODROP, vec![1, 9]),
        (numbers::XPUB_WELCOME_MSG, vec![1, 9]),
        (numbers::STREAM_NOTIFY, vec![11]),
        (numbers::LINGER, (0..TYPES).collect()),
        (numbers::TYPE, vec![]),
        (numbers::BLOCKY, vec![]),
    ]);
    for (number, codes) in expected {
        assert_eq!(types(number), codes, "{number}");
    }
}

#[test]
fn changes_say_what_they_ask_of_the_socket() {
    let mut options = Options::new(SocketType::Sub);
    let int = |value: i32| value.to_ne_bytes();
    assert_eq!(options.set(numbers::SNDHWM, &int(5)), Ok(Effect::Marks));
    assert_eq!(options.set(numbers::LINGER, &int(5)), Ok(Effect::Linger));
    assert_eq!(options.set(numbers::ROUTING_ID, b"me"), Ok(Effect::RoutingId));
    assert_eq!(options.set(numbers::RCVTIMEO, &int(5)), Ok(Effect::Nothing));
    let subscribe = Effect::Pattern(PatternOption::Subscribe(b"a".to_vec()));
    assert_eq!(options.set(numbers::SUBSCRIBE, b"a"), Ok(subscribe));
    let all = Effect::Pattern(PatternOption::Subscribe(Vec::new()));
    assert_eq!(options.set(numbers::SUBSCRIBE, b""), Ok(all));
    let invert = Effect::Pattern(PatternOption::InvertMatching(true));
    assert_eq!(options.set(numbers::INVERT_MATCHING, &int(7)), Ok(invert));
    let mut router = Options::new(SocketType::Router);
    assert_eq!(router.set(numbers::INVERT_MATCHING, &int(1)), Ok(Effect::Nothing));
}

#[test]
fn strings_and_bytes_keep_their_limits() {
    let mut options = Options::new(SocketType::Dealer);
    assert!(options.set(numbers::ROUTING_ID, b"").is_err());
    assert!(options.set(numbers::ROUTING_ID, &[7; 256]).is_err());
    assert!(options.set(numbers::ROUTING_ID, b"\0abc").is_ok());
    assert_eq!(get(&options, numbers::ROUTING_ID, 100), Ok(b"\0abc".to_vec()));
    assert_eq!(get(&options, numbers::ROUTING_ID, 3), Err(OptionError::WrongSize));

    assert!(options.set(numbers::BINDTODEVICE, &[b'x'; 17]).is_err());
    assert!(options.set(numbers::BINDTODEVICE, b"eth0\0").is_ok());
    assert_eq!(get(&options, numbers::BINDTODEVICE, 6), Ok(b"eth0\0\0".to_vec()));
    assert_eq!(get(&options, numbers::BINDTODEVICE, 5), Err(OptionError::WrongSize));
    assert!(options.set(numbers::BINDTODEVICE, b"").is_ok());
    assert_eq!(options.bindtodevice, b"");

    assert!(options.set(numbers::SOCKS_PROXY, b"127.0.0.1:1080").is_ok());
    assert_eq!(get(&options, numbers::SOCKS_PROXY, 99), Ok(b"127.0.0.1:1080\0".to_vec()));
    assert!(options.set(numbers::SOCKS_USERNAME, &[b'x'; 256]).is_err());
    assert!(options.set(numbers::SOCKS_PROXY, b"").is_ok());
    assert_eq!(get(&options, numbers::SOCKS_PROXY, 9), Ok(vec![0]));
}

/// Keys and the server's flag can be set in any order, and nothing forgets a key.
#[test]
fn security_is_set_in_any_order() {
    use zmtp::MechanismConfig;
    use zmtp::curve::KeyPair;

    let keys = KeyPair::generate().expect("keys");
    let on = 1_i32.to_ne_bytes();
    let flag = |options: &mut Options| options.set(numbers::CURVE_SERVER, &on);
    let key =
        |options: &mut Options| options.set(numbers::CURVE_SECRETKEY, keys.secret().as_bytes());
    type Step<'a> = &'a dyn Fn(&mut Options) -> Result<Effect, OptionError>;
    let orders: [[Step<'_>; 2]; 2] = [[&flag, &key], [&key, &flag]];
    for order in orders {
        let mut options = Options::new(SocketType::Dealer);
        for set in order {
            assert_eq!(set(&mut options), Ok(Effect::Nothing));
        }
        let expected = MechanismConfig::CurveServer { keys: keys.clone() };
        assert_eq!(options.security.mechanism(), expected);
        assert_eq!(get_int(&options, numbers::MECHANISM), 2);
        assert_eq!(
            options.set(numbers::CURVE_SECRETKEY, &[b'~'; 40]),
            Err(OptionError::OutOfRange)
        );
        assert_eq!(options.security.mechanism(), expected);
    }
}

#[test]
fn secrets_are_not_printed() {
    let mut options = Options::new(SocketType::Dealer);
    assert!(options.set(numbers::PLAIN_PASSWORD, b"sesame").is_ok());
    assert!(options.set(numbers::CURVE_SECRETKEY, &[77; 32]).is_ok());
    let printed = format!("{options:?}");
    assert!(!printed.contains("sesame") && !printed.contains("77"), "{printed}");
}

/// Who asks a handler, and insists: by mechanism, domain and `ZMQ_ZAP_ENFORCE_DOMAIN`.
#[test]
fn who_asks_follows_the_reference() {
    let (off, on) = (0_i32.to_ne_bytes(), 1_i32.to_ne_bytes());
    let asks = |server: Option<i32>, domain: bool, enforce: bool| {
        let mut options = Options::new(SocketType::Dealer);
        if let Some(server) = server {
            assert!(options.set(server, &on).is_ok());
        }
        if domain {
            assert!(options.set(numbers::ZAP_DOMAIN, b"d").is_ok());
        }
        let enforce = if enforce { &on } else { &off };
        assert!(options.set(numbers::ZAP_ENFORCE_DOMAIN, enforce).is_ok());
        options.security.asks()
    };
    for enforce in [false, true] {
        assert_eq!(asks(None, false, enforce), Asks::Nobody);
        assert_eq!(asks(Some(numbers::PLAIN_SERVER), false, enforce), Asks::Always);
        assert_eq!(asks(Some(numbers::PLAIN_SERVER), true, enforce), Asks::Always);
    }
    assert_eq!(asks(None, true, false), Asks::IfThere);
    assert_eq!(asks(None, true, true), Asks::Always);
    let curve = Some(numbers::CURVE_SERVER);
    assert_eq!(asks(curve, false, false), Asks::IfThere);
    assert_eq!(asks(curve, false, true), Asks::Nobody);
    assert_eq!(asks(curve, true, false), Asks::IfThere);
    assert_eq!(asks(curve, true, true), Asks::Always);
}

#[test]
fn metadata_is_what_peers_can_read() {
    let mut options = Options::new(SocketType::Dealer);
    for wrong in ["X-a", "Y-a:b", "X-:b", "x-a:b", ":b", "X-a:"] {
        assert!(options.set(numbers::METADATA, wrong.as_bytes()).is_err(), "{wrong}");
    }
    assert!(options.set(numbers::METADATA, b"X-a:1:2\0").is_ok());
    assert!(options.set(numbers::METADATA, b"X-b:3").is_ok());
    assert!(options.set(numbers::METADATA, b"X-a:4").is_ok());
    assert!(options.set(numbers::METADATA, b"X-a /\xff:5").is_ok());
    let expected = [(b"X-a".as_slice(), b"1:2".as_slice()), (b"X-b", b"3"), (b"X-a /\xff", b"5")];
    let known: Vec<_> =
        options.metadata.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    assert_eq!(known, expected);
}

#[test]
fn metadata_stops_where_peers_would_stop_reading() {
    let mut options = Options::new(SocketType::Dealer);
    let longest = MAX_METADATA - 8;
    let value = |size: usize| [&b"X-a:"[..], &vec![b'v'; size]].concat();
    assert!(options.set(numbers::METADATA, &value(longest + 1)).is_err());
    assert!(options.set(numbers::METADATA, &value(longest)).is_ok());
    assert!(options.set(numbers::METADATA, b"X-b:1").is_err());
    let mut options = Options::new(SocketType::Dealer);
    let most = MAX_PROPERTIES - 2;
    for i in 0..most {
        assert!(options.set(numbers::METADATA, format!("X-{i}:1").as_bytes()).is_ok());
    }
    assert!(options.set(numbers::METADATA, b"X-more:1").is_err());
    assert!(options.set(numbers::METADATA, b"X-0:again").is_ok());
}

/// Changes an option whether it is built in or not.
fn put(options: &mut Options, option: i32, bytes: &[u8]) -> Result<Effect, OptionError> {
    let row = find(option).expect("an option");
    options.store(option, row.kind.read(bytes)?)
}

#[test]
fn filters_add_up_and_are_cleared() {
    let mut options = Options::new(SocketType::Pull);
    let us: IpAddr = [127, 0, 0, 1].into();
    assert!(options.admits_address(us));
    assert!(put(&mut options, numbers::TCP_ACCEPT_FILTER, b"10.0.0.0/8\0").is_ok());
    assert!(!options.admits_address(us));
    assert!(put(&mut options, numbers::TCP_ACCEPT_FILTER, b"127.0.0.1").is_ok());
    assert!(options.admits_address(us));
    assert!(put(&mut options, numbers::TCP_ACCEPT_FILTER, b"nonsense").is_err());
    assert!(put(&mut options, numbers::TCP_ACCEPT_FILTER, b"").is_ok());
    assert!(options.admits_address([8, 8, 8, 8].into()));

    assert!(put(&mut options, numbers::IPC_FILTER_PID, &7_i32.to_ne_bytes()).is_ok());
    assert!(put(&mut options, numbers::IPC_FILTER_PID, b"abc").is_err());
    assert!(!options.ipc_filter.admits(8, 0, &[]));
    assert!(put(&mut options, numbers::IPC_FILTER_PID, b"").is_ok());
    assert!(options.ipc_filter.is_open());
}

/// What is not built in fails, instead of being taken and forgotten.
#[test]
fn nothing_is_accepted_and_ignored() {
    for row in TABLE {
        let Built::No(reason) = row.built else {
            continue;
        };
        for code in (0..TYPES).filter(|code| row.is_for(kind(*code))) {
            let mut options = Options::new(kind(code));
            for size in [0, 4, 8, 32] {
                let result = options.set(row.number, &vec![1; size]);
                assert_eq!(result, Err(OptionError::Unsupported(reason)), "{}", row.name);
            }
        }
    }
}

#[test]
fn both_names_of_the_address_family_mean_the_same() {
    let mut options = Options::new(SocketType::Req);
    assert!(options.set(numbers::IPV4ONLY, &0_i32.to_ne_bytes()).is_ok());
    assert_eq!(get_int(&options, numbers::IPV6), 1);
    assert!(options.set(numbers::IPV6, &0_i32.to_ne_bytes()).is_ok());
    assert_eq!(get_int(&options, numbers::IPV4ONLY), 1);
}

#[test]
fn a_size_limit_below_zero_is_none() {
    let mut options = Options::new(SocketType::Req);
    assert!(options.set(numbers::MAXMSGSIZE, &10_i64.to_ne_bytes()).is_ok());
    assert_eq!(options.max_frame_size(), Some(10));
    assert!(options.set(numbers::MAXMSGSIZE, &(-7_i64).to_ne_bytes()).is_ok());
    assert_eq!(options.max_frame_size(), None);
    assert!(options.set(numbers::MAXMSGSIZE, &10_i32.to_ne_bytes()).is_err());
}

#[test]
fn context_options_have_the_defaults_and_ranges_of_the_reference() {
    let mut options = ContextOptions::default();
    for (option, default) in [
        (numbers::IO_THREADS, 1),
        (numbers::MAX_SOCKETS, 1023),
        (numbers::SOCKET_LIMIT, 65_535),
        (numbers::MAX_MSGSZ, i32::MAX),
        (numbers::MSG_T_SIZE, 64),
        (numbers::THREAD_NAME_PREFIX, 0),
        (numbers::ZERO_COPY_RECV, 1),
        (numbers::IPV6, 0),
        (numbers::BLOCKY, 1),
    ] {
        assert_eq!(options.get(option), Ok(default), "{option}");
        if option != numbers::THREAD_NAME_PREFIX {
            assert!(options.set(option, -1).is_err(), "{option}");
        }
    }
    assert_eq!(options.get(numbers::THREAD_SCHED_POLICY), Ok(-1));
    assert!(options.set(numbers::MAX_SOCKETS, 0).is_err());
    assert!(options.set(numbers::IO_THREADS, 0).is_ok());
    assert!(options.set(numbers::MSG_T_SIZE, 64).is_err());
    assert!(options.set(numbers::IPV6, 7).is_ok());
    assert_eq!(options.get(numbers::IPV6), Ok(1));
    assert!(options.set(numbers::THREAD_SCHED_POLICY, 0).is_ok());
    assert_eq!(options.get(numbers::THREAD_SCHED_POLICY), Ok(0));
    assert!(options.set(numbers::THREAD_AFFINITY_CPU_REMOVE, 1).is_err());
    assert!(options.set(numbers::THREAD_AFFINITY_CPU_ADD, 1).is_ok());
    assert!(options.set(numbers::THREAD_AFFINITY_CPU_REMOVE, 1).is_ok());
    assert!(options.set(0, 1).is_err() && options.get(11).is_err());
}

#[test]
fn context_options_shape_new_sockets_and_threads() {
    let mut context = ContextOptions::default();
    assert_eq!(context.thread_name(0), "ZMQbg/IO/0");
    assert!(context.set(numbers::THREAD_NAME_PREFIX, 7).is_ok());
    assert_eq!(context.thread_name(1), "7/ZMQbg/IO/1");
    assert!(context.set_ext(numbers::THREAD_NAME_PREFIX, b"MyApp\0").is_ok());
    assert_eq!(context.thread_name(1), "MyApp/ZMQbg/IO/1");
    let mut out = [0; 16];
    assert_eq!(context.get_ext(numbers::THREAD_NAME_PREFIX, &mut out), Ok(6));
    assert_eq!(&out[..6], b"MyApp\0");
    assert!(context.set_ext(numbers::IPV6, &1_i32.to_ne_bytes()).is_ok());
    assert!(context.set_ext(numbers::IPV6, b"yes").is_err());
    assert!(context.set(numbers::BLOCKY, 0).is_ok());
    let mut options = Options::new(SocketType::Push);
    assert_eq!(options.linger, None);
    context.apply_to(&mut options);
    assert!(options.ipv6);
    assert_eq!(options.linger, Some(Duration::ZERO));
}
