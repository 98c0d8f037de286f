/*
 * The C interface of ZeroMQ, as aught's shared object provides it.
 *
 * Here: constants, types and functions of the stable interface; after them, under
 * ZMQ_BUILD_DRAFT_API, those of the draft one. Not here: what the functions do, which the
 * manual pages named below tell. Clean as C89 and as C++98.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef ZMQ_H_INCLUDED
#define ZMQ_H_INCLUDED

/* The interface that this header describes; zmq_version (3) reports what is loaded. */
#define ZMQ_VERSION_MAJOR 4
#define ZMQ_VERSION_MINOR 3
#define ZMQ_VERSION_PATCH 6

#define ZMQ_MAKE_VERSION(major, minor, patch) ((major) * 10000 + (minor) * 100 + (patch))
#define ZMQ_VERSION ZMQ_MAKE_VERSION(ZMQ_VERSION_MAJOR, ZMQ_VERSION_MINOR, ZMQ_VERSION_PATCH)

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef _WIN32
#include <winsock2.h>
#elif defined ZMQ_HAVE_PPOLL
#include <signal.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* How symbols are imported and called. */
#if defined _WIN32 && defined ZMQ_STATIC
#define ZMQ_EXPORT
#elif defined _WIN32 && defined DLL_EXPORT
#define ZMQ_EXPORT __declspec(dllexport)
#elif defined _WIN32
#define ZMQ_EXPORT __declspec(dllimport)
#elif defined __GNUC__ && __GNUC__ >= 4
#define ZMQ_EXPORT __attribute__((visibility("default")))
#else
#define ZMQ_EXPORT
#endif

#ifdef _WIN32
#define ZMQ_CDECL __cdecl
#else
#define ZMQ_CDECL
#endif

/* Error numbers start here where the platform has none of its own. */
#define ZMQ_HAUSNUMERO 156384712

#ifndef ENOTSUP
#define ENOTSUP (ZMQ_HAUSNUMERO + 1)
#endif
#ifndef EPROTONOSUPPORT
#define EPROTONOSUPPORT (ZMQ_HAUSNUMERO + 2)
#endif
#ifndef ENOBUFS
#define ENOBUFS (ZMQ_HAUSNUMERO + 3)
#endif
#ifndef ENETDOWN
#define ENETDOWN (ZMQ_HAUSNUMERO + 4)
#endif
#ifndef EADDRINUSE
#define EADDRINUSE (ZMQ_HAUSNUMERO + 5)
#endif
#ifndef EADDRNOTAVAIL
#define EADDRNOTAVAIL (ZMQ_HAUSNUMERO + 6)
#endif
#ifndef ECONNREFUSED
#define ECONNREFUSED (ZMQ_HAUSNUMERO + 7)
#endif
#ifndef EINPROGRESS
#define EINPROGRESS (ZMQ_HAUSNUMERO + 8)
#endif
#ifndef ENOTSOCK
#define ENOTSOCK (ZMQ_HAUSNUMERO + 9)
#endif
#ifndef EMSGSIZE
#define EMSGSIZE (ZMQ_HAUSNUMERO + 10)
#endif
#ifndef EAFNOSUPPORT
#define EAFNOSUPPORT (ZMQ_HAUSNUMERO + 11)
#endif
#ifndef ENETUNREACH
#define ENETUNREACH (ZMQ_HAUSNUMERO + 12)
#endif
#ifndef ECONNABORTED
#define ECONNABORTED (ZMQ_HAUSNUMERO + 13)
#endif
#ifndef ECONNRESET
#define ECONNRESET (ZMQ_HAUSNUMERO + 14)
#endif
#ifndef ENOTCONN
#define ENOTCONN (ZMQ_HAUSNUMERO + 15)
#endif
#ifndef ETIMEDOUT
#define ETIMEDOUT (ZMQ_HAUSNUMERO + 16)
#endif
#ifndef EHOSTUNREACH
#define EHOSTUNREACH (ZMQ_HAUSNUMERO + 17)
#endif
#ifndef ENETRESET
#define ENETRESET (ZMQ_HAUSNUMERO + 18)
#endif

/* ZeroMQ's own errors. */
#define EFSM (ZMQ_HAUSNUMERO + 51)
#define ENOCOMPATPROTO (ZMQ_HAUSNUMERO + 52)
#define ETERM (ZMQ_HAUSNUMERO + 53)
#define EMTHREAD (ZMQ_HAUSNUMERO + 54)

