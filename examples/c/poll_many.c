/* One thread, two sockets and the keyboard, through zmq_poll.
 *
 *   cc poll_many.c -o poll_many $(pkg-config --cflags --libs libzmq)
 *   echo typed | ./poll_many
 */

#include <stdio.h>
#include <unistd.h>
#include <zmq.h>

int main(void) {
    char text[64], endpoint[256];
    size_t length = sizeof endpoint;
    void *context = zmq_ctx_new();
    void *in = zmq_socket(context, ZMQ_PULL), *out = zmq_socket(context, ZMQ_PUSH);
    void *watch = zmq_socket(context, ZMQ_PAIR);

    /* Events of `out` arrive on a PAIR: the second thing to wait for. */
    zmq_socket_monitor(out, "inproc://watch", ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    zmq_connect(watch, "inproc://watch");
    zmq_bind(in, "ipc://*"); /* any free name; LAST_ENDPOINT tells which */
    zmq_getsockopt(in, ZMQ_LAST_ENDPOINT, endpoint, &length);
    zmq_connect(out, endpoint);

    zmq_pollitem_t items[] = {
        {in, 0, ZMQ_POLLIN, 0},
        {watch, 0, ZMQ_POLLIN, 0},
        {NULL, STDIN_FILENO, ZMQ_POLLIN, 0},
    };
    for (int done = 0; !done && zmq_poll(items, 3, -1) > 0;) {
        if (items[0].revents & ZMQ_POLLIN) {
            int size = zmq_recv(in, text, sizeof text, 0);
            printf("message: %.*s", size, text);
            done = 1;
        }
        if (items[1].revents & ZMQ_POLLIN) {
            zmq_recv(watch, text, sizeof text, 0); /* number and value */
            zmq_recv(watch, text, sizeof text, 0); /* endpoint */
            puts("connected");
            fflush(stdout);
        }
        if (items[2].revents & ZMQ_POLLIN) {
            ssize_t size = read(STDIN_FILENO, text, sizeof text);
            if (size > 0)
                zmq_send(out, text, (size_t)size, 0);
            items[2].fd = -1; /* one line is enough */
            items[2].events = 0;
        }
    }
    zmq_close(in);
    zmq_close(out);
    zmq_close(watch);
    return zmq_ctx_term(context);
}
