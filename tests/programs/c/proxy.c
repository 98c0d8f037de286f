/* zmq_proxy with a capture socket, ended by the context; zmq_proxy_steerable, ended by word. */

#include "check.h"
#include <pthread.h>

static void *context;
static char front[256], back[256];

static void *run_proxy(void *unused) {
    (void)unused;
    void *frontend = zmq_socket(context, ZMQ_ROUTER);
    void *backend = zmq_socket(context, ZMQ_DEALER);
    void *capture = zmq_socket(context, ZMQ_PUSH);
    void *ready = zmq_socket(context, ZMQ_PAIR);
    bind_anywhere(frontend, front);
    bind_anywhere(backend, back);
    CHECK(zmq_connect(capture, "inproc://capture") == 0);
    CHECK(zmq_connect(ready, "inproc://ready") == 0);
    CHECK(text_send(ready, "up") == 2);
    CHECK(zmq_proxy(frontend, backend, capture) == -1);
    CHECK(zmq_errno() == ETERM);
    zmq_close(frontend);
    zmq_close(backend);
    zmq_close(capture);
    zmq_close(ready);
    puts("proxy ended by its context");
    return NULL;
}

/* Gets its socket connected: the context may end before this thread has had its first turn. */
static void *run_worker(void *worker) {
    char *text;
    while ((text = text_recv(worker))) {
        CHECK(!strcmp(text, "Hello"));
        free(text);
        CHECK(text_send(worker, "World") == 5);
    }
    CHECK(zmq_errno() == ETERM);
    zmq_close(worker);
    return NULL;
}

static void *run_steered(void *unused) {
    (void)unused;
    void *in = zmq_socket(context, ZMQ_PULL);
    void *out = zmq_socket(context, ZMQ_PUSH);
    void *control = zmq_socket(context, ZMQ_PAIR);
    CHECK(zmq_bind(in, "inproc://in") == 0);
    CHECK(zmq_bind(out, "inproc://out") == 0);
    CHECK(zmq_connect(control, "inproc://control") == 0);
    CHECK(zmq_proxy_steerable(in, out, NULL, control) == 0);
    zmq_close(in);
    zmq_close(out);
    zmq_close(control);
    return NULL;
}

int main(void) {
    pthread_t proxy, workers[2];
    context = zmq_ctx_new();
    void *ready = zmq_socket(context, ZMQ_PAIR);
    void *capture = zmq_socket(context, ZMQ_PULL);
    CHECK(zmq_bind(ready, "inproc://ready") == 0);
    CHECK(zmq_bind(capture, "inproc://capture") == 0);
    pthread_create(&proxy, NULL, run_proxy, NULL);
    text_expect(ready, "up");
    for (int i = 0; i < 2; i++) {
        void *worker = zmq_socket(context, ZMQ_REP);
        CHECK(zmq_connect(worker, back) == 0);
        pthread_create(&workers[i], NULL, run_worker, worker);
    }

    void *client = zmq_socket(context, ZMQ_REQ);
    CHECK(zmq_connect(client, front) == 0);
    for (int i = 0; i < 100; i++) {
        CHECK(text_send(client, "Hello") == 5);
        text_expect(client, "World");
    }
    /* Each way is captured: three parts of envelope and content each. */
    int parts = 0;
    char part[64];
    while (parts < 600 && zmq_recv(capture, part, sizeof part, 0) != -1)
        parts++;
    printf("captured %d parts\n", parts);
    zmq_close(client);
    zmq_close(capture);
    zmq_close(ready);
    CHECK(zmq_ctx_term(context) == 0);
    pthread_join(proxy, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(workers[i], NULL);

    context = zmq_ctx_new();
    void *control = zmq_socket(context, ZMQ_PAIR);
    CHECK(zmq_bind(control, "inproc://control") == 0);
    pthread_create(&proxy, NULL, run_steered, NULL);
    void *push = zmq_socket(context, ZMQ_PUSH);
    void *pull = zmq_socket(context, ZMQ_PULL);
    CHECK(zmq_connect(push, "inproc://in") == 0 && zmq_connect(pull, "inproc://out") == 0);
    CHECK(text_send(push, "through") == 7);
    text_expect(pull, "through");
    CHECK(text_send(control, "TERMINATE") == 9);
    pthread_join(proxy, NULL);
    zmq_close(push);
    zmq_close(pull);
    zmq_close(control);
    CHECK(zmq_ctx_term(context) == 0);
    puts("proxy ended by word");
    return 0;
}