/* Context options: zmq_ctx_set (3), zmq_ctx_get (3). */
#define ZMQ_IO_THREADS 1
#define ZMQ_MAX_SOCKETS 2
#define ZMQ_SOCKET_LIMIT 3
#define ZMQ_THREAD_PRIORITY 3
#define ZMQ_THREAD_SCHED_POLICY 4
#define ZMQ_MAX_MSGSZ 5
#define ZMQ_MSG_T_SIZE 6
#define ZMQ_THREAD_AFFINITY_CPU_ADD 7
#define ZMQ_THREAD_AFFINITY_CPU_REMOVE 8
#define ZMQ_THREAD_NAME_PREFIX 9

/* What a new context holds until told otherwise. */
#define ZMQ_IO_THREADS_DFLT 1
#define ZMQ_MAX_SOCKETS_DFLT 1023
#define ZMQ_THREAD_PRIORITY_DFLT (-1)
#define ZMQ_THREAD_SCHED_POLICY_DFLT (-1)

/* Socket types: zmq_socket (3). */
#define ZMQ_PAIR 0
#define ZMQ_PUB 1
#define ZMQ_SUB 2
#define ZMQ_REQ 3
#define ZMQ_REP 4
#define ZMQ_DEALER 5
#define ZMQ_ROUTER 6
#define ZMQ_PULL 7
#define ZMQ_PUSH 8
#define ZMQ_XPUB 9
#define ZMQ_XSUB 10
#define ZMQ_STREAM 11

/* Socket options: zmq_setsockopt (3), zmq_getsockopt (3). */
#define ZMQ_AFFINITY 4
#define ZMQ_ROUTING_ID 5
#define ZMQ_SUBSCRIBE 6
#define ZMQ_UNSUBSCRIBE 7
#define ZMQ_RATE 8
#define ZMQ_RECOVERY_IVL 9
#define ZMQ_SNDBUF 11
#define ZMQ_RCVBUF 12
#define ZMQ_RCVMORE 13
#define ZMQ_FD 14
#define ZMQ_EVENTS 15
#define ZMQ_TYPE 16
#define ZMQ_LINGER 17
#define ZMQ_RECONNECT_IVL 18
#define ZMQ_BACKLOG 19
#define ZMQ_RECONNECT_IVL_MAX 21
#define ZMQ_MAXMSGSIZE 22
#define ZMQ_SNDHWM 23
#define ZMQ_RCVHWM 24
#define ZMQ_MULTICAST_HOPS 25
#define ZMQ_RCVTIMEO 27
#define ZMQ_SNDTIMEO 28
#define ZMQ_LAST_ENDPOINT 32
#define ZMQ_ROUTER_MANDATORY 33
#define ZMQ_TCP_KEEPALIVE 34
#define ZMQ_TCP_KEEPALIVE_CNT 35
#define ZMQ_TCP_KEEPALIVE_IDLE 36
#define ZMQ_TCP_KEEPALIVE_INTVL 37
#define ZMQ_IMMEDIATE 39
#define ZMQ_XPUB_VERBOSE 40
#define ZMQ_ROUTER_RAW 41
#define ZMQ_IPV6 42
#define ZMQ_MECHANISM 43
#define ZMQ_PLAIN_SERVER 44
#define ZMQ_PLAIN_USERNAME 45
#define ZMQ_PLAIN_PASSWORD 46
#define ZMQ_CURVE_SERVER 47
#define ZMQ_CURVE_PUBLICKEY 48
#define ZMQ_CURVE_SECRETKEY 49
#define ZMQ_CURVE_SERVERKEY 50
#define ZMQ_PROBE_ROUTER 51
#define ZMQ_REQ_CORRELATE 52
#define ZMQ_REQ_RELAXED 53
#define ZMQ_CONFLATE 54
#define ZMQ_ZAP_DOMAIN 55
#define ZMQ_ROUTER_HANDOVER 56
#define ZMQ_TOS 57
#define ZMQ_CONNECT_ROUTING_ID 61
#define ZMQ_GSSAPI_SERVER 62
#define ZMQ_GSSAPI_PRINCIPAL 63
#define ZMQ_GSSAPI_SERVICE_PRINCIPAL 64
#define ZMQ_GSSAPI_PLAINTEXT 65
#define ZMQ_HANDSHAKE_IVL 66
#define ZMQ_SOCKS_PROXY 68
#define ZMQ_XPUB_NODROP 69
#define ZMQ_BLOCKY 70
#define ZMQ_XPUB_MANUAL 71
#define ZMQ_XPUB_WELCOME_MSG 72
#define ZMQ_STREAM_NOTIFY 73
#define ZMQ_INVERT_MATCHING 74
#define ZMQ_HEARTBEAT_IVL 75
#define ZMQ_HEARTBEAT_TTL 76
#define ZMQ_HEARTBEAT_TIMEOUT 77
#define ZMQ_XPUB_VERBOSER 78
#define ZMQ_CONNECT_TIMEOUT 79
#define ZMQ_TCP_MAXRT 80
#define ZMQ_THREAD_SAFE 81
#define ZMQ_MULTICAST_MAXTPDU 84
#define ZMQ_VMCI_BUFFER_SIZE 85
#define ZMQ_VMCI_BUFFER_MIN_SIZE 86
#define ZMQ_VMCI_BUFFER_MAX_SIZE 87
#define ZMQ_VMCI_CONNECT_TIMEOUT 88
#define ZMQ_USE_FD 89
#define ZMQ_GSSAPI_PRINCIPAL_NAMETYPE 90
#define ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE 91
#define ZMQ_BINDTODEVICE 92

