/* Every function that the library exports, called once at least, and everything given back: the
   runner checks that none is missing here, and runs this under valgrind. */

#define _POSIX_C_SOURCE 200112L
#define ZMQ_BUILD_DRAFT_API
#include "check.h"

#include <sys/uio.h>
#include <unistd.h>

static void *context;

/* What is not built in says so. */
#define ABSENT(call) CHECK((call) && zmq_errno() == ENOTSUP)

static void pair(void **one, void **other, int type, int other_type) {
    char endpoint[256];
    *one = zmq_socket(context, type);
    *other = zmq_socket(context, other_type);
    CHECK(*one && *other);
    bind_anywhere(*one, endpoint);
    CHECK(zmq_connect(*other, endpoint) == 0);
}

static void close_both(void *one, void *other) {
    CHECK(zmq_close(one) == 0);
    CHECK(zmq_close(other) == 0);
}

static void release(void *data, void *hint) {
    ++*(int *)hint;
    free(data);
}

static void tools(void) {
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    CHECK(major == 4);
    CHECK(zmq_has("ipc") == 1 && zmq_has("nonsense") == 0);
    CHECK(strlen(zmq_strerror(EAGAIN)) > 0);

    uint8_t key[8] = {0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B}, back[8];
    char text[41], secret[41];
    CHECK(zmq_z85_encode(text, key, 8) && !strcmp(text, "HelloWorld"));
    CHECK(zmq_z85_decode(back, text) && !memcmp(back, key, 8));
    CHECK(zmq_curve_keypair(text, secret) == 0 && strlen(text) == 40 && strlen(secret) == 40);
    char derived[41];
    CHECK(zmq_curve_public(derived, secret) == 0 && !strcmp(derived, text));
    // The keys of the test case in zmq_curve(7).
    CHECK(zmq_curve_public(text, "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs") == 0);
    CHECK(!strcmp(text, "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"));

    void *counter = zmq_atomic_counter_new();
    zmq_atomic_counter_set(counter, 1);
    CHECK(zmq_atomic_counter_inc(counter) == 1);
    CHECK(zmq_atomic_counter_dec(counter) == 1);
    CHECK(zmq_atomic_counter_value(counter) == 1);
    zmq_atomic_counter_destroy(&counter);
    CHECK(!counter);

    void *watch = zmq_stopwatch_start();
    zmq_sleep(0);
    CHECK(zmq_stopwatch_intermediate(watch) <= zmq_stopwatch_stop(watch));
}

static void expired(int id, void *arg) {
    CHECK(id > 0);
    ++*(int *)arg;
}

static void timers(void) {
    int count = 0;
    void *timers = zmq_timers_new();
    int first = zmq_timers_add(timers, 0, expired, &count);
    int second = zmq_timers_add(timers, 100000, expired, &count);
    CHECK(first > 0 && second > 0);
    CHECK(zmq_timers_set_interval(timers, second, 200000) == 0);
    CHECK(zmq_timers_reset(timers, second) == 0);
    CHECK(zmq_timers_timeout(timers) == 0);
    CHECK(zmq_timers_execute(timers) == 0);
    CHECK(count >= 1);
    CHECK(zmq_timers_cancel(timers, first) == 0);
    CHECK(zmq_timers_destroy(&timers) == 0 && !timers);
}

static void contexts(void) {
    void *old = zmq_init(1);
    CHECK(zmq_term(old) == 0);
    old = zmq_init(1);
    CHECK(zmq_ctx_destroy(old) == 0);
    old = zmq_ctx_new();
    CHECK(zmq_ctx_set(old, ZMQ_MAX_SOCKETS, 5) == 0);
    CHECK(zmq_ctx_get(old, ZMQ_MAX_SOCKETS) == 5);
    char prefix[16];
    size_t size = sizeof prefix;
    CHECK(zmq_ctx_set_ext(old, ZMQ_THREAD_NAME_PREFIX, "every", 5) == 0);
    CHECK(zmq_ctx_get_ext(old, ZMQ_THREAD_NAME_PREFIX, prefix, &size) == 0);
    CHECK(!strcmp(prefix, "every"));
    void *socket = zmq_socket(old, ZMQ_PULL);
    CHECK(zmq_ctx_shutdown(old) == 0);
    CHECK(zmq_recv(socket, prefix, sizeof prefix, 0) == -1 && zmq_errno() == ETERM);
    CHECK(zmq_close(socket) == 0);
    CHECK(zmq_ctx_term(old) == 0);
}

