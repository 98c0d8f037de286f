/* The message calls: fill, copy, move, send twice, and what is left afterwards. */

#include "check.h"

int main(void) {
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    CHECK(major == 4 && minor >= 3);
    CHECK(sizeof(zmq_msg_t) == 64);

    char endpoint[256], small[4];
    zmq_msg_t one, two;
    void *context = zmq_ctx_new();
    CHECK(zmq_ctx_get(context, ZMQ_MSG_T_SIZE) == (int)sizeof(zmq_msg_t));
    void *out = zmq_socket(context, ZMQ_PAIR);
    void *in = zmq_socket(context, ZMQ_PAIR);
    bind_anywhere(in, endpoint);
    CHECK(zmq_connect(out, endpoint) == 0);

    for (size_t size = 0; size < 200000; size = size * 3 + 1) {
        CHECK(zmq_msg_init_size(&one, size) == 0);
        CHECK(zmq_msg_size(&one) == size && !zmq_msg_more(&one));
        memset(zmq_msg_data(&one), 'q', size);
        zmq_msg_init(&two);
        CHECK(zmq_msg_size(&two) == 0);

        /* Send it twice: a copy shares the bytes, sending empties what was sent. */
        CHECK(zmq_msg_copy(&two, &one) == 0);
        CHECK(zmq_msg_size(&two) == size && zmq_msg_size(&one) == size);
        CHECK(zmq_msg_send(&one, out, 0) == (int)size);
        CHECK(zmq_msg_size(&one) == 0);
        CHECK(zmq_msg_send(&two, out, 0) == (int)size);
        CHECK(zmq_msg_size(&two) == 0);
        for (int i = 0; i < 2; i++) {
            CHECK(zmq_msg_recv(&one, in, 0) == (int)size);
            CHECK(zmq_msg_size(&one) == size);
            const char *data = zmq_msg_data(&one);
            CHECK(size == 0 || (data[0] == 'q' && data[size - 1] == 'q'));
        }
        /* Moving leaves the source empty and drops what the target held. */
        CHECK(zmq_msg_move(&two, &one) == 0);
        CHECK(zmq_msg_size(&two) == size && zmq_msg_size(&one) == 0);
        CHECK(zmq_msg_close(&one) == 0 && zmq_msg_close(&two) == 0);
    }

    /* A receive into a small buffer reports the whole size and keeps what fits. */
    CHECK(text_send(out, "truncated") == 9);
    CHECK(zmq_recv(in, small, sizeof small, 0) == 9);
    CHECK(!memcmp(small, "trun", 4));

    /* Properties. */
    CHECK(zmq_send(out, "part", 4, ZMQ_SNDMORE) == 4 && zmq_send(out, "", 0, 0) == 0);
    zmq_msg_init(&one);
    CHECK(zmq_msg_recv(&one, in, 0) == 4);
    CHECK(zmq_msg_get(&one, ZMQ_MORE) == 1 && zmq_msg_more(&one) == 1);
    CHECK(zmq_msg_get(&one, 77) == -1 && errno == EINVAL);
    CHECK(zmq_msg_set(&one, ZMQ_MORE, 0) == -1 && errno == EINVAL);
    const char *kind = zmq_msg_gets(&one, "Socket-Type");
    CHECK(kind && !strcmp(kind, "PAIR"));
    CHECK(!zmq_msg_gets(&one, "X-Nothing") && errno == EINVAL);
    CHECK(zmq_msg_recv(&one, in, 0) == 0 && !zmq_msg_more(&one));
    CHECK(zmq_msg_close(&one) == 0);

    static const char constant[] = "constant";
    CHECK(zmq_send_const(out, constant, 8, 0) == 8);
    text_expect(in, "constant");

    CHECK(zmq_close(out) == 0 && zmq_close(in) == 0);
    CHECK(zmq_ctx_term(context) == 0);
    puts("messages behave");
    return 0;
}
