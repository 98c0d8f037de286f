/* Request and reply in C.
 *
 *   cc request_reply.c -o request_reply $(pkg-config --cflags --libs libzmq)
 *   ./request_reply server &  ./request_reply client
 *
 * A second argument is the endpoint. The server answers one client and ends.
 */

#include <stdio.h>
#include <string.h>
#include <zmq.h>

static int server(void *context, const char *endpoint) {
    char text[64];
    int size = 0;
    void *socket = zmq_socket(context, ZMQ_REP);
    if (zmq_bind(socket, endpoint) == 0)
        while ((size = zmq_recv(socket, text, sizeof text, 0)) > 0) /* empty: the last one */
            zmq_send(socket, text, (size_t)size < sizeof text ? (size_t)size : sizeof text, 0);
    if (size == 0)
        zmq_send(socket, "", 0, 0);
    zmq_close(socket);
    return size;
}

static int client(void *context, const char *endpoint) {
    static const char *const questions[] = {"hello", "is it you?", ""};
    int rc = -1;
    void *socket = zmq_socket(context, ZMQ_REQ);
    if (zmq_connect(socket, endpoint) == 0)
        for (int i = 0; i < 3; i++) {
            char text[64];
            zmq_send(socket, questions[i], strlen(questions[i]), 0);
            rc = zmq_recv(socket, text, sizeof text, 0);
            if (rc > 0)
                printf("echo: %.*s\n", rc, text);
        }
    zmq_close(socket);
    return rc;
}

int main(int argc, char **argv) {
    const char *endpoint = argc > 2 ? argv[2] : "tcp://127.0.0.1:5555";
    void *context = zmq_ctx_new();
    int rc = -1;
    if (argc > 1 && !strcmp(argv[1], "server"))
        rc = server(context, endpoint);
    else if (argc > 1 && !strcmp(argv[1], "client"))
        rc = client(context, endpoint);
    else
        fprintf(stderr, "usage: %s server|client [ENDPOINT]\n", argv[0]);
    if (rc == -1 && argc > 1)
        fprintf(stderr, "failed: %s\n", zmq_strerror(zmq_errno()));
    zmq_ctx_term(context);
    return rc == -1;
}
