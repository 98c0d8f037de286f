/*
 * REQ/REP round trips, PUSH to PULL streams (from one sender or several, directly or through a
 * proxy), fresh connections and idle ones.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char *payload(void)
{
    char *buffer = malloc(config.size + 1);
    if (!buffer)
        fail("malloc");
    memset(buffer, 'x', config.size + 1);
    return buffer;
}

static void answer(int index)
{
    char *buffer = payload();
    void *socket = role_socket(ZMQ_REP);
    (void) index;
    bind_to(socket, 0);
    for (;;) {
        int size = zmq_recv(socket, buffer, config.size, 0);
        check(size, "zmq_recv at REP");
        check(zmq_send(socket, buffer, (size_t) size, 0), "zmq_send at REP");
    }
}

static void ask(int index)
{
    char *buffer = payload();
    void *socket = role_socket(ZMQ_REQ);
    struct timespec pause = {config.interval_us / 1000000, config.interval_us % 1000000 * 1000L};
    connect_to(socket, 0);
    for (uint64_t done = 1;; done++) {
        uint64_t start = now_ns();
        check(zmq_send(socket, buffer, config.size, 0), "zmq_send at REQ");
        int size = zmq_recv(socket, buffer, config.size, 0);
        uint64_t taken = now_ns() - start;
        if (size != (int) config.size)
            fail("zmq_recv at REQ");
        if (atomic_load_explicit(&shared->measuring, memory_order_relaxed)) {
            uint64_t n = atomic_load_explicit(&shared->samples, memory_order_relaxed);
            shared->sample_ns[n % MAX_SAMPLES] = taken;
            atomic_store_explicit(&shared->samples, n + 1, memory_order_release);
        }
        count_to(index, done);
        if (config.interval_us)
            nanosleep(&pause, NULL);
    }
}

void start_latency(void)
{
    start_role(answer, 0);
    start_role(ask, 1);
}

static void send_forever(void *socket)
{
    char *buffer = payload();
    if (strcmp(config.api, "buf") == 0)
        for (;;)
            check(zmq_send(socket, buffer, config.size, 0), "zmq_send");
    for (;;) {
        zmq_msg_t message;
        check(zmq_msg_init_size(&message, config.size), "zmq_msg_init_size");
        memcpy(zmq_msg_data(&message), buffer, config.size);
        check(zmq_msg_send(&message, socket, 0), "zmq_msg_send");
    }
}

static void receive_forever(void *socket, int index)
{
    char *buffer = payload();
    if (strcmp(config.api, "buf") == 0)
        for (uint64_t done = 1;; done++) {
            if (zmq_recv(socket, buffer, config.size, 0) != (int) config.size)
                fail("zmq_recv");
            count_to(index, done);
        }
    zmq_msg_t message;
    zmq_msg_init(&message);
    for (uint64_t done = 1;; done++) {
        if (zmq_msg_recv(&message, socket, 0) != (int) config.size)
            fail("zmq_msg_recv");
        count_to(index, done);
    }
}

static void pull(int index)
{
    void *socket = role_socket(ZMQ_PULL);
    bind_to(socket, 0);
    receive_forever(socket, index);
}

static void push(int index)
{
    void *socket = role_socket(ZMQ_PUSH);
    (void) index;
    connect_to(socket, 0);
    send_forever(socket);
}

void start_throughput(void)
{
    start_role(pull, 0);
    for (int i = 0; i < config.peers; i++)
        start_role(push, 1 + i);
}

static void forward(int index)
{
    void *context = role_context();
    void *frontend = zmq_socket(context, ZMQ_PULL);
    void *backend = zmq_socket(context, ZMQ_PUSH);
    (void) index;
    if (!frontend || !backend)
        fail("zmq_socket");
    bind_to(frontend, 0);
    bind_to(backend, 1);
    check(zmq_proxy(frontend, backend, NULL), "zmq_proxy");
}

static void pull_behind_proxy(int index)
{
    void *socket = role_socket(ZMQ_PULL);
    connect_to(socket, 1);
    receive_forever(socket, index);
}

void start_proxy(void)
{
    start_role(forward, 0);
    start_role(pull_behind_proxy, 1);
    start_role(push, 2);
}

static void connect_forever(int index)
{
    void *context = role_context();
    char *buffer = payload();
    for (uint64_t done = 1;; done++) {
        void *socket = zmq_socket(context, ZMQ_REQ);
        if (!socket)
            fail("zmq_socket");
        connect_to(socket, 0);
        check(zmq_send(socket, buffer, config.size, 0), "zmq_send");
        check(zmq_recv(socket, buffer, config.size, 0), "zmq_recv");
        check(zmq_close(socket), "zmq_close");
        count_to(index, done);
    }
}

void start_connect(void)
{
    start_role(answer, 0);
    start_role(connect_forever, 1);
}

/* Counts the connections, each of which says one thing. */
static void keep(int index)
{
    char buffer[64];
    void *socket = role_socket(ZMQ_ROUTER);
    bind_to(socket, 0);
    for (uint64_t done = 1;;) {
        int more = 0;
        size_t size = sizeof more;
        check(zmq_recv(socket, buffer, sizeof buffer, 0), "zmq_recv");
        check(zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size), "ZMQ_RCVMORE");
        if (!more)
            count_to(index, done++);
    }
}

static void occupy(int index)
{
    void *context = role_context();
    (void) index;
    for (int i = 0; i <= config.peers; i++) {
        void *socket = zmq_socket(context, ZMQ_DEALER);
        if (!socket)
            fail("zmq_socket");
        connect_to(socket, 0);
        check(zmq_send(socket, "here", 4, 0), "zmq_send");
        while (i == 0 && !atomic_load(&shared->measuring))
            usleep(1000);
    }
    for (;;)
        pause();
}

void start_idle(void)
{
    start_role(keep, 0);
    start_role(occupy, 1);
}
