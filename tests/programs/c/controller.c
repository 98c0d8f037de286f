/* A sink that ends its workers with a signal over PUB; each worker polls two sockets. */

#include "check.h"
#include <pthread.h>

enum { WORKERS = 3, TASKS = 300 };

static void *context;
static char tasks_at[256], results_at[256], control_at[256];

static void *work(void *unused) {
    (void)unused;
    void *receiver = zmq_socket(context, ZMQ_PULL);
    void *sender = zmq_socket(context, ZMQ_PUSH);
    void *controller = zmq_socket(context, ZMQ_SUB);
    CHECK(zmq_connect(receiver, tasks_at) == 0);
    CHECK(zmq_connect(sender, results_at) == 0);
    CHECK(zmq_connect(controller, control_at) == 0);
    CHECK(zmq_setsockopt(controller, ZMQ_SUBSCRIBE, "", 0) == 0);
    zmq_pollitem_t items[] = {
        {receiver, 0, ZMQ_POLLIN, 0},
        {controller, 0, ZMQ_POLLIN, 0},
    };
    while (1) {
        CHECK(zmq_poll(items, 2, -1) > 0);
        if (items[0].revents & ZMQ_POLLIN) {
            char *task = text_recv(receiver);
            CHECK(task && text_send(sender, task) != -1);
            free(task);
        }
        if (items[1].revents & ZMQ_POLLIN)
            break;
    }
    text_expect(controller, "KILL");
    zmq_close(receiver);
    zmq_close(sender);
    zmq_close(controller);
    return NULL;
}

int main(void) {
    pthread_t workers[WORKERS];
    char text[16], seen[TASKS] = {0};
    context = zmq_ctx_new();
    void *vent = zmq_socket(context, ZMQ_PUSH);
    void *sink = zmq_socket(context, ZMQ_PULL);
    void *controller = zmq_socket(context, ZMQ_XPUB);
    int on = 1;
    CHECK(zmq_setsockopt(controller, ZMQ_XPUB_VERBOSE, &on, sizeof on) == 0);
    bind_anywhere(vent, tasks_at);
    bind_anywhere(sink, results_at);
    bind_anywhere(controller, control_at);
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&workers[i], NULL, work, NULL);
    for (int i = 0; i < WORKERS; i++)
        CHECK(zmq_recv(controller, text, sizeof text, 0) == 1 && text[0] == 1);

    for (int i = 0; i < TASKS; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK(text_send(vent, text) != -1);
    }
    for (int i = 0; i < TASKS; i++) {
        char *result = text_recv(sink);
        CHECK(result && !seen[atoi(result)]);
        seen[atoi(result)] = 1;
        free(result);
    }
    CHECK(text_send(controller, "KILL") == 4);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    zmq_close(vent);
    zmq_close(sink);
    zmq_close(controller);
    CHECK(zmq_ctx_term(context) == 0);
    printf("%d tasks, each once; workers ended by signal\n", TASKS);
    return 0;
}
