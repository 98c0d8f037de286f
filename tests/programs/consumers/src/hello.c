/* One request and one reply over tcp, in one process. */

#include <stdio.h>
#include <string.h>
#include <zmq.h>

int main(void) {
    char endpoint[256], text[8];
    size_t size = sizeof endpoint;
    void *context = zmq_ctx_new();
    void *server = zmq_socket(context, ZMQ_REP);
    void *client = zmq_socket(context, ZMQ_REQ);
    int ok = zmq_bind(server, "tcp://127.0.0.1:*") == 0 &&
             zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0 &&
             zmq_connect(client, endpoint) == 0 && zmq_send(client, "Hello", 5, 0) == 5 &&
             zmq_recv(server, text, 8, 0) == 5 && zmq_send(server, "World", 5, 0) == 5 &&
             zmq_recv(client, text, 8, 0) == 5 && !memcmp(text, "World", 5);
    zmq_close(client);
    zmq_close(server);
    ok = ok && zmq_ctx_term(context) == 0;
    puts(ok ? "World" : "failed");
    return !ok;
}
