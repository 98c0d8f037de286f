//! The functions and structures of the stable C interface, as loaded from a shared object.
//!
//! The draft functions are absent: the reference library of the distributions lacks them.

use std::ffi::{c_char, c_int, c_long, c_short, c_ulong, c_void};

/// `zmq_msg_t`: 64 opaque bytes, aligned to a pointer.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy)]
pub struct RawMsg(pub [u8; 64]);

/// `zmq_pollitem_t`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct PollItem {
    /// The socket to watch, or null to watch `fd`.
    pub socket: *mut c_void,
    /// The descriptor to watch when `socket` is null.
    pub fd: c_int,
    /// The events asked for.
    pub events: c_short,
    /// The events that were found.
    pub revents: c_short,
}

/// `zmq_free_fn`.
pub type FreeFn = unsafe extern "C" fn(data: *mut c_void, hint: *mut c_void);
/// `zmq_timer_fn`.
pub type TimerFn = unsafe extern "C" fn(timer_id: c_int, arg: *mut c_void);
/// `zmq_thread_fn`.
type ThreadFn = unsafe extern "C" fn(arg: *mut c_void);

macro_rules! functions {
    ($(fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)?;)*) => {
        struct Table {
            $($name: unsafe extern "C" fn($($ty),*) $(-> $ret)?,)*
        }

        /// A loaded libzmq: one method for each stable function of `zmq.h`.
        ///
        /// The methods are safe to the type system only so that the cases read like the C
        /// programs they stand for: what a call may pass is the contract of its manual page.
        pub struct Lib {
            table: Table,
        }

        impl Lib {
            /// Resolves every stable function, or names the first one that is missing.
            pub(crate) fn resolve(library: &libloading::Library) -> Result<Self, String> {
                Ok(Self {
                    table: Table {
                        $($name: {
                            // SAFETY: the signature is the one of zmq.h for this name.
                            let symbol = unsafe {
                                library.get::<unsafe extern "C" fn($($ty),*) $(-> $ret)?>(
                                    concat!(stringify!($name), "\0").as_bytes(),
                                )
                            };
                            *symbol.map_err(|error| format!("{}: {error}", stringify!($name)))?
                        },)*
                    },
                })
            }

            $(
                #[doc = concat!("Calls `", stringify!($name), "`.")]
                #[allow(clippy::not_unsafe_ptr_arg_deref)]
                #[allow(clippy::missing_safety_doc)]
                pub fn $name(&self, $($arg: $ty),*) $(-> $ret)? {
                    // SAFETY: the library is never unloaded; the arguments are the caller's
                    // part of the manual page's contract (see the type's documentation).
                    unsafe { (self.table.$name)($($arg),*) }
                }
            )*
        }
    };
}

type P = *mut c_void;
type C = *const c_void;
type S = *const c_char;
type M = *mut RawMsg;

