//! Keys and passwords are overwritten before their memory is given back, whichever thread held
//! them. What is on the stack is not looked at, nor what PLAIN and SOCKS have sent in clear text.
//!
//! One test, since it looks at what all threads of the process do.

#![expect(clippy::undocumented_unsafe_blocks, reason = "every call passes valid memory or none")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use aught::AuthRules;
use aught::curve::SecretKey;

// Links the library that defines the functions below.
use zmq as _;

unsafe extern "C" {
    fn zmq_ctx_new() -> *mut c_void;
    fn zmq_ctx_term(context: *mut c_void) -> c_int;
    fn zmq_socket(context: *mut c_void, kind: c_int) -> *mut c_void;
    fn zmq_close(socket: *mut c_void) -> c_int;
    fn zmq_bind(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    fn zmq_connect(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    fn zmq_send(socket: *mut c_void, data: *const c_void, len: usize, flags: c_int) -> c_int;
    fn zmq_recv(socket: *mut c_void, data: *mut c_void, len: usize, flags: c_int) -> c_int;
    fn zmq_setsockopt(
        socket: *mut c_void,
        option: c_int,
        value: *const c_void,
        len: usize,
    ) -> c_int;
    fn zmq_getsockopt(
        socket: *mut c_void,
        option: c_int,
        value: *mut c_void,
        len: *mut usize,
    ) -> c_int;
    fn zmq_curve_public(public: *mut c_char, secret: *const c_char) -> c_int;
}

const DEALER: c_int = 5;
const LINGER: c_int = 17;
const LAST_ENDPOINT: c_int = 32;
const PLAIN_USERNAME: c_int = 45;
const PLAIN_PASSWORD: c_int = 46;
const CURVE_SERVER: c_int = 47;
const CURVE_PUBLICKEY: c_int = 48;
const CURVE_SECRETKEY: c_int = 49;
const CURVE_SERVERKEY: c_int = 50;
const SOCKS_PROXY: c_int = 68;
const SOCKS_USERNAME: c_int = 99;
const SOCKS_PASSWORD: c_int = 100;

/// The keys of zmq_curve(7).
const SERVER_PUBLIC: &str = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
const SERVER_SECRET: &str = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
const CLIENT_PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
const CLIENT_SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

const PLAIN: &str = "a password for a server of PLAIN";
const SOCKS: &str = "a password for a proxy of SOCKS";
const SOCKS_LONGER: &str = "another password for a proxy of SOCKS, which needs more room";
const RULES: &str = "a password that somebody may show";

/// What is not overwritten, to see that it would be noticed.
const FORGOTTEN: &str = "nothing that anybody has to hide";

const TEXTS: [&str; 7] =
    [SERVER_SECRET, CLIENT_SECRET, PLAIN, SOCKS, SOCKS_LONGER, RULES, FORGOTTEN];

/// The keys themselves.
static KEYS: OnceLock<[[u8; 32]; 2]> = OnceLock::new();

static WATCHING: AtomicBool = AtomicBool::new(false);

/// A bit for each secret that was found: first those of `TEXTS`, then those of `KEYS`.
static FOUND: AtomicU32 = AtomicU32::new(0);

fn look(memory: &[u8]) {
    let has = |secret: &[u8]| memory.windows(secret.len()).any(|window| window == secret);
    let texts = TEXTS.iter().map(|text| text.as_bytes());
    let keys = KEYS.get().into_iter().flatten().map(|key| &key[..]);
    for (index, secret) in texts.chain(keys).enumerate() {
        if has(secret) {
            FOUND.fetch_or(1 << index, Ordering::Relaxed);
        }
    }
}

struct Watching;

// SAFETY: everything comes from the system's allocator and goes back to it with the layout that it
// was asked for with; what is done besides allocates nothing.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // So that all of it may be read when it is given back.
        // SAFETY: the caller keeps the promises of `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        if WATCHING.load(Ordering::Relaxed) {
            // SAFETY: the memory is of this size, was zeroed, and nobody else uses it any more.
            look(unsafe { std::slice::from_raw_parts(ptr, layout.size()) });
        }
        // SAFETY: the caller keeps the promises of `dealloc`, and `ptr` came from `System`.
        unsafe { System.dealloc(ptr, layout) }
    }

    // What is moved is left behind where it was, whatever the system's allocator would do.
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the size is a valid one for this alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: as in `alloc`, `dealloc`; both pieces have the octets that are copied.
        unsafe {
            let new = self.alloc(new_layout);
            if !new.is_null() {
                std::ptr::copy_nonoverlapping(ptr, new, layout.size().min(new_size));
                self.dealloc(ptr, layout);
            }
            new
        }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

struct Socket(*mut c_void);

impl Socket {
    fn new(context: *mut c_void) -> Self {
        let socket = Self(unsafe { zmq_socket(context, DEALER) });
        assert!(!socket.0.is_null());
        socket.set(LINGER, &0_i32.to_ne_bytes());
        socket
    }

    fn set(&self, option: c_int, value: &[u8]) {
        let rc = unsafe { zmq_setsockopt(self.0, option, value.as_ptr().cast(), value.len()) };
        assert_eq!(rc, 0, "option {option}");
    }

