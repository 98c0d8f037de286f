/* See security.h. */
#define _GNU_SOURCE
#include "security.h"
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOMAIN "interop"
#define USER "a user of the matrix"
#define TICK_MS 10
#define MAX_FIELDS 16

static struct {
    const char *mechanism, *username, *password, *public_key, *secret_key, *server_key, *allow;
    int serves, refuses, handshake_ms, nameless, asked;
} config;

static pthread_t handler;

static void die(const char *what)
{
    printf("FAILED %s: %s\n", what, zmq_strerror(zmq_errno()));
    fflush(stdout);
    _exit(1);
}

static void must(int result, const char *what)
{
    if (result < 0)
        die(what);
}

void security_take(const char *key, const char *value)
{
    static const struct {
        const char *key;
        const char **text;
        int *number;
    } fields[] = {
        {"mechanism", &config.mechanism, NULL},   {"username", &config.username, NULL},
        {"password", &config.password, NULL},     {"public_key", &config.public_key, NULL},
        {"secret_key", &config.secret_key, NULL}, {"server_key", &config.server_key, NULL},
        {"allow", &config.allow, NULL},           {"serves", NULL, &config.serves},
        {"refuses", NULL, &config.refuses},       {"handshake_ms", NULL, &config.handshake_ms},
        {"nameless", NULL, &config.nameless},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i].key, key) == 0) {
            if (fields[i].text)
                *fields[i].text = value;
            else
                *fields[i].number = atoi(value);
        }
}

int security_refuses(void)
{
    return config.refuses;
}

/* ---- the ZAP handler (RFC 27): one client may come in ---- */

struct field {
    char data[256];
    size_t size;
};

static int is(const struct field *field, const char *text)
{
    return field->size == strlen(text) && memcmp(field->data, text, field->size) == 0;
}

/* The credentials as the driver writes them: the address, name:password, or the key in Z85. */
static int allows(const struct field *fields, int count)
{
    char given[600] = "";
    if (is(&fields[5], "NULL") && count == 6) {
        snprintf(given, sizeof given, "%.*s", (int) fields[3].size, fields[3].data);
    } else if (is(&fields[5], "PLAIN") && count == 8) {
        snprintf(given, sizeof given, "%.*s:%.*s", (int) fields[6].size, fields[6].data,
                 (int) fields[7].size, fields[7].data);
    } else if (is(&fields[5], "CURVE") && count == 7 && fields[6].size == 32) {
        zmq_z85_encode(given, (const uint8_t *) fields[6].data, 32);
    } else {
        printf("FAILED a ZAP request of %d fields for %.*s\n", count, (int) fields[5].size,
               fields[5].data);
        fflush(stdout);
        _exit(1);
    }
    return strcmp(given, config.allow) == 0;
}

/* 0 when the context is being shut down. */
static int take_request(void *server, struct field *fields, int *count)
{
    int more = 1;
    size_t size = sizeof more;
    for (*count = 0; more; ++*count) {
        struct field *field = &fields[*count < MAX_FIELDS ? *count : MAX_FIELDS - 1];
        int got = zmq_recv(server, field->data, sizeof field->data, 0);
        if (got < 0 && zmq_errno() == ETERM)
            return 0;
        must(got, "zmq_recv of the ZAP handler");
        field->size = (size_t) got;
        must(zmq_getsockopt(server, ZMQ_RCVMORE, &more, &size), "ZMQ_RCVMORE");
    }
    return 1;
}

static void *serve(void *server)
{
    static struct field fields[MAX_FIELDS];
    /* One property, as RFC 27 lays metadata out: a name, and a value of four bytes of size. */
    static const char metadata[] = "\5Realm\0\0\0\7interop";
    for (int count; take_request(server, fields, &count);) {
        printf("ASKING %d\n", ++config.asked);
        fflush(stdout);
        if (count < 6 || !is(&fields[0], "1.0") || !is(&fields[2], DOMAIN)) {
            printf("FAILED a ZAP request of %d fields, domain %.*s\n", count,
                   (int) fields[2].size, fields[2].data);
            fflush(stdout);
            _exit(1);
        }
        int ok = allows(fields, count), names = ok && !config.nameless;
        zmq_send(server, "1.0", 3, ZMQ_SNDMORE);
        zmq_send(server, fields[1].data, fields[1].size, ZMQ_SNDMORE);
        zmq_send(server, ok ? "200" : "400", 3, ZMQ_SNDMORE);
        zmq_send(server, ok ? "OK" : "No", 2, ZMQ_SNDMORE);
        zmq_send(server, USER, names ? strlen(USER) : 0, ZMQ_SNDMORE);
        if (zmq_send(server, metadata, names ? sizeof metadata - 1 : 0, 0) < 0
            && zmq_errno() != ETERM)
            die("zmq_send of the ZAP handler");
    }
    must(zmq_close(server), "zmq_close of the ZAP handler");
    return NULL;
}

