/* Four I/O threads for a context, and none for one that stays inside the process. */

#include "check.h"

static void exchange(void *context, const char *where) {
    char endpoint[256];
    void *a = zmq_socket(context, ZMQ_PAIR);
    void *b = zmq_socket(context, ZMQ_PAIR);
    CHECK(a && b);
    if (where) {
        CHECK(zmq_bind(a, where) == 0);
        strcpy(endpoint, where);
    } else {
        bind_anywhere(a, endpoint);
    }
    CHECK(zmq_connect(b, endpoint) == 0);
    CHECK(text_send(b, "through") == 7);
    text_expect(a, "through");
    CHECK(zmq_close(a) == 0 && zmq_close(b) == 0);
}

int main(void) {
    int io_threads = 4;
    void *context = zmq_ctx_new();
    CHECK(context);
    CHECK(zmq_ctx_get(context, ZMQ_IO_THREADS) == ZMQ_IO_THREADS_DFLT);
    CHECK(zmq_ctx_set(context, ZMQ_IO_THREADS, io_threads) == 0);
    CHECK(zmq_ctx_get(context, ZMQ_IO_THREADS) == io_threads);
    exchange(context, NULL);
    CHECK(zmq_ctx_term(context) == 0);

    context = zmq_ctx_new();
    CHECK(zmq_ctx_set(context, ZMQ_IO_THREADS, 0) == 0);
    CHECK(zmq_ctx_get(context, ZMQ_IO_THREADS) == 0);
    exchange(context, "inproc://inside");
    CHECK(zmq_ctx_term(context) == 0);

    context = zmq_ctx_new();
    CHECK(zmq_ctx_set(context, ZMQ_IO_THREADS, -1) == -1 && errno == EINVAL);
    CHECK(zmq_ctx_term(context) == 0);
    puts("io threads set and read");
    return 0;
}
