/* Buffers of the program's own, sent without a copy: each is released exactly once. */

#include "check.h"

/* The library may release a buffer on a thread of its own. */
static void *released;

static void release(void *data, void *hint) {
    free(data);
    zmq_atomic_counter_inc(hint);
}

static void own(zmq_msg_t *message, size_t size, int fill) {
    void *buffer = malloc(size);
    CHECK(buffer);
    memset(buffer, fill, size);
    CHECK(zmq_msg_init_data(message, buffer, size, release, released) == 0);
    CHECK(zmq_msg_data(message) == buffer && zmq_msg_size(message) == size);
}

int main(void) {
    static const size_t sizes[] = {1, 33, 1000, 70000, 3000000};
    const int count = sizeof sizes / sizeof *sizes;
    char endpoint[256];
    zmq_msg_t message, twin;
    released = zmq_atomic_counter_new();
    void *context = zmq_ctx_new();
    void *out = zmq_socket(context, ZMQ_PUSH);
    void *in = zmq_socket(context, ZMQ_PULL);
    bind_anywhere(in, endpoint);
    CHECK(zmq_connect(out, endpoint) == 0);

    for (int i = 0; i < count; i++) {
        own(&message, sizes[i], 'a' + i);
        CHECK(zmq_msg_send(&message, out, i % 2 ? ZMQ_SNDMORE : 0) == (int)sizes[i]);
    }
    for (int i = 0; i < count; i++) {
        zmq_msg_init(&message);
        CHECK(zmq_msg_recv(&message, in, 0) == (int)sizes[i]);
        const char *data = zmq_msg_data(&message);
        CHECK(data[0] == 'a' + i && data[sizes[i] - 1] == 'a' + i);
        CHECK(zmq_msg_close(&message) == 0);
    }

    /* Never sent, and shared with a copy: the last one out releases it. */
    own(&message, 1000, 'x');
    zmq_msg_init(&twin);
    CHECK(zmq_msg_copy(&twin, &message) == 0);
    CHECK(zmq_msg_data(&twin) == zmq_msg_data(&message));
    int before = zmq_atomic_counter_value(released);
    CHECK(zmq_msg_close(&message) == 0);
    CHECK(zmq_atomic_counter_value(released) <= count && before <= count);
    CHECK(((char *)zmq_msg_data(&twin))[999] == 'x');
    CHECK(zmq_msg_close(&twin) == 0);

    /* Queued for nobody when the socket closes without linger. */
    int linger = 0;
    void *lost = zmq_socket(context, ZMQ_PUSH);
    CHECK(zmq_setsockopt(lost, ZMQ_LINGER, &linger, sizeof linger) == 0);
    CHECK(zmq_connect(lost, "inproc://nobody") == 0);
    own(&message, 5000, 'y');
    CHECK(zmq_msg_send(&message, lost, 0) == 5000);

    CHECK(zmq_close(lost) == 0 && zmq_close(out) == 0 && zmq_close(in) == 0);
    CHECK(zmq_ctx_term(context) == 0);
    CHECK(zmq_atomic_counter_value(released) == count + 2);
    printf("released %d buffers once each\n", zmq_atomic_counter_value(released));
    zmq_atomic_counter_destroy(&released);
    return 0;
}
