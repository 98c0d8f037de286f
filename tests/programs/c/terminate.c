/* Destroying a context frees threads that are blocked in it: they see ETERM. */

#include "check.h"
#include <pthread.h>

static void *context;

static void *blocked(void *unused) {
    (void)unused;
    char endpoint[256], byte;
    void *socket = zmq_socket(context, ZMQ_PULL);
    void *ready = zmq_socket(context, ZMQ_PUSH);
    bind_anywhere(socket, endpoint);
    CHECK(zmq_connect(ready, "inproc://ready") == 0);
    CHECK(text_send(ready, "blocked") == 7);
    CHECK(zmq_recv(socket, &byte, 1, 0) == -1);
    CHECK(zmq_errno() == ETERM);
    CHECK(zmq_close(socket) == 0 && zmq_close(ready) == 0);
    return NULL;
}

int main(void) {
    pthread_t threads[3];
    context = zmq_ctx_new();
    void *ready = zmq_socket(context, ZMQ_PULL);
    CHECK(zmq_bind(ready, "inproc://ready") == 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, blocked, NULL);
    for (int i = 0; i < 3; i++)
        text_expect(ready, "blocked");
    CHECK(zmq_close(ready) == 0);
    CHECK(zmq_ctx_destroy(context) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    puts("all threads saw ETERM");

    /* Shut down first, terminate later: no new sockets in between. */
    context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_PAIR);
    CHECK(zmq_ctx_shutdown(context) == 0);
    CHECK(!zmq_socket(context, ZMQ_PAIR) && zmq_errno() == ETERM);
    CHECK(zmq_close(socket) == 0);
    CHECK(zmq_ctx_term(context) == 0);
    return 0;
}