/* Properties of a message: zmq_msg_get (3). */
#define ZMQ_MORE 1
#define ZMQ_SHARED 3

/* Flags of the send and receive calls. */
#define ZMQ_DONTWAIT 1
#define ZMQ_SNDMORE 2

/* Security mechanisms, as the ZMQ_MECHANISM option reports them. */
#define ZMQ_NULL 0
#define ZMQ_PLAIN 1
#define ZMQ_CURVE 2
#define ZMQ_GSSAPI 3

/* Kinds of GSSAPI names. */
#define ZMQ_GSSAPI_NT_HOSTBASED 0
#define ZMQ_GSSAPI_NT_USER_NAME 1
#define ZMQ_GSSAPI_NT_KRB5_PRINCIPAL 2

/* Longest group name of a RADIO or DISH socket, in bytes. */
#define ZMQ_GROUP_MAX_LENGTH 255

/* Socket events: zmq_socket_monitor (3). */
#define ZMQ_EVENT_CONNECTED 1
#define ZMQ_EVENT_CONNECT_DELAYED 2
#define ZMQ_EVENT_CONNECT_RETRIED 4
#define ZMQ_EVENT_LISTENING 8
#define ZMQ_EVENT_BIND_FAILED 16
#define ZMQ_EVENT_ACCEPTED 32
#define ZMQ_EVENT_ACCEPT_FAILED 64
#define ZMQ_EVENT_CLOSED 128
#define ZMQ_EVENT_CLOSE_FAILED 256
#define ZMQ_EVENT_DISCONNECTED 512
#define ZMQ_EVENT_MONITOR_STOPPED 1024
#define ZMQ_EVENT_ALL 0x0000ffff
#define ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL 2048
#define ZMQ_EVENT_HANDSHAKE_SUCCEEDED 4096
#define ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL 8192
#define ZMQ_EVENT_HANDSHAKE_FAILED_AUTH 16384

/* Why a handshake failed: the value of ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL. */
#define ZMQ_PROTOCOL_ERROR_ZMTP_UNSPECIFIED 0x10000000
#define ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND 0x10000001
#define ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_SEQUENCE 0x10000002
#define ZMQ_PROTOCOL_ERROR_ZMTP_KEY_EXCHANGE 0x10000003
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED 0x10000011
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_MESSAGE 0x10000012
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO 0x10000013
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_INITIATE 0x10000014
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_ERROR 0x10000015
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_READY 0x10000016
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_WELCOME 0x10000017
#define ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_METADATA 0x10000018
#define ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC 0x11000001
#define ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH 0x11000002
#define ZMQ_PROTOCOL_ERROR_ZAP_UNSPECIFIED 0x20000000
#define ZMQ_PROTOCOL_ERROR_ZAP_MALFORMED_REPLY 0x20000001
#define ZMQ_PROTOCOL_ERROR_ZAP_BAD_REQUEST_ID 0x20000002
#define ZMQ_PROTOCOL_ERROR_ZAP_BAD_VERSION 0x20000003
#define ZMQ_PROTOCOL_ERROR_ZAP_INVALID_STATUS_CODE 0x20000004
#define ZMQ_PROTOCOL_ERROR_ZAP_INVALID_METADATA 0x20000005
#define ZMQ_PROTOCOL_ERROR_WS_UNSPECIFIED 0x30000000

