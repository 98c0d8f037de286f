/*
 * One side of an interoperation test on whichever libzmq.so.5 is found at run time: one socket,
 * bound or connected, that sends, receives, asks or answers numbered messages and checks every
 * byte of what comes back.
 *
 *   party TYPE bind|connect ENDPOINT act=... [KEY=VALUE...]
 *
 * It says BOUND, SYNCED, DONE n and GAUGE n ms on standard output, reads `go` from standard input
 * when it publishes, and ends when its standard input does: with exit code 0 when the socket and
 * the context could be closed. The driver (src/party.rs) holds the other end of both pipes.
 * Mechanisms, the ZAP handler and refusals are in security.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>
#include "security.h"

#define MAX_PARTS 16
#define WINDOW 8
#define TICK_MS 1
#define SYNC "A-sync"

static struct {
    const char *type, *act, *own_id, *peer_id;
    int count, rounds, gap_ms, parts, heartbeat_ms, envelope, topics, stream;
} config = {.act = "answer", .count = 100, .rounds = 1, .parts = 1};

static void *context, *sock, *monitor;

static const size_t sizes[] = {1, 5, 254, 255, 256, 1000, 8192, 70000};

static void die(const char *what)
{
    printf("FAILED %s: %s\n", what, zmq_strerror(zmq_errno()));
    fflush(stdout);
    _exit(1);
}

static void wrong(const char *what, long number, long expected, long got)
{
    printf("FAILED message %ld: %s: expected %ld, got %ld\n", number, what, expected, got);
    fflush(stdout);
    _exit(1);
}

static void must(int result, const char *what)
{
    if (result < 0)
        die(what);
}

static void say(const char *line)
{
    puts(line);
    fflush(stdout);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void sleep_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

/* Whether the driver has said something (or gone), waiting up to `ms`. */
static int told(int ms)
{
    struct pollfd in = {0, POLLIN, 0};
    return poll(&in, 1, ms) > 0;
}

static void await_end(void)
{
    char buffer[64];
    while (read(0, buffer, sizeof buffer) > 0) {
    }
}

/* ---- messages: the same formulas as in the other implementations' programs ---- */

static size_t part_size(long number, int part)
{
    if (part == 1)
        return 0;
    return sizes[(size_t) (number + part) % (sizeof sizes / sizeof *sizes)];
}

static void fill(unsigned char *data, size_t size, long number, int part)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (unsigned char) (number + part + (long) i);
    if (config.topics && part == 0)
        data[0] = number % 2 == 0 ? 'A' : 'B';
}

static void send_part(const void *data, size_t size, int flags)
{
    while (zmq_send(sock, data, size, flags) < 0) {
        /* The peer of a ROUTER may not have introduced itself yet. */
        if (zmq_errno() != EHOSTUNREACH && zmq_errno() != EINTR)
            die("zmq_send");
        sleep_ms(1);
    }
}

static void send_message(long number)
{
    static unsigned char data[70000];
    if (config.peer_id)
        send_part(config.peer_id, strlen(config.peer_id), ZMQ_SNDMORE);
    if (config.envelope)
        send_part("", 0, ZMQ_SNDMORE);
    for (int part = 0; part < config.parts; part++) {
        size_t size = part_size(number, part);
        fill(data, size, number, part);
        send_part(data, size, part + 1 < config.parts ? ZMQ_SNDMORE : 0);
    }
}

static void expect(zmq_msg_t *part, long number, const void *data, size_t size, const char *what)
{
    const unsigned char *got = zmq_msg_data(part), *wanted = data;
    if (zmq_msg_size(part) != size)
        wrong(what, number, (long) size, (long) zmq_msg_size(part));
    for (size_t i = 0; i < size; i++)
        if (got[i] != wanted[i])
            wrong("byte", number, wanted[i], got[i]);
}

static int receive_part(zmq_msg_t *part, long number)
{
    must(zmq_msg_close(part), "zmq_msg_close");
    must(zmq_msg_init(part), "zmq_msg_init");
    if (zmq_msg_recv(part, sock, 0) < 0) {
        printf("FAILED awaiting message %ld: %s\n", number, zmq_strerror(zmq_errno()));
        fflush(stdout);
        _exit(1);
    }
    return zmq_msg_more(part);
}

