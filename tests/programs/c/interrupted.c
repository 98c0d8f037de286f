/* A handler for SIGINT and SIGTERM: a blocked call returns EINTR and the program ends well.
 * usage: interrupted recv|poll */

#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <signal.h>

static volatile sig_atomic_t interrupted = 0;

static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

static void catch_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    char endpoint[256];
    void *context = zmq_ctx_new();
    void *client = zmq_socket(context, ZMQ_PULL);
    bind_anywhere(client, endpoint);
    catch_signals();
    puts("waiting");
    fflush(stdout);
    while (!interrupted) {
        if (!strcmp(argv[1], "poll")) {
            zmq_pollitem_t item = {client, 0, ZMQ_POLLIN, 0};
            CHECK(zmq_poll(&item, 1, -1) == -1);
        } else {
            char *message = text_recv(client);
            CHECK(!message);
        }
        CHECK(zmq_errno() == EINTR);
    }
    puts("interrupted");
    CHECK(zmq_close(client) == 0);
    CHECK(zmq_ctx_term(context) == 0);
    puts("closed");
    return 0;
}