/* Events to poll for: zmq_poll (3). */
#define ZMQ_POLLIN 1
#define ZMQ_POLLOUT 2
#define ZMQ_POLLERR 4
#define ZMQ_POLLPRI 8
#define ZMQ_POLLITEMS_DFLT 16

/* zmq_has (3) and the timers exist. */
#define ZMQ_HAS_CAPABILITIES 1
#define ZMQ_HAVE_TIMERS

/* Kinds of devices: zmq_device (3); zmq_proxy (3) succeeds it. */
#define ZMQ_STREAMER 1
#define ZMQ_FORWARDER 2
#define ZMQ_QUEUE 3

/* Names of earlier versions. */
#define ZMQ_XREQ ZMQ_DEALER
#define ZMQ_XREP ZMQ_ROUTER
#define ZMQ_IDENTITY ZMQ_ROUTING_ID
#define ZMQ_CONNECT_RID ZMQ_CONNECT_ROUTING_ID
#define ZMQ_DELAY_ATTACH_ON_CONNECT ZMQ_IMMEDIATE
#define ZMQ_NOBLOCK ZMQ_DONTWAIT
#define ZMQ_FAIL_UNROUTABLE ZMQ_ROUTER_MANDATORY
#define ZMQ_ROUTER_BEHAVIOR ZMQ_ROUTER_MANDATORY
#define ZMQ_IPV4ONLY 31
#define ZMQ_TCP_ACCEPT_FILTER 38
#define ZMQ_IPC_FILTER_PID 58
#define ZMQ_IPC_FILTER_UID 59
#define ZMQ_IPC_FILTER_GID 60
#define ZMQ_SRCFD 2

/* A message part: 64 opaque bytes, aligned like a pointer. Only the zmq_msg_* calls look in. */
typedef struct zmq_msg_t {
    union {
        unsigned char bytes[64];
        void *alignment;
    } opaque;
} zmq_msg_t;

/* A descriptor of the operating system. */
#ifdef _WIN32
typedef SOCKET zmq_fd_t;
#else
typedef int zmq_fd_t;
#endif

/* What to poll: a ZeroMQ socket or, when `socket` is NULL, a descriptor. */
typedef struct zmq_pollitem_t {
    void *socket;
    zmq_fd_t fd;
    short events;
    short revents;
} zmq_pollitem_t;

/* Releases the buffer of zmq_msg_init_data (3); may run on a thread of the library. */
typedef void(ZMQ_CDECL zmq_free_fn)(void *data, void *hint);
typedef void(ZMQ_CDECL zmq_timer_fn)(int timer_id, void *arg);
typedef void(ZMQ_CDECL zmq_thread_fn)(void *arg);

struct iovec;

/* Errors and version. */
ZMQ_EXPORT int zmq_errno(void);
ZMQ_EXPORT const char *zmq_strerror(int errnum);
ZMQ_EXPORT void zmq_version(int *major, int *minor, int *patch);
ZMQ_EXPORT int zmq_has(const char *capability);

/* Contexts. zmq_init, zmq_term and zmq_ctx_destroy are the older names. */
ZMQ_EXPORT void *zmq_ctx_new(void);
ZMQ_EXPORT int zmq_ctx_term(void *context);
ZMQ_EXPORT int zmq_ctx_shutdown(void *context);
ZMQ_EXPORT int zmq_ctx_set(void *context, int option, int optval);
ZMQ_EXPORT int zmq_ctx_get(void *context, int option);
ZMQ_EXPORT void *zmq_init(int io_threads);
ZMQ_EXPORT int zmq_term(void *context);
ZMQ_EXPORT int zmq_ctx_destroy(void *context);

/* Messages. */
ZMQ_EXPORT int zmq_msg_init(zmq_msg_t *msg);
ZMQ_EXPORT int zmq_msg_init_size(zmq_msg_t *msg, size_t size);
ZMQ_EXPORT int zmq_msg_init_data(
    zmq_msg_t *msg, void *data, size_t size, zmq_free_fn *ffn, void *hint);
