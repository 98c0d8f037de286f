/* One REP on two tcp ports and an inproc name. usage: many_binds TCP_BIND TCP_BIND */

#include "check.h"

static void ask(void *context, void *server, const char *endpoint) {
    void *client = zmq_socket(context, ZMQ_REQ);
    CHECK(client && zmq_connect(client, endpoint) == 0);
    CHECK(text_send(client, "Hello") == 5);
    text_expect(server, "Hello");
    CHECK(text_send(server, "World") == 5);
    text_expect(client, "World");
    CHECK(zmq_close(client) == 0);
    puts("answered");
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_REP);
    CHECK(zmq_bind(socket, argv[1]) == 0);
    CHECK(zmq_bind(socket, argv[2]) == 0);
    CHECK(zmq_bind(socket, "inproc://somename") == 0);

    for (int i = 1; i < 3; i++) {
        char endpoint[256];
        snprintf(endpoint, sizeof endpoint, "tcp://localhost%s", strrchr(argv[i], ':'));
        ask(context, socket, endpoint);
    }
    ask(context, socket, "inproc://somename");
    CHECK(zmq_close(socket) == 0);
    CHECK(zmq_ctx_term(context) == 0);
    return 0;
}
