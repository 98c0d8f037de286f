/* A second process may take over an ipc endpoint: who connects next reaches it.
 * usage: ipc_rebind IPC_ENDPOINT */

#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* The process that bound first and then was killed: nothing of its own ran any more. */
static void crash(const char *endpoint) {
    void *context = zmq_ctx_new();
    void *server = zmq_socket(context, ZMQ_REP);
    CHECK(zmq_bind(server, endpoint) == 0);
    kill(getpid(), SIGKILL);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    int status;
    pid_t child = fork();
    if (child == 0)
        crash(argv[1]);
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CHECK(access(argv[1] + strlen("ipc://"), F_OK) == 0);

    void *context = zmq_ctx_new();
    void *server = zmq_socket(context, ZMQ_REP);
    CHECK(zmq_bind(server, argv[1]) == 0);
    void *client = zmq_socket(context, ZMQ_REQ);
    CHECK(zmq_connect(client, argv[1]) == 0);
    CHECK(text_send(client, "Hello") == 5);
    text_expect(server, "Hello");
    CHECK(text_send(server, "World") == 5);
    text_expect(client, "World");

    /* Taken over while the first one still lives. */
    void *heir = zmq_socket(context, ZMQ_REP);
    CHECK(zmq_bind(heir, argv[1]) == 0);
    void *late = zmq_socket(context, ZMQ_REQ);
    CHECK(zmq_connect(late, argv[1]) == 0);
    CHECK(text_send(late, "Hello") == 5);
    text_expect(heir, "Hello");
    CHECK(text_send(heir, "World") == 5);
    text_expect(late, "World");

    zmq_close(client);
    zmq_close(server);
    zmq_close(late);
    zmq_close(heir);
    CHECK(zmq_ctx_term(context) == 0);
    puts("recovered");
    return 0;
}
