/* Messages of several parts, written part by part and read without knowing how many. */

#include "check.h"

static void part(zmq_msg_t *message, const char *text) {
    CHECK(zmq_msg_init_size(message, strlen(text)) == 0);
    memcpy(zmq_msg_data(message), text, strlen(text));
}

/* Reads one whole message. Asks for more after the close, as programs in the wild do. */
static int read_all(void *socket) {
    int parts = 0;
    while (1) {
        zmq_msg_t message;
        zmq_msg_init(&message);
        CHECK(zmq_msg_recv(&message, socket, 0) != -1);
        printf("[%.*s]", (int)zmq_msg_size(&message), (char *)zmq_msg_data(&message));
        parts++;
        zmq_msg_close(&message);
        if (!zmq_msg_more(&message))
            break;
    }
    puts("");
    return parts;
}

int main(void) {
    char endpoint[256];
    zmq_msg_t message;
    void *context = zmq_ctx_new();
    void *out = zmq_socket(context, ZMQ_PUSH);
    void *in = zmq_socket(context, ZMQ_PULL);
    bind_anywhere(in, endpoint);
    CHECK(zmq_connect(out, endpoint) == 0);

    for (int round = 0; round < 3; round++) {
        part(&message, "address");
        CHECK(zmq_msg_send(&message, out, ZMQ_SNDMORE) == 7);
        part(&message, "");
        CHECK(zmq_msg_send(&message, out, ZMQ_SNDMORE) == 0);
        part(&message, "content");
        CHECK(zmq_msg_send(&message, out, 0) == 7);
        CHECK(read_all(in) == 3);
    }
    CHECK(text_send(out, "alone") == 5);
    CHECK(read_all(in) == 1);

    /* The same through ZMQ_RCVMORE, and a poll: all parts are there once the first is. */
    CHECK(zmq_send(out, "a", 1, ZMQ_SNDMORE) == 1 && zmq_send(out, "b", 1, 0) == 1);
    zmq_pollitem_t item = {in, 0, ZMQ_POLLIN, 0};
    CHECK(zmq_poll(&item, 1, 10000) == 1 && item.revents == ZMQ_POLLIN);
    char byte;
    int more;
    size_t size = sizeof more;
    CHECK(zmq_recv(in, &byte, 1, ZMQ_DONTWAIT) == 1 && byte == 'a');
    CHECK(zmq_getsockopt(in, ZMQ_RCVMORE, &more, &size) == 0 && more == 1);
    CHECK(zmq_recv(in, &byte, 1, ZMQ_DONTWAIT) == 1 && byte == 'b');
    CHECK(zmq_getsockopt(in, ZMQ_RCVMORE, &more, &size) == 0 && more == 0);

    CHECK(zmq_close(out) == 0 && zmq_close(in) == 0);
    CHECK(zmq_ctx_term(context) == 0);
    puts("all parts");
    return 0;
}
