/* What the programs here share: a check that stays in optimized builds, and text messages. */

#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define CHECK(what)                                                                            \
    do {                                                                                       \
        if (!(what)) {                                                                         \
            fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #what,             \
                    zmq_strerror(zmq_errno()));                                                \
            exit(1);                                                                           \
        }                                                                                      \
    } while (0)

/* The next part as a fresh string, or NULL if the call was interrupted or the context ended. */
static inline char *text_recv(void *socket) {
    char buffer[256];
    int size = zmq_recv(socket, buffer, sizeof buffer - 1, 0);
    if (size == -1)
        return NULL;
    if (size > (int)sizeof buffer - 1)
        size = sizeof buffer - 1;
    buffer[size] = 0;
    char *text = malloc((size_t)size + 1);
    CHECK(text);
    memcpy(text, buffer, (size_t)size + 1);
    return text;
}

static inline int text_send(void *socket, const char *text) {
    return zmq_send(socket, text, strlen(text), 0);
}

/* Receives a part and checks what it says. */
static inline void text_expect(void *socket, const char *expected) {
    char *text = text_recv(socket);
    CHECK(text);
    if (strcmp(text, expected)) {
        fprintf(stderr, "got '%s', not '%s'\n", text, expected);
        exit(1);
    }
    free(text);
}

/* Binds to a free port and leaves the address in `endpoint` (256 bytes). */
static inline void bind_anywhere(void *socket, char *endpoint) {
    size_t size = 256;
    CHECK(zmq_bind(socket, "tcp://127.0.0.1:*") == 0);
    CHECK(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0);
}

#endif
