/*
 * What the workloads share with the harness: the memory that every role sees, the roles' helpers
 * and the table of workloads. The measuring itself is in main.c, the roles are in the other files.
 */
#ifndef AUGHT_BENCH_H
#define AUGHT_BENCH_H

#include <stdatomic.h>
#include <stdint.h>
#include <zmq.h>

#define MAX_ROLES 64
#define MAX_SAMPLES (1u << 20)
#define ENDPOINT_SIZE 256

/* One cache line each, so that counting costs a role nothing but its own store. */
struct counter {
    _Atomic uint64_t value;
    char pad[56];
};

/* Mapped before the forks. */
struct shared {
    struct counter counters[MAX_ROLES];
    _Atomic int measuring; /* latency roles keep samples while this is set */
    _Atomic int failed;
    char why[256];
    _Atomic int bound[2]; /* the endpoint of the same index can be connected to */
    char endpoint[2][ENDPOINT_SIZE];
    char server_public[41], server_secret[41], client_public[41], client_secret[41];
    _Atomic uint64_t samples;
    uint64_t sample_ns[MAX_SAMPLES];
};

/* The command line: every key=value, with these defaults. */
struct config {
    const char *workload;
    const char *transport; /* tcp, ipc or inproc */
    const char *api;       /* buf: zmq_send and zmq_recv; msg: zmq_msg_t */
    size_t size;           /* bytes of a message */
    int peers;             /* senders, subscribers, dealers or connections */
    int curve;
    int busy;        /* processes that spin beside the workload */
    int interval_us; /* pause between round trips */
    int warm_ms, window_ms;
};

extern struct shared *shared;
extern struct config config;

typedef void (*role_fn)(int index);

struct workload {
    const char *name;
    /* Starts the roles; the harness measures what they count. */
    void (*start)(void);
};

/* Starts a role in a process of its own (in a thread of one process for inproc). */
void start_role(role_fn role, int index);

/* For roles. */
void *role_context(void);
void *role_socket(int type);
void bind_to(void *socket, int which);
void connect_to(void *socket, int which);
void fail(const char *what);
void check(int result, const char *what);
uint64_t now_ns(void);

static inline void count_to(int index, uint64_t value)
{
    atomic_store_explicit(&shared->counters[index].value, value, memory_order_relaxed);
}

/* For the harness. */
void start_latency(void);
void start_throughput(void);
void start_pubsub(void);
void start_subscriptions(void);
void start_router(void);
void start_proxy(void);
void start_connect(void);
void start_idle(void);

#endif