    /// Reads an option into memory that is not the heap's.
    fn get<const N: usize>(&self, option: c_int) -> ([u8; N], usize) {
        let (mut value, mut len) = ([0; N], N);
        let rc = unsafe { zmq_getsockopt(self.0, option, value.as_mut_ptr().cast(), &raw mut len) };
        assert_eq!(rc, 0, "option {option}");
        (value, len)
    }

    fn connect(&self, endpoint: &CStr) {
        assert_eq!(unsafe { zmq_connect(self.0, endpoint.as_ptr()) }, 0);
    }

    fn close(self) {
        assert_eq!(unsafe { zmq_close(self.0) }, 0);
    }
}

/// A port that is bound, and that nobody listens at.
fn dead_end() -> (std::net::UdpSocket, String) {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    (socket, format!("127.0.0.1:{port}\0"))
}

/// Two sockets of CURVE that talk.
fn talk(context: *mut c_void) {
    let (server, client) = (Socket::new(context), Socket::new(context));
    server.set(CURVE_SERVER, &1_i32.to_ne_bytes());
    server.set(CURVE_SECRETKEY, SERVER_SECRET.as_bytes());
    client.set(CURVE_SERVERKEY, SERVER_PUBLIC.as_bytes());
    client.set(CURVE_PUBLICKEY, CLIENT_PUBLIC.as_bytes());
    client.set(CURVE_SECRETKEY, &KEYS.get().expect("the keys")[1]);
    assert_eq!(client.get::<41>(CURVE_SECRETKEY).0[..40], *CLIENT_SECRET.as_bytes());
    assert_eq!(client.get::<32>(CURVE_SECRETKEY).0, KEYS.get().expect("the keys")[1]);
    assert_eq!(unsafe { zmq_bind(server.0, c"tcp://127.0.0.1:*".as_ptr()) }, 0);
    let (endpoint, len) = server.get::<64>(LAST_ENDPOINT);
    client.connect(CStr::from_bytes_with_nul(&endpoint[..len]).expect("an endpoint"));
    for body in [&[1_u8; 10][..], &[2; 100], &[3; 20_000]] {
        let sent = unsafe { zmq_send(client.0, body.as_ptr().cast(), body.len(), 0) };
        assert_eq!(sent, body.len() as c_int);
        let mut room = [0_u8; 20_000];
        let len = unsafe { zmq_recv(server.0, room.as_mut_ptr().cast(), room.len(), 0) };
        assert_eq!(&room[..len as usize], body);
    }
    client.close();
    server.close();
}

/// Passwords that are set, changed, read, and given to connections that are never made.
fn prepare(context: *mut c_void) {
    let (_taken, nowhere) = dead_end();
    let socket = Socket::new(context);
    socket.set(PLAIN_USERNAME, b"admin");
    socket.set(PLAIN_PASSWORD, PLAIN.as_bytes());
    assert_eq!(socket.get::<256>(PLAIN_PASSWORD).0[..PLAIN.len()], *PLAIN.as_bytes());
    socket.set(PLAIN_PASSWORD, b"short");
    socket.set(PLAIN_PASSWORD, PLAIN.as_bytes());
    let endpoint = format!("tcp://{nowhere}");
    socket.connect(CStr::from_bytes_with_nul(endpoint.as_bytes()).expect("an endpoint"));
    socket.close();
    let socket = Socket::new(context);
    socket.set(SOCKS_PROXY, nowhere.trim_end_matches('\0').as_bytes());
    socket.set(SOCKS_USERNAME, b"admin");
    socket.set(SOCKS_PASSWORD, SOCKS.as_bytes());
    socket.set(SOCKS_PASSWORD, SOCKS_LONGER.as_bytes());
    let told = socket.get::<256>(SOCKS_PASSWORD).0;
    assert_eq!(told[..SOCKS_LONGER.len()], *SOCKS_LONGER.as_bytes());
    socket.connect(c"tcp://192.0.2.1:9");
    socket.close();
}

/// A list that grows.
fn list() {
    let mut rules = AuthRules::new();
    for user in 0..100 {
        rules = rules.user(&user.to_string(), RULES);
    }
    drop((rules.clone(), rules));
}

#[test]
fn secrets_are_overwritten() {
    let key = |text| *SecretKey::from_z85(text).expect("a key").as_bytes();
    let keys = KEYS.get_or_init(|| [key(SERVER_SECRET), key(CLIENT_SECRET)]);
    WATCHING.store(true, Ordering::Relaxed);
    let context = unsafe { zmq_ctx_new() };
    talk(context);
    prepare(context);
    list();
    let (mut public, mut secret): ([c_char; 41], [c_char; 41]) = ([0; 41], [0; 41]);
    for (to, from) in secret.iter_mut().zip(CLIENT_SECRET.bytes()) {
        *to = from.cast_signed();
    }
    assert_eq!(unsafe { zmq_curve_public(public.as_mut_ptr(), secret.as_ptr()) }, 0);
    assert_eq!(unsafe { zmq_ctx_term(context) }, 0);
    let found = FOUND.load(Ordering::Relaxed);
    let names: Vec<_> = (0..TEXTS.len() + keys.len()).filter(|at| found >> at & 1 == 1).collect();
    assert_eq!(names, Vec::<usize>::new(), "secrets of these numbers were left behind");
    drop(FORGOTTEN.to_owned());
    assert_eq!(FOUND.load(Ordering::Relaxed), 1 << (TEXTS.len() - 1), "nothing would be found");
}
