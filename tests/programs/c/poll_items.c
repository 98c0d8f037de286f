/* zmq_poll over ZeroMQ sockets and a descriptor of the system, with limits. */

#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <unistd.h>

int main(void) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    char endpoint[256];
    void *context = zmq_ctx_new();
    void *pull = zmq_socket(context, ZMQ_PULL);
    void *sub = zmq_socket(context, ZMQ_SUB);
    void *push = zmq_socket(context, ZMQ_PUSH);
    void *pub = zmq_socket(context, ZMQ_XPUB);
    bind_anywhere(push, endpoint);
    CHECK(zmq_connect(pull, endpoint) == 0);
    bind_anywhere(pub, endpoint);
    CHECK(zmq_connect(sub, endpoint) == 0);
    CHECK(zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "10001", 5) == 0);
    char subscription[16];
    CHECK(zmq_recv(pub, subscription, sizeof subscription, 0) == 6 && subscription[0] == 1);

    zmq_pollitem_t items[] = {
        {pull, 0, ZMQ_POLLIN, 0},
        {sub, 0, ZMQ_POLLIN, 0},
        {NULL, ends[0], ZMQ_POLLIN, 0},
    };
    CHECK(zmq_poll(items, 3, 0) == 0);
    void *watch = zmq_stopwatch_start();
    CHECK(zmq_poll(items, 3, 50) == 0);
    CHECK(zmq_stopwatch_stop(watch) >= 45000);

    CHECK(write(ends[1], "!", 1) == 1);
    CHECK(zmq_poll(items, 3, -1) == 1);
    CHECK(items[2].revents == ZMQ_POLLIN && !items[0].revents && !items[1].revents);

    CHECK(text_send(push, "task") == 4);
    while (zmq_poll(items, 1, 10000) == 0) {
    }
    CHECK(items[0].revents == ZMQ_POLLIN);
    CHECK(text_send(pub, "10002 unwanted") == 14);
    CHECK(text_send(pub, "10001 20 50") == 11);
    CHECK(zmq_poll(items + 1, 1, 10000) == 1);
    CHECK(zmq_poll(items, 3, -1) == 3);
    text_expect(pull, "task");
    text_expect(sub, "10001 20 50");

    zmq_pollitem_t out = {push, 0, ZMQ_POLLIN | ZMQ_POLLOUT, 0};
    CHECK(zmq_poll(&out, 1, 10000) == 1 && out.revents == ZMQ_POLLOUT);

    zmq_close(pull);
    zmq_close(sub);
    zmq_close(push);
    zmq_close(pub);
    CHECK(zmq_ctx_term(context) == 0);
    puts("polled");
    return 0;
}