ZMQ_EXPORT int zmq_msg_send(zmq_msg_t *msg, void *s, int flags);
ZMQ_EXPORT int zmq_msg_recv(zmq_msg_t *msg, void *s, int flags);
ZMQ_EXPORT int zmq_msg_close(zmq_msg_t *msg);
ZMQ_EXPORT int zmq_msg_move(zmq_msg_t *dest, zmq_msg_t *src);
ZMQ_EXPORT int zmq_msg_copy(zmq_msg_t *dest, zmq_msg_t *src);
ZMQ_EXPORT void *zmq_msg_data(zmq_msg_t *msg);
ZMQ_EXPORT size_t zmq_msg_size(const zmq_msg_t *msg);
ZMQ_EXPORT int zmq_msg_more(const zmq_msg_t *msg);
ZMQ_EXPORT int zmq_msg_get(const zmq_msg_t *msg, int property);
ZMQ_EXPORT int zmq_msg_set(zmq_msg_t *msg, int property, int optval);
ZMQ_EXPORT const char *zmq_msg_gets(const zmq_msg_t *msg, const char *property);

/* Sockets. */
ZMQ_EXPORT void *zmq_socket(void *context, int type);
ZMQ_EXPORT int zmq_close(void *s);
ZMQ_EXPORT int zmq_setsockopt(void *s, int option, const void *optval, size_t optvallen);
ZMQ_EXPORT int zmq_getsockopt(void *s, int option, void *optval, size_t *optvallen);
ZMQ_EXPORT int zmq_bind(void *s, const char *addr);
ZMQ_EXPORT int zmq_connect(void *s, const char *addr);
ZMQ_EXPORT int zmq_unbind(void *s, const char *addr);
ZMQ_EXPORT int zmq_disconnect(void *s, const char *addr);
ZMQ_EXPORT int zmq_send(void *s, const void *buf, size_t len, int flags);
ZMQ_EXPORT int zmq_send_const(void *s, const void *buf, size_t len, int flags);
ZMQ_EXPORT int zmq_recv(void *s, void *buf, size_t len, int flags);
ZMQ_EXPORT int zmq_socket_monitor(void *s, const char *addr, int events);

/* Older names of zmq_msg_send and zmq_msg_recv, and whole messages as arrays of parts. */
ZMQ_EXPORT int zmq_sendmsg(void *s, zmq_msg_t *msg, int flags);
ZMQ_EXPORT int zmq_recvmsg(void *s, zmq_msg_t *msg, int flags);
ZMQ_EXPORT int zmq_sendiov(void *s, struct iovec *iov, size_t count, int flags);
ZMQ_EXPORT int zmq_recviov(void *s, struct iovec *iov, size_t *count, int flags);

/* Waiting for several sockets; passing messages on. */
ZMQ_EXPORT int zmq_poll(zmq_pollitem_t *items, int nitems, long timeout);
ZMQ_EXPORT int zmq_proxy(void *frontend, void *backend, void *capture);
ZMQ_EXPORT int zmq_proxy_steerable(void *frontend, void *backend, void *capture, void *control);
ZMQ_EXPORT int zmq_device(int type, void *frontend, void *backend);

/* Keys in their printable form (RFC 32), and CURVE keys. */
ZMQ_EXPORT char *zmq_z85_encode(char *dest, const uint8_t *data, size_t size);
ZMQ_EXPORT uint8_t *zmq_z85_decode(uint8_t *dest, const char *string);
ZMQ_EXPORT int zmq_curve_keypair(char *z85_public_key, char *z85_secret_key);
ZMQ_EXPORT int zmq_curve_public(char *z85_public_key, const char *z85_secret_key);

/* Counters that threads may share. */
ZMQ_EXPORT void *zmq_atomic_counter_new(void);
ZMQ_EXPORT void zmq_atomic_counter_set(void *counter, int value);
ZMQ_EXPORT int zmq_atomic_counter_inc(void *counter);
ZMQ_EXPORT int zmq_atomic_counter_dec(void *counter);
ZMQ_EXPORT int zmq_atomic_counter_value(void *counter);
ZMQ_EXPORT void zmq_atomic_counter_destroy(void **counter_p);