static void messages(void) {
    void *in, *out;
    pair(&in, &out, ZMQ_PAIR, ZMQ_PAIR);
    zmq_msg_t one, two;
    int released = 0;
    char *mine = malloc(1000);
    memset(mine, 'm', 1000);
    CHECK(zmq_msg_init_data(&one, mine, 1000, release, &released) == 0);
    CHECK(zmq_msg_init(&two) == 0);
    CHECK(zmq_msg_copy(&two, &one) == 0);
    CHECK(zmq_msg_move(&one, &two) == 0);
    CHECK(zmq_msg_send(&one, out, ZMQ_SNDMORE) == 1000);
    CHECK(zmq_msg_init_buffer(&one, "buffer", 6) == 0);
    CHECK(zmq_sendmsg(out, &one, 0) == 6);
    CHECK(zmq_msg_recv(&two, in, 0) == 1000);
    CHECK(zmq_msg_more(&two) == 1 && zmq_msg_get(&two, ZMQ_MORE) == 1);
    CHECK(zmq_msg_set(&two, ZMQ_MORE, 0) == -1 && zmq_errno() == EINVAL);
    CHECK(!strcmp(zmq_msg_gets(&two, "Socket-Type"), "PAIR"));
    CHECK(zmq_msg_close(&two) == 0);
    /* A message that was closed still says whether more parts followed. */
    CHECK(zmq_msg_more(&two) == 1);
    CHECK(zmq_msg_init_size(&two, 10) == 0);
    CHECK(zmq_recvmsg(in, &two, 0) == 6);
    CHECK(zmq_msg_size(&two) == 6 && !memcmp(zmq_msg_data(&two), "buffer", 6));
    CHECK(zmq_msg_routing_id(&two) == 0);
    CHECK(zmq_msg_set_routing_id(&two, 7) == 0);
    ABSENT(zmq_msg_set_group(&two, "group") == -1);
    ABSENT(zmq_msg_group(&two) == NULL);
    CHECK(zmq_msg_close(&two) == 0);
    CHECK(zmq_msg_close(&one) == 0);

    CHECK(zmq_send_const(out, "constant", 8, 0) == 8);
    text_expect(in, "constant");
    struct iovec pieces[2] = {{"first", 5}, {"second", 6}}, got[3];
    size_t count = 3;
    CHECK(zmq_sendiov(out, pieces, 2, ZMQ_SNDMORE) >= 0);
    CHECK(zmq_recviov(in, got, &count, 0) >= 0);
    for (size_t i = 0; i < count; i++)
        free(got[i].iov_base);
    CHECK(count == 2);
    close_both(in, out);
    CHECK(released == 1);
}

static void endpoints(void) {
    char endpoint[256], told[64];
    void *server = zmq_socket(context, ZMQ_ROUTER), *client = zmq_socket(context, ZMQ_DEALER);
    void *monitor = zmq_socket(context, ZMQ_PAIR), *second = zmq_socket(context, ZMQ_PAIR);
    CHECK(zmq_socket_monitor(server, "inproc://events", ZMQ_EVENT_ALL) == 0);
    CHECK(zmq_connect(monitor, "inproc://events") == 0);
    CHECK(zmq_socket_monitor_versioned(client, "inproc://more", ZMQ_EVENT_ALL, 1, ZMQ_PAIR) == 0);
    CHECK(zmq_connect(second, "inproc://more") == 0);
    ABSENT(zmq_socket_monitor_pipes_stats(server) == -1);
    ABSENT(zmq_connect_peer(client, "inproc://nobody") == 0);
    ABSENT(zmq_disconnect_peer(client, 1) == -1);
    ABSENT(zmq_socket_get_peer_state(server, "id", 2) == -1);
    ABSENT(zmq_join(client, "group") == -1);
    ABSENT(zmq_leave(client, "group") == -1);
    bind_anywhere(server, endpoint);
    CHECK(zmq_recv(monitor, told, sizeof told, 0) == 6);
    int linger = 0;
    CHECK(zmq_setsockopt(client, ZMQ_LINGER, &linger, sizeof linger) == 0);
    CHECK(zmq_connect(client, endpoint) == 0);
    CHECK(text_send(client, "hello") == 5);
    CHECK(zmq_recv(server, told, sizeof told, 0) == 5);
    text_expect(server, "hello");
    CHECK(zmq_disconnect(client, endpoint) == 0);
    CHECK(zmq_unbind(server, endpoint) == 0);
    close_both(server, client);
    close_both(monitor, second);
}