/* Returns 0 for a message that only synchronizes a subscriber. */
static int receive_message(long number)
{
    static unsigned char data[70000];
    zmq_msg_t part;
    zmq_msg_init(&part);
    int more = receive_part(&part, number);
    if (config.topics && zmq_msg_size(&part) == strlen(SYNC)
        && memcmp(zmq_msg_data(&part), SYNC, strlen(SYNC)) == 0)
        return 0;
    if (config.peer_id) {
        expect(&part, number, config.peer_id, strlen(config.peer_id), "size of routing id");
        more = receive_part(&part, number);
    }
    if (config.envelope) {
        expect(&part, number, "", 0, "size of delimiter");
        more = receive_part(&part, number);
    }
    for (int i = 0; i < config.parts; i++) {
        size_t size = part_size(number, i);
        fill(data, size, number, i);
        expect(&part, number, data, size, "size of part");
        if (!security_knows_user(&part))
            wrong("the user that ZAP let in", number, 1, 0);
        if (more != (i + 1 < config.parts))
            wrong("more", number, i + 1 < config.parts, more);
        if (more)
            more = receive_part(&part, number);
    }
    zmq_msg_close(&part);
    return 1;
}

/* ---- acts ---- */

static void done(long n)
{
    printf("DONE %ld\n", n);
    fflush(stdout);
}

static long total(void)
{
    return (long) config.count * config.rounds;
}

/* The pause between rounds, ended early by the driver. */
static int pause_round(long number)
{
    return number % config.count == 0 && number > 0 && config.gap_ms && told(config.gap_ms);
}

static void act_send(void)
{
    if (config.topics) {
        while (!told(5))
            send_part(SYNC, strlen(SYNC), 0);
        char line[16];
        if (read(0, line, sizeof line) <= 0)
            return;
    }
    for (long i = 0; i < total(); i++) {
        if (pause_round(i))
            return;
        send_message(i);
    }
    await_end();
}

static void act_receive(void)
{
    long verified = 0;
    int synced = 0;
    for (long i = 0; i < total();) {
        if (config.topics && i % 2 == 1) {
            i++; /* of the topic that was not subscribed to */
            continue;
        }
        if (receive_message(i)) {
            i++;
            verified++;
        } else if (!synced) {
            synced = 1;
            say("SYNCED");
        }
    }
    done(verified);
    await_end();
}

static void act_ask(void)
{
    long window = strcmp(config.type, "REQ") == 0 ? 1 : WINDOW;
    for (long i = 0; i < total();) {
        if (pause_round(i))
            return;
        long end = i + window;
        if (end > (i / config.count + 1) * config.count)
            end = (i / config.count + 1) * config.count;
        for (long j = i; j < end; j++)
            send_message(j);
        for (; i < end; i++)
            receive_message(i);
    }
    done(total());
    await_end();
}

/* Waits for a message until the driver speaks or goes; 0 then. */
static int await_message(void)
{
    zmq_pollitem_t items[] = {{sock, 0, ZMQ_POLLIN, 0}, {NULL, 0, ZMQ_POLLIN, 0}};
    for (;;) {
        if (zmq_poll(items, 2, -1) < 0 && zmq_errno() != EINTR)
            die("zmq_poll");
        if (items[1].revents)
            return 0;
        if (items[0].revents & ZMQ_POLLIN)
            return 1;
    }
}

/* Sends every message back, without ever waiting for a peer that does not read. */
static void act_answer(void)
{
    zmq_msg_t parts[MAX_PARTS];
    while (await_message()) {
        int count = 0, more = 1;
        for (; more; count += count < MAX_PARTS) {
            zmq_msg_t spare, *part = count < MAX_PARTS ? &parts[count] : &spare;
            zmq_msg_init(part);
            int size = zmq_msg_recv(part, sock, ZMQ_DONTWAIT);
            if (size < 0 && count == 0 && zmq_errno() == EAGAIN)
                break;
            must(size, "zmq_msg_recv");
            /* The routing id of a ROUTER is the library's own part, with or without a user. */
            if (!(count == 0 && strcmp(config.type, "ROUTER") == 0) && !security_knows_user(part))
                wrong("the user that ZAP let in", count, 1, 0);
            more = zmq_msg_more(part);
            if (part == &spare)
                zmq_msg_close(&spare);
        }
        if (config.stream && (count != 2 || zmq_msg_size(&parts[1]) == 0)) {
            while (count > 0)
                zmq_msg_close(&parts[--count]);
            continue;
        }
        int sent = 0;
        for (int i = 0; i < count; i++) {
            if (sent >= 0)
                sent = zmq_msg_send(&parts[i], sock,
                                    ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0));
            if (sent < 0 && zmq_errno() != EAGAIN && zmq_errno() != EHOSTUNREACH)
                die("zmq_msg_send");
            zmq_msg_close(&parts[i]);
        }
    }
}