/* Timers. */
ZMQ_EXPORT void *zmq_timers_new(void);
ZMQ_EXPORT int zmq_timers_destroy(void **timers_p);
ZMQ_EXPORT int zmq_timers_add(void *timers, size_t interval, zmq_timer_fn handler, void *arg);
ZMQ_EXPORT int zmq_timers_cancel(void *timers, int timer_id);
ZMQ_EXPORT int zmq_timers_set_interval(void *timers, int timer_id, size_t interval);
ZMQ_EXPORT int zmq_timers_reset(void *timers, int timer_id);
ZMQ_EXPORT long zmq_timers_timeout(void *timers);
ZMQ_EXPORT int zmq_timers_execute(void *timers);

/* Stopwatches (microseconds), a pause (seconds), threads. */
ZMQ_EXPORT void *zmq_stopwatch_start(void);
ZMQ_EXPORT unsigned long zmq_stopwatch_intermediate(void *watch);
ZMQ_EXPORT unsigned long zmq_stopwatch_stop(void *watch);
ZMQ_EXPORT void zmq_sleep(int seconds);
ZMQ_EXPORT void *zmq_threadstart(zmq_thread_fn *func, void *arg);
ZMQ_EXPORT void zmq_threadclose(void *thread);

/*
 * Not of ZeroMQ, but of this library: how many messages were dropped, by cause. The value is a
 * uint64_t that zmq_getsockopt (3) reads for a socket since it was made, and zmq_ctx_get_ext (3)
 * for a context, closed sockets included; zmq_ctx_get (3) gives at most INT_MAX. They cannot be
 * set. Other libraries answer EINVAL. Messages that the system had accepted, and that a peer did
 * not get, are not among them: nobody can count these.
 */
#define AUGHT_DROPS_ALL 0x41550000 /* all of the following together */
#define AUGHT_DROPS_PUB_HWM 0x41550001 /* a subscriber was at its high-water mark */
#define AUGHT_DROPS_ROUTER_UNROUTABLE 0x41550002 /* the routing id named no peer */
#define AUGHT_DROPS_ROUTER_HWM 0x41550003 /* the named peer was at its high-water mark */
#define AUGHT_DROPS_DUPLICATE_ID 0x41550004 /* a peer took a routing id that was in use */
#define AUGHT_DROPS_STALE_REPLY 0x41550005 /* no request waited for the reply */
#define AUGHT_DROPS_MALFORMED 0x41550006 /* the envelope was missing */
#define AUGHT_DROPS_UNMATCHED 0x41550007 /* no subscription matched what arrived */
#define AUGHT_DROPS_NO_PEER 0x41550008 /* there was nobody to take it */
#define AUGHT_DROPS_PEER_GONE 0x41550009 /* the peer went in the middle of the message */
#define AUGHT_DROPS_CONFLATED 0x4155000a /* a newer message took its place */
#define AUGHT_DROPS_LINGER 0x4155000b /* not sent in the linger time */
#define AUGHT_DROPS_CONNECTION_LOST 0x4155000c /* went with the connection or its peer */
#define AUGHT_DROPS_UNREAD 0x4155000d /* had arrived, and was not received before the end */

/*
 * Not of ZeroMQ either: sockets that anybody can reach, and peers that nobody knows.
 *
 * AUGHT_UNAUTHENTICATED, an option of zmq_ctx_set (3), says what becomes of a socket that is bound
 * to a tcp address that is not loopback, and would let in whoever comes: it is bound (the
 * default), bound with a line on the standard error output, or zmq_bind fails with EACCES. The
 * environment variable of that name sets it for contexts that do not: allow, warn or refuse.
 */
#define AUGHT_UNAUTHENTICATED 0x41550100
#define AUGHT_UNAUTHENTICATED_ALLOW 0
#define AUGHT_UNAUTHENTICATED_WARN 1
#define AUGHT_UNAUTHENTICATED_REFUSE 2

/*
 * Options of zmq_setsockopt (3), each an int, for each endpoint that is bound afterwards. 0 is no
 * limit, and the default; the last one is in bytes, 262144 or more, default 67108864. Connections
 * whose handshake is not finished make room for new ones, the oldest or the largest first.
 */
#define AUGHT_MAX_CONNECTIONS 0x41550101
#define AUGHT_MAX_HANDSHAKES 0x41550102
#define AUGHT_MAX_HANDSHAKE_MEMORY 0x41550103