static void waiting(void) {
    void *in, *out;
    int fds[2];
    pair(&in, &out, ZMQ_PULL, ZMQ_PUSH);
    CHECK(pipe(fds) == 0);
    CHECK(text_send(out, "x") == 1);
    zmq_pollitem_t items[2] = {{in, 0, ZMQ_POLLIN, 0}, {NULL, fds[1], ZMQ_POLLOUT, 0}};
    CHECK(zmq_poll(items, 1, -1) == 1);
    CHECK(zmq_ppoll(items, 2, -1, NULL) == 2);

    zmq_fd_t fd;
    zmq_poller_event_t events[2];
    void *poller = zmq_poller_new();
    CHECK(zmq_poller_add(poller, in, NULL, ZMQ_POLLOUT) == 0);
    CHECK(zmq_poller_modify(poller, in, ZMQ_POLLIN) == 0);
    CHECK(zmq_poller_add_fd(poller, fds[1], NULL, ZMQ_POLLIN) == 0);
    CHECK(zmq_poller_modify_fd(poller, fds[1], ZMQ_POLLOUT) == 0);
    CHECK(zmq_poller_size(poller) == 2);
    CHECK(zmq_poller_wait(poller, events, -1) == 0);
    CHECK(zmq_poller_wait_all(poller, events, 2, -1) == 2);
    CHECK(zmq_poller_fd(poller, &fd) == -1 && zmq_errno() == EINVAL);
    CHECK(zmq_poller_remove_fd(poller, fds[1]) == 0);
    CHECK(zmq_poller_remove(poller, in) == 0);
    CHECK(zmq_poller_destroy(&poller) == 0);
    text_expect(in, "x");
    close(fds[0]);
    close(fds[1]);
    close_both(in, out);
}

struct between {
    void *front, *back, *control;
    enum { PROXY, STEERABLE, DEVICE } how;
};

static void pass_on(void *arg) {
    struct between *b = arg;
    if (b->how == STEERABLE)
        CHECK(zmq_proxy_steerable(b->front, b->back, NULL, b->control) == 0);
    else if (b->how == PROXY)
        CHECK(zmq_proxy(b->front, b->back, NULL) == -1 && zmq_errno() == ETERM);
    else
        CHECK(zmq_device(ZMQ_QUEUE, b->front, b->back) == -1 && zmq_errno() == ETERM);
    close_both(b->front, b->back);
    if (b->control)
        CHECK(zmq_close(b->control) == 0);
}

/* A message through a proxy, which ends with its context or by word. */
static void passing_on(int how) {
    void *kept = context;
    context = zmq_ctx_new();
    struct between b = {NULL, NULL, NULL, how};
    void *in, *out, *steer = NULL;
    pair(&b.front, &out, ZMQ_PULL, ZMQ_PUSH);
    pair(&b.back, &in, ZMQ_PUSH, ZMQ_PULL);
    if (how == STEERABLE)
        pair(&b.control, &steer, ZMQ_PAIR, ZMQ_PAIR);
    void *thread = zmq_threadstart(pass_on, &b);
    CHECK(text_send(out, "through") == 7);
    text_expect(in, "through");
    if (steer) {
        CHECK(text_send(steer, "TERMINATE") == 9);
    } else {
        CHECK(zmq_ctx_shutdown(context) == 0);
    }
    zmq_threadclose(thread);
    close_both(in, out);
    if (steer)
        CHECK(zmq_close(steer) == 0);
    CHECK(zmq_ctx_term(context) == 0);
    context = kept;
}

int main(void) {
    context = zmq_ctx_new();
    tools();
    timers();
    contexts();
    messages();
    endpoints();
    waiting();
    passing_on(PROXY);
    passing_on(STEERABLE);
    passing_on(DEVICE);
    CHECK(zmq_ctx_term(context) == 0);
    puts("every function was called");
    return 0;
}
