/* Watching connections come and go through zmq_socket_monitor. */

#include "check.h"
#include <stdint.h>

/* Reads events until the wanted one; returns its value and leaves its address. */
static uint32_t await(void *monitor, int wanted, char *address) {
    while (1) {
        unsigned char frame[6];
        uint16_t event;
        uint32_t value;
        CHECK(zmq_recv(monitor, frame, sizeof frame, 0) == 6);
        memcpy(&event, frame, 2);
        memcpy(&value, frame + 2, 4);
        int size = zmq_recv(monitor, address, 255, 0);
        CHECK(size >= 0);
        address[size] = 0;
        if (event == wanted)
            return value;
    }
}

int main(void) {
    char endpoint[256], address[256];
    void *context = zmq_ctx_new();
    void *server = zmq_socket(context, ZMQ_REP);
    CHECK(zmq_socket_monitor(server, "inproc://watch", ZMQ_EVENT_ALL) == 0);
    CHECK(zmq_socket_monitor(server, "tcp://127.0.0.1:*", ZMQ_EVENT_ALL) == -1);
    CHECK(errno == EPROTONOSUPPORT);
    void *watch = zmq_socket(context, ZMQ_PAIR);
    CHECK(zmq_connect(watch, "inproc://watch") == 0);

    bind_anywhere(server, endpoint);
    await(watch, ZMQ_EVENT_LISTENING, address);
    CHECK(!strcmp(address, endpoint));
    void *client = zmq_socket(context, ZMQ_REQ);
    CHECK(zmq_connect(client, endpoint) == 0);
    CHECK((int)await(watch, ZMQ_EVENT_ACCEPTED, address) > 0);
    await(watch, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, address);
    CHECK(text_send(client, "Hello") == 5);
    text_expect(server, "Hello");
    CHECK(zmq_close(client) == 0);
    await(watch, ZMQ_EVENT_DISCONNECTED, address);

    CHECK(zmq_socket_monitor(server, NULL, 0) == 0);
    await(watch, ZMQ_EVENT_MONITOR_STOPPED, address);
    CHECK(zmq_close(watch) == 0 && zmq_close(server) == 0);
    CHECK(zmq_ctx_term(context) == 0);
    puts("listening, accepted, ready, gone, stopped");
    return 0;
}