/* How often that mattered; to be read like AUGHT_DROPS_ALL. */
#define AUGHT_UNAUTHENTICATED_BINDS 0x41550111 /* refused ones included */
#define AUGHT_LIMITED_CONNECTIONS 0x41550112
#define AUGHT_LIMITED_HANDSHAKES 0x41550113
#define AUGHT_LIMITED_MEMORY 0x41550114
#define AUGHT_LIMITED_SYSTEM 0x41550115 /* no descriptor or memory for another connection */

/*
 * The same as events: what to add to the mask of zmq_socket_monitor (3), and the numbers by which
 * the events then go. ZMQ_EVENT_ALL does not contain them, nor does a mask with any other bit
 * above 0xffff, such as -1. The value of a limit's event is 1 for connections, 2 for handshakes, 3
 * for memory, 4 for the system's; that of the other is 0, or EACCES.
 */
#define AUGHT_EVENT_LIMIT 0x01000000
#define AUGHT_EVENT_LIMIT_NUMBER 0x8001
#define AUGHT_EVENT_UNAUTHENTICATED 0x02000000
#define AUGHT_EVENT_UNAUTHENTICATED_NUMBER 0x8002

#ifdef ZMQ_BUILD_DRAFT_API

/* What follows may still change between versions. The library exports it in every build. */

/* Socket types. */
#define ZMQ_SERVER 12
#define ZMQ_CLIENT 13
#define ZMQ_RADIO 14
#define ZMQ_DISH 15
#define ZMQ_GATHER 16
#define ZMQ_SCATTER 17
#define ZMQ_DGRAM 18
#define ZMQ_PEER 19
#define ZMQ_CHANNEL 20

/* Socket options. */
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#define ZMQ_LOOPBACK_FASTPATH 94
#define ZMQ_METADATA 95
#define ZMQ_MULTICAST_LOOP 96
#define ZMQ_ROUTER_NOTIFY 97
#define ZMQ_XPUB_MANUAL_LAST_VALUE 98
#define ZMQ_SOCKS_USERNAME 99
#define ZMQ_SOCKS_PASSWORD 100
#define ZMQ_IN_BATCH_SIZE 101
#define ZMQ_OUT_BATCH_SIZE 102
#define ZMQ_WSS_KEY_PEM 103
#define ZMQ_WSS_CERT_PEM 104
#define ZMQ_WSS_TRUST_PEM 105
#define ZMQ_WSS_HOSTNAME 106
#define ZMQ_WSS_TRUST_SYSTEM 107
#define ZMQ_ONLY_FIRST_SUBSCRIBE 108
#define ZMQ_RECONNECT_STOP 109
#define ZMQ_HELLO_MSG 110
#define ZMQ_DISCONNECT_MSG 111
#define ZMQ_PRIORITY 112
#define ZMQ_BUSY_POLL 113
#define ZMQ_HICCUP_MSG 114
#define ZMQ_XSUB_VERBOSE_UNSUBSCRIBE 115
#define ZMQ_TOPICS_COUNT 116
#define ZMQ_NORM_MODE 117
#define ZMQ_NORM_UNICAST_NACK 118
#define ZMQ_NORM_BUFFER_SIZE 119
#define ZMQ_NORM_SEGMENT_SIZE 120
#define ZMQ_NORM_BLOCK_SIZE 121
#define ZMQ_NORM_NUM_PARITY 122
#define ZMQ_NORM_NUM_AUTOPARITY 123
#define ZMQ_NORM_PUSH 124

/* Values of ZMQ_NORM_MODE. */
#define ZMQ_NORM_FIXED 0
#define ZMQ_NORM_CC 1
#define ZMQ_NORM_CCL 2
#define ZMQ_NORM_CCE 3
#define ZMQ_NORM_CCE_ECNONLY 4

/* Bits of ZMQ_RECONNECT_STOP. */
#define ZMQ_RECONNECT_STOP_CONN_REFUSED 1
#define ZMQ_RECONNECT_STOP_HANDSHAKE_FAILED 2
#define ZMQ_RECONNECT_STOP_AFTER_DISCONNECT 4

/* Bits of ZMQ_ROUTER_NOTIFY. */
#define ZMQ_NOTIFY_CONNECT 1
#define ZMQ_NOTIFY_DISCONNECT 2

/* Context option. */
#define ZMQ_ZERO_COPY_RECV 10