/* STREAM: the bytes of all messages, one after the other, asked in chunks of a message. */
static void act_stream_ask(int forever)
{
    static unsigned char data[70000];
    zmq_msg_t id, part;
    double worst = 0;
    long i = 0;
    zmq_msg_init(&id);
    zmq_msg_init(&part);
    receive_part(&id, i);
    receive_part(&part, i); /* the empty message that tells of the connection */
    for (; forever || i < total(); i++) {
        if (forever ? told(TICK_MS) : pause_round(i))
            break;
        size_t size = forever ? 10 : part_size(i, 0), got = 0;
        double start = now_ms();
        fill(data, size, i, 0);
        must(zmq_send(sock, zmq_msg_data(&id), zmq_msg_size(&id), ZMQ_SNDMORE), "zmq_send");
        must(zmq_send(sock, data, size, 0), "zmq_send");
        while (got < size) {
            receive_part(&part, i);
            receive_part(&part, i);
            if (zmq_msg_size(&part) == 0 || zmq_msg_size(&part) > size - got)
                wrong("size of chunk", i, (long) (size - got), (long) zmq_msg_size(&part));
            if (memcmp(zmq_msg_data(&part), data + got, zmq_msg_size(&part)) != 0)
                wrong("bytes of chunk at", i, (long) got, 0);
            got += zmq_msg_size(&part);
        }
        double taken = now_ms() - start;
        worst = taken > worst ? taken : worst;
        if (forever && i == 0)
            say("SYNCED");
    }
    if (forever)
        printf("GAUGE %ld %.1f\n", i, worst);
    else
        done(i);
    fflush(stdout);
    await_end();
}

/* Asks until told to stop, and says how often and the longest wait for an answer. */
static void act_probe(void)
{
    double worst = 0;
    long n = 0;
    for (; !told(TICK_MS); n++) {
        double start = now_ms();
        send_message(n % 4);
        receive_message(n % 4);
        double taken = now_ms() - start;
        worst = taken > worst ? taken : worst;
        if (n == 0)
            say("SYNCED");
    }
    printf("GAUGE %ld %.1f\n", n, worst);
    fflush(stdout);
    await_end();
}

/* Sends a message every tick until told to stop. Nobody may be there to receive it. */
static void act_tick(void)
{
    while (!told(TICK_MS))
        if (zmq_send(sock, "A-tick", 6, ZMQ_DONTWAIT) < 0 && zmq_errno() != EAGAIN)
            die("zmq_send");
    await_end();
}

/* Takes what comes until told to stop, and says how many ticks and the longest gap between. */
static void act_gauge(void)
{
    double last = 0, worst = 0;
    long n = 0;
    zmq_msg_t part;
    zmq_msg_init(&part);
    while (await_message()) {
        int size;
        while ((size = zmq_msg_recv(&part, sock, ZMQ_DONTWAIT)) >= 0) {
            if (size != 6 || memcmp(zmq_msg_data(&part), "A-tick", 6) != 0)
                continue;
            double now = now_ms();
            if (n++ == 0)
                say("SYNCED");
            else if (now - last > worst)
                worst = now - last;
            last = now;
        }
        if (zmq_errno() != EAGAIN)
            die("zmq_msg_recv");
    }
    printf("GAUGE %ld %.1f\n", n, worst);
    fflush(stdout);
    await_end();
}

/* An XPUB that ticks and reads what its subscribers say, as a proxy's backend would. */
static void act_xtick(void)
{
    char buffer[256];
    while (!told(TICK_MS)) {
        if (zmq_send(sock, "A-tick", 6, ZMQ_DONTWAIT) < 0 && zmq_errno() != EAGAIN)
            die("zmq_send");
        while (zmq_recv(sock, buffer, sizeof buffer, ZMQ_DONTWAIT) >= 0) {
        }
        if (zmq_errno() != EAGAIN)
            die("zmq_recv");
    }
    await_end();
}

static void act_refused(void)
{
    security_watch(sock, monitor);
}

static const struct {
    const char *name;
    void (*act)(void);
} acts[] = {
    {"send", act_send},     {"receive", act_receive}, {"ask", act_ask},     {"answer", act_answer},
    {"probe", act_probe},   {"tick", act_tick},       {"gauge", act_gauge}, {"xtick", act_xtick},
    {"refused", act_refused},
};

/* ---- setting up and closing ---- */

static int type_number(const char *name)
{
    static const char *const names[] = {"PAIR", "PUB",  "SUB",  "REQ",  "REP",  "DEALER",
                                        "ROUTER", "PULL", "PUSH", "XPUB", "XSUB", "STREAM"};
    for (int i = 0; i < 12; i++)
        if (strcmp(names[i], name) == 0)
            return i; /* PAIR is 0, PUB is 1 and so on */
    fprintf(stderr, "unknown socket type: %s\n", name);
    exit(2);
}

static void set_number(int option, int value, const char *what)
{
    must(zmq_setsockopt(sock, option, &value, sizeof value), what);
}