static void start_handler(void *context)
{
    int linger = 0;
    void *server = zmq_socket(context, ZMQ_REP);
    if (!server)
        die("zmq_socket of the ZAP handler");
    must(zmq_setsockopt(server, ZMQ_LINGER, &linger, sizeof linger), "ZMQ_LINGER");
    must(zmq_bind(server, "inproc://zeromq.zap.01"), "zmq_bind of the ZAP handler");
    if (pthread_create(&handler, NULL, serve, server) != 0)
        die("pthread_create");
}

void security_end(void *context)
{
    if (!config.allow)
        return;
    must(zmq_ctx_shutdown(context), "zmq_ctx_shutdown");
    pthread_join(handler, NULL);
    printf("ASKED %d\n", config.asked);
    fflush(stdout);
}

int security_knows_user(zmq_msg_t *part)
{
    if (!config.allow || config.nameless)
        return 1;
    const char *user = zmq_msg_gets(part, "User-Id"), *realm = zmq_msg_gets(part, "Realm");
    return user && strcmp(user, USER) == 0 && realm && strcmp(realm, "interop") == 0;
}

/* ---- the mechanism ---- */

static void set_text(void *sock, int option, const char *text, const char *what)
{
    if (text)
        must(zmq_setsockopt(sock, option, text, strlen(text)), what);
}

void security_set_up(void *context, void *sock)
{
    int one = 1;
    if (config.allow) {
        start_handler(context);
        set_text(sock, ZMQ_ZAP_DOMAIN, DOMAIN, "ZMQ_ZAP_DOMAIN");
    }
    if (config.handshake_ms)
        must(zmq_setsockopt(sock, ZMQ_HANDSHAKE_IVL, &config.handshake_ms, sizeof one),
             "ZMQ_HANDSHAKE_IVL");
    if (!config.mechanism)
        return;
    if (strcmp(config.mechanism, "plain") == 0 && config.serves)
        must(zmq_setsockopt(sock, ZMQ_PLAIN_SERVER, &one, sizeof one), "ZMQ_PLAIN_SERVER");
    set_text(sock, ZMQ_PLAIN_USERNAME, config.username, "ZMQ_PLAIN_USERNAME");
    set_text(sock, ZMQ_PLAIN_PASSWORD, config.password, "ZMQ_PLAIN_PASSWORD");
    set_text(sock, ZMQ_CURVE_PUBLICKEY, config.public_key, "ZMQ_CURVE_PUBLICKEY");
    set_text(sock, ZMQ_CURVE_SECRETKEY, config.secret_key, "ZMQ_CURVE_SECRETKEY");
    set_text(sock, ZMQ_CURVE_SERVERKEY, config.server_key, "ZMQ_CURVE_SERVERKEY");
    if (strcmp(config.mechanism, "curve") == 0 && config.serves)
        must(zmq_setsockopt(sock, ZMQ_CURVE_SERVER, &one, sizeof one), "ZMQ_CURVE_SERVER");
}

/* ---- refusals ---- */

static void say_event(void *monitor)
{
    uint8_t frame[8];
    char address[256];
    uint16_t event;
    uint32_t value;
    int size = zmq_recv(monitor, frame, sizeof frame, 0);
    if (size != 6 || zmq_recv(monitor, address, sizeof address, 0) < 0)
        die("an event of the monitor");
    memcpy(&event, frame, 2);
    memcpy(&value, frame + 2, 4);
    switch (event) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        printf("EVENT SUCCEEDED\n");
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        printf("EVENT NO_DETAIL %u\n", value);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        printf("EVENT PROTOCOL %#x\n", value);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        printf("EVENT AUTH %u\n", value);
        break;
    case ZMQ_EVENT_DISCONNECTED:
        printf("DISCONNECTED\n");
        break;
    default:
        return;
    }
    fflush(stdout);
}

void security_watch(void *sock, void *monitor)
{
    zmq_pollitem_t items[] = {
        {sock, 0, ZMQ_POLLIN, 0}, {monitor, 0, ZMQ_POLLIN, 0}, {NULL, 0, ZMQ_POLLIN, 0}};
    for (;;) {
        /* For whoever may; what cannot be sent, or not yet, is left. */
        zmq_send(sock, "A-refused", 9, ZMQ_DONTWAIT);
        if (zmq_poll(items, 3, TICK_MS) < 0 && zmq_errno() != EINTR)
            die("zmq_poll");
        if (items[2].revents)
            return;
        if (items[1].revents)
            say_event(monitor);
        if (items[0].revents) {
            puts("FAILED a message came in");
            fflush(stdout);
            _exit(1);
        }
    }
}