/* Names that zmq_msg_gets (3) answers to. */
#define ZMQ_MSG_PROPERTY_ROUTING_ID "Routing-Id"
#define ZMQ_MSG_PROPERTY_SOCKET_TYPE "Socket-Type"
#define ZMQ_MSG_PROPERTY_USER_ID "User-Id"
#define ZMQ_MSG_PROPERTY_PEER_ADDRESS "Peer-Address"

/* Socket events of the second version, which carry 64-bit values and both addresses. */
#define ZMQ_EVENT_PIPES_STATS 0x00010000
#define ZMQ_CURRENT_EVENT_VERSION 1
#define ZMQ_CURRENT_EVENT_VERSION_DRAFT 2
#define ZMQ_EVENT_ALL_V1 0x0000ffff
#define ZMQ_EVENT_ALL_V2 0x0001ffff

/* zmq_poller_new (3) and its family exist. */
#define ZMQ_HAVE_POLLER

/* One ready socket or descriptor, as zmq_poller_wait (3) reports it. */
typedef struct zmq_poller_event_t {
    void *socket;
    zmq_fd_t fd;
    void *user_data;
    short events;
} zmq_poller_event_t;

/* Contexts. */
ZMQ_EXPORT int zmq_ctx_set_ext(void *context, int option, const void *optval, size_t optvallen);
ZMQ_EXPORT int zmq_ctx_get_ext(void *context, int option, void *optval, size_t *optvallen);

/* Sockets. */
ZMQ_EXPORT int zmq_join(void *s, const char *group);
ZMQ_EXPORT int zmq_leave(void *s, const char *group);
ZMQ_EXPORT uint32_t zmq_connect_peer(void *s, const char *addr);
ZMQ_EXPORT int zmq_disconnect_peer(void *s, uint32_t routing_id);
ZMQ_EXPORT int zmq_socket_get_peer_state(
    void *socket, const void *routing_id, size_t routing_id_size);
ZMQ_EXPORT int zmq_socket_monitor_versioned(
    void *s, const char *addr, uint64_t events, int event_version, int type);
ZMQ_EXPORT int zmq_socket_monitor_pipes_stats(void *s);

/* Messages. */
ZMQ_EXPORT int zmq_msg_set_routing_id(zmq_msg_t *msg, uint32_t routing_id);
ZMQ_EXPORT uint32_t zmq_msg_routing_id(zmq_msg_t *msg);
ZMQ_EXPORT int zmq_msg_set_group(zmq_msg_t *msg, const char *group);
ZMQ_EXPORT const char *zmq_msg_group(zmq_msg_t *msg);
ZMQ_EXPORT int zmq_msg_init_buffer(zmq_msg_t *msg, const void *buf, size_t size);

/* Pollers. */
ZMQ_EXPORT void *zmq_poller_new(void);
ZMQ_EXPORT int zmq_poller_destroy(void **poller_p);
ZMQ_EXPORT int zmq_poller_size(void *poller);
ZMQ_EXPORT int zmq_poller_add(void *poller, void *socket, void *user_data, short events);
ZMQ_EXPORT int zmq_poller_modify(void *poller, void *socket, short events);
ZMQ_EXPORT int zmq_poller_remove(void *poller, void *socket);
ZMQ_EXPORT int zmq_poller_wait(void *poller, zmq_poller_event_t *event, long timeout);
ZMQ_EXPORT int zmq_poller_wait_all(
    void *poller, zmq_poller_event_t *events, int n_events, long timeout);
ZMQ_EXPORT int zmq_poller_fd(void *poller, zmq_fd_t *fd);
ZMQ_EXPORT int zmq_poller_add_fd(void *poller, zmq_fd_t fd, void *user_data, short events);
ZMQ_EXPORT int zmq_poller_modify_fd(void *poller, zmq_fd_t fd, short events);
ZMQ_EXPORT int zmq_poller_remove_fd(void *poller, zmq_fd_t fd);

/* Polling with a signal mask; define ZMQ_HAVE_PPOLL to have the mask typed. */
#ifdef ZMQ_HAVE_PPOLL
ZMQ_EXPORT int zmq_ppoll(zmq_pollitem_t *items, int nitems, long timeout, const sigset_t *sigmask);
#else
ZMQ_EXPORT int zmq_ppoll(zmq_pollitem_t *items, int nitems, long timeout, const void *sigmask);
#endif

#endif /* ZMQ_BUILD_DRAFT_API */

#ifdef __cplusplus
}
#endif

#endif /* ZMQ_H_INCLUDED */