static void watch_events(void)
{
    int events = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
                 | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    if (security_refuses())
        events |= ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    must(zmq_socket_monitor(sock, "inproc://events", events), "zmq_socket_monitor");
    monitor = zmq_socket(context, ZMQ_PAIR);
    must(zmq_connect(monitor, "inproc://events"), "zmq_connect to the monitor");
}

static void set_up(const char *type, const char *method, const char *endpoint)
{
    context = zmq_ctx_new();
    if (!context)
        die("zmq_ctx_new");
    sock = zmq_socket(context, type_number(type));
    if (!sock)
        die("zmq_socket");
    set_number(ZMQ_LINGER, 0, "ZMQ_LINGER");
    /* A message that never comes is reported with its number. */
    set_number(ZMQ_RCVTIMEO, config.gap_ms + 20000, "ZMQ_RCVTIMEO");
    if (config.topics)
        set_number(ZMQ_SNDHWM, 0, "ZMQ_SNDHWM"), set_number(ZMQ_RCVHWM, 0, "ZMQ_RCVHWM");
    if (config.heartbeat_ms) {
        set_number(ZMQ_HEARTBEAT_IVL, config.heartbeat_ms, "ZMQ_HEARTBEAT_IVL");
        set_number(ZMQ_HEARTBEAT_TIMEOUT, 10000, "ZMQ_HEARTBEAT_TIMEOUT");
        set_number(ZMQ_HEARTBEAT_TTL, 10000, "ZMQ_HEARTBEAT_TTL");
    }
    if (config.own_id)
        must(zmq_setsockopt(sock, ZMQ_ROUTING_ID, config.own_id, strlen(config.own_id)),
             "ZMQ_ROUTING_ID");
    if (strcmp(type, "ROUTER") == 0 && config.peer_id)
        set_number(ZMQ_ROUTER_MANDATORY, 1, "ZMQ_ROUTER_MANDATORY");
    if (strcmp(type, "SUB") == 0)
        must(zmq_setsockopt(sock, ZMQ_SUBSCRIBE, "A", 1), "ZMQ_SUBSCRIBE");
    security_set_up(context, sock);
    int binds = strcmp(method, "bind") == 0;
    if (!binds || security_refuses())
        watch_events();
    must(binds ? zmq_bind(sock, endpoint) : zmq_connect(sock, endpoint), method);
    if (binds)
        say("BOUND");
    if (strcmp(type, "XSUB") == 0)
        send_part("\1A", 2, 0);
}

/* A connection that was lost and made again would hide a fault. */
static void report_disconnects(void)
{
    int lost = 0;
    char event[64];
    if (!monitor)
        return;
    for (int size; (size = zmq_recv(monitor, event, sizeof event, ZMQ_DONTWAIT)) >= 0;)
        lost += size == 6; /* the number of the event and its value; the address follows */
    printf("LOST %d\n", lost);
    fflush(stdout);
    must(zmq_socket_monitor(sock, NULL, 0), "zmq_socket_monitor");
    must(zmq_close(monitor), "zmq_close of the monitor");
}

static void set(char *pair)
{
    char *value = strchr(pair, '=');
    if (!value) {
        fprintf(stderr, "not KEY=VALUE: %s\n", pair);
        exit(2);
    }
    *value++ = 0;
    static const struct {
        const char *key;
        int *number;
    } numbers[] = {
        {"count", &config.count},       {"rounds", &config.rounds},
        {"gap_ms", &config.gap_ms},     {"parts", &config.parts},
        {"topics", &config.topics},     {"heartbeat_ms", &config.heartbeat_ms},
        {"envelope", &config.envelope},
    };
    if (strcmp(pair, "act") == 0)
        config.act = value;
    else if (strcmp(pair, "own_id") == 0)
        config.own_id = value;
    else if (strcmp(pair, "peer_id") == 0)
        config.peer_id = value;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(numbers[i].key, pair) == 0)
            *numbers[i].number = atoi(value);
    security_take(pair, value);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: party TYPE bind|connect ENDPOINT act=... [KEY=VALUE...]\n");
        return 2;
    }
    for (int i = 4; i < argc; i++)
        set(argv[i]);
    config.type = argv[1];
    config.stream = strcmp(argv[1], "STREAM") == 0;
    set_up(argv[1], argv[2], argv[3]);
    int asks = strcmp(config.act, "ask") == 0, probes = strcmp(config.act, "probe") == 0;
    if (config.stream && (asks || probes))
        act_stream_ask(probes);
    else
        for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
            if (strcmp(acts[i].name, config.act) == 0)
                acts[i].act();
    report_disconnects();
    must(zmq_close(sock), "zmq_close");
    security_end(context);
    must(zmq_ctx_term(context), "zmq_ctx_term");
    return 0;
}
