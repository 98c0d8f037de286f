/* High-water mark, time limits and linger, as programs set them to keep control. */

#include "check.h"

static void set(void *socket, int option, int value) {
    int got = -2;
    size_t size = sizeof got;
    CHECK(zmq_setsockopt(socket, option, &value, sizeof value) == 0);
    CHECK(zmq_getsockopt(socket, option, &got, &size) == 0);
    CHECK(got == value && size == sizeof got);
}

static int get(void *socket, int option) {
    int value = -2;
    size_t size = sizeof value;
    CHECK(zmq_getsockopt(socket, option, &value, &size) == 0);
    return value;
}

int main(void) {
    char endpoint[256], buffer[8];
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_PUSH);
    CHECK(get(socket, ZMQ_SNDHWM) == 1000 && get(socket, ZMQ_RCVHWM) == 1000);
    CHECK(get(socket, ZMQ_SNDTIMEO) == -1 && get(socket, ZMQ_RCVTIMEO) == -1);
    CHECK(get(socket, ZMQ_LINGER) == -1 && get(socket, ZMQ_TYPE) == ZMQ_PUSH);
    set(socket, ZMQ_SNDHWM, 10);
    set(socket, ZMQ_RCVTIMEO, 5000);
    set(socket, ZMQ_SNDTIMEO, 50);
    set(socket, ZMQ_LINGER, 0);

    /* Nobody listens: the queue takes exactly its high-water mark, then the limit passes. */
    CHECK(zmq_connect(socket, "tcp://127.0.0.1:1") == 0);
    int queued = 0;
    while (zmq_send(socket, "x", 1, 0) == 1)
        queued++;
    CHECK(zmq_errno() == EAGAIN);
    printf("queued %d\n", queued);
    CHECK(zmq_send(socket, "x", 1, ZMQ_DONTWAIT) == -1 && zmq_errno() == EAGAIN);
    CHECK(zmq_close(socket) == 0);

    socket = zmq_socket(context, ZMQ_PULL);
    bind_anywhere(socket, endpoint);
    set(socket, ZMQ_RCVTIMEO, 50);
    void *watch = zmq_stopwatch_start();
    CHECK(zmq_recv(socket, buffer, sizeof buffer, 0) == -1 && zmq_errno() == EAGAIN);
    CHECK(zmq_stopwatch_stop(watch) >= 45000);
    set(socket, ZMQ_RCVTIMEO, 0);
    CHECK(zmq_recv(socket, buffer, sizeof buffer, 0) == -1 && zmq_errno() == EAGAIN);

    int value = 1;
    CHECK(zmq_setsockopt(socket, 9999, &value, sizeof value) == -1 && errno == EINVAL);
    value = -5;
    CHECK(zmq_setsockopt(socket, ZMQ_SNDHWM, &value, sizeof value) == -1 && errno == EINVAL);
    CHECK(zmq_setsockopt(socket, ZMQ_SNDHWM, &value, 1) == -1 && errno == EINVAL);

    CHECK(zmq_close(socket) == 0);
    CHECK(zmq_ctx_term(context) == 0);
    puts("options hold");
    return 0;
}