functions! {
    fn zmq_errno() -> c_int;
    fn zmq_strerror(number: c_int) -> S;
    fn zmq_version(major: *mut c_int, minor: *mut c_int, patch: *mut c_int);
    fn zmq_ctx_new() -> P;
    fn zmq_ctx_term(context: P) -> c_int;
    fn zmq_ctx_shutdown(context: P) -> c_int;
    fn zmq_ctx_set(context: P, option: c_int, value: c_int) -> c_int;
    fn zmq_ctx_get(context: P, option: c_int) -> c_int;
    fn zmq_init(io_threads: c_int) -> P;
    fn zmq_term(context: P) -> c_int;
    fn zmq_ctx_destroy(context: P) -> c_int;
    fn zmq_msg_init(msg: M) -> c_int;
    fn zmq_msg_init_size(msg: M, size: usize) -> c_int;
    fn zmq_msg_init_data(msg: M, data: P, size: usize, free: Option<FreeFn>, hint: P) -> c_int;
    fn zmq_msg_send(msg: M, socket: P, flags: c_int) -> c_int;
    fn zmq_msg_recv(msg: M, socket: P, flags: c_int) -> c_int;
    fn zmq_msg_close(msg: M) -> c_int;
    fn zmq_msg_move(dest: M, src: M) -> c_int;
    fn zmq_msg_copy(dest: M, src: M) -> c_int;
    fn zmq_msg_data(msg: M) -> P;
    fn zmq_msg_size(msg: *const RawMsg) -> usize;
    fn zmq_msg_more(msg: *const RawMsg) -> c_int;
    fn zmq_msg_get(msg: *const RawMsg, property: c_int) -> c_int;
    fn zmq_msg_set(msg: M, property: c_int, value: c_int) -> c_int;
    fn zmq_msg_gets(msg: *const RawMsg, property: S) -> S;
    fn zmq_socket(context: P, kind: c_int) -> P;
    fn zmq_close(socket: P) -> c_int;
    fn zmq_setsockopt(socket: P, option: c_int, value: C, size: usize) -> c_int;
    fn zmq_getsockopt(socket: P, option: c_int, value: P, size: *mut usize) -> c_int;
    fn zmq_bind(socket: P, endpoint: S) -> c_int;
    fn zmq_connect(socket: P, endpoint: S) -> c_int;
    fn zmq_unbind(socket: P, endpoint: S) -> c_int;
    fn zmq_disconnect(socket: P, endpoint: S) -> c_int;
    fn zmq_send(socket: P, data: C, size: usize, flags: c_int) -> c_int;
    fn zmq_send_const(socket: P, data: C, size: usize, flags: c_int) -> c_int;
    fn zmq_recv(socket: P, data: P, size: usize, flags: c_int) -> c_int;
    fn zmq_socket_monitor(socket: P, endpoint: S, events: c_int) -> c_int;
    fn zmq_poll(items: *mut PollItem, count: c_int, timeout: c_long) -> c_int;
    fn zmq_proxy(frontend: P, backend: P, capture: P) -> c_int;
    fn zmq_proxy_steerable(frontend: P, backend: P, capture: P, control: P) -> c_int;
    fn zmq_has(capability: S) -> c_int;
    fn zmq_device(kind: c_int, frontend: P, backend: P) -> c_int;
    fn zmq_sendmsg(socket: P, msg: M, flags: c_int) -> c_int;
    fn zmq_recvmsg(socket: P, msg: M, flags: c_int) -> c_int;
    fn zmq_sendiov(socket: P, iov: *mut libc::iovec, count: usize, flags: c_int) -> c_int;
    fn zmq_recviov(socket: P, iov: *mut libc::iovec, count: *mut usize, flags: c_int) -> c_int;
    fn zmq_z85_encode(dest: *mut c_char, data: *const u8, size: usize) -> *mut c_char;
    fn zmq_z85_decode(dest: *mut u8, text: S) -> *mut u8;
    fn zmq_curve_keypair(public: *mut c_char, secret: *mut c_char) -> c_int;
    fn zmq_curve_public(public: *mut c_char, secret: S) -> c_int;
    fn zmq_atomic_counter_new() -> P;
    fn zmq_atomic_counter_set(counter: P, value: c_int);
    fn zmq_atomic_counter_inc(counter: P) -> c_int;
    fn zmq_atomic_counter_dec(counter: P) -> c_int;
    fn zmq_atomic_counter_value(counter: P) -> c_int;
    fn zmq_atomic_counter_destroy(counter: *mut P);
    fn zmq_timers_new() -> P;
    fn zmq_timers_destroy(timers: *mut P) -> c_int;
    fn zmq_timers_add(timers: P, interval: usize, handler: Option<TimerFn>, arg: P) -> c_int;
    fn zmq_timers_cancel(timers: P, timer_id: c_int) -> c_int;
    fn zmq_timers_set_interval(timers: P, timer_id: c_int, interval: usize) -> c_int;
    fn zmq_timers_reset(timers: P, timer_id: c_int) -> c_int;
    fn zmq_timers_timeout(timers: P) -> c_long;
    fn zmq_timers_execute(timers: P) -> c_int;
    fn zmq_stopwatch_start() -> P;
    fn zmq_stopwatch_intermediate(watch: P) -> c_ulong;
    fn zmq_stopwatch_stop(watch: P) -> c_ulong;
    fn zmq_sleep(seconds: c_int);
    fn zmq_threadstart(entry: ThreadFn, arg: P) -> P;
    fn zmq_threadclose(thread: P);
}
