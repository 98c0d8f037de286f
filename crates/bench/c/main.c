/*
 * The harness: starts the roles of one workload, lets them warm up, reads their counters and CPU
 * clocks at both ends of a window, prints one line of key=value pairs and kills them. The roles
 * never stop by themselves, so teardown is outside of every measurement.
 *
 * Exit code 0 with the line on standard output, 1 with `error=...` when a role failed or stalled.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STALL_MS 15000

struct shared *shared;
struct config config = {
    .transport = "tcp",
    .api = "buf",
    .size = 64,
    .peers = 1,
    .warm_ms = 200,
    .window_ms = 1000,
};

static const struct workload workloads[] = {
    {"latency", start_latency}, {"throughput", start_throughput},
    {"pubsub", start_pubsub},   {"subscriptions", start_subscriptions},
    {"router", start_router},   {"proxy", start_proxy},
    {"connect", start_connect}, {"idle", start_idle},
};

static pid_t children[MAX_ROLES], spinners[MAX_ROLES];
static int child_count, spinner_count;

/* inproc: the roles wait here until one process starts them all as threads. */
static struct {
    role_fn role;
    int index;
} threads[MAX_ROLES];
static int thread_count;
static void *thread_context;

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

static void sleep_us(long us)
{
    struct timespec t = {us / 1000000, us % 1000000 * 1000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

void fail(const char *what)
{
    if (atomic_exchange(&shared->failed, 1) == 0)
        snprintf(shared->why, sizeof shared->why, "%s: %s", what, zmq_strerror(zmq_errno()));
    _exit(1);
}

void check(int result, const char *what)
{
    if (result < 0)
        fail(what);
}

static int is_inproc(void)
{
    return strcmp(config.transport, "inproc") == 0;
}

void *role_context(void)
{
    if (thread_context)
        return thread_context;
    void *context = zmq_ctx_new();
    if (!context)
        fail("zmq_ctx_new");
    check(zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 5000), "ZMQ_MAX_SOCKETS");
    return context;
}

void *role_socket(int type)
{
    void *socket = zmq_socket(role_context(), type);
    if (!socket)
        fail("zmq_socket");
    return socket;
}

void bind_to(void *socket, int which)
{
    char *endpoint = shared->endpoint[which];
    size_t size = ENDPOINT_SIZE;
    if (config.curve) {
        int on = 1;
        check(zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof on), "ZMQ_CURVE_SERVER");
        check(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, shared->server_secret, 41),
              "ZMQ_CURVE_SECRETKEY");
    }
    check(zmq_bind(socket, endpoint), "zmq_bind");
    if (strcmp(config.transport, "tcp") == 0)
        check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size), "ZMQ_LAST_ENDPOINT");
    atomic_store(&shared->bound[which], 1);
}

void connect_to(void *socket, int which)
{
    while (!atomic_load(&shared->bound[which]))
        sleep_us(200);
    if (config.curve) {
        check(zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, shared->server_public, 41),
              "ZMQ_CURVE_SERVERKEY");
        check(zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, shared->client_public, 41),
              "ZMQ_CURVE_PUBLICKEY");
        check(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, shared->client_secret, 41),
              "ZMQ_CURVE_SECRETKEY");
    }
    check(zmq_connect(socket, shared->endpoint[which]), "zmq_connect");
}

static pid_t fork_child(void)
{
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

void start_role(role_fn role, int index)
{
    if (is_inproc()) {
        threads[thread_count].role = role;
        threads[thread_count++].index = index;
        return;
    }
    pid_t pid = fork_child();
    if (pid == 0) {
        role(index);
        _exit(0);
    }
    children[child_count++] = pid;
}

static void *run_thread(void *argument)
{
    int i = (int) (intptr_t) argument;
    threads[i].role(threads[i].index);
    return NULL;
}

static void start_threads(void)
{
    pid_t pid = fork_child();
    if (pid == 0) {
        thread_context = role_context();
        for (int i = 0; i < thread_count; i++) {
            pthread_t thread;
            if (pthread_create(&thread, NULL, run_thread, (void *) (intptr_t) i) != 0)
                fail("pthread_create");
        }
        for (;;)
            pause();
    }
    children[child_count++] = pid;
}

static void start_spinners(void)
{
    while (spinner_count < config.busy) {
        pid_t pid = fork_child();
        if (pid == 0)
            for (volatile uint64_t i = 0;; i++) {
            }
        spinners[spinner_count++] = pid;
    }
}

static uint64_t counted(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < MAX_ROLES; i++)
        sum += atomic_load_explicit(&shared->counters[i].value, memory_order_relaxed);
    return sum;
}

/* User and system time of all the roles' processes, which is what getrusage would tell each. */
static uint64_t cpu_ns(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < child_count; i++) {
        clockid_t clock;
        struct timespec t;
        if (clock_getcpuclockid(children[i], &clock) == 0 && clock_gettime(clock, &t) == 0)
            sum += (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
    }
    return sum;
}

static long resident_bytes(pid_t pid)
{
    char path[64];
    long total = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int) pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    if (fscanf(file, "%ld %ld", &total, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

static void kill_all(void)
{
    for (int i = 0; i < child_count; i++)
        kill(children[i], SIGKILL);
    for (int i = 0; i < spinner_count; i++)
        kill(spinners[i], SIGKILL);
    while (wait(NULL) > 0 || errno == EINTR) {
    }
    for (int i = 0; i < 2; i++)
        if (strncmp(shared->endpoint[i], "ipc://", 6) == 0)
            unlink(shared->endpoint[i] + 6);
}

static void give_up(const char *why)
{
    printf("error=%s\n", atomic_load(&shared->failed) ? shared->why : why);
    kill_all();
    exit(1);
}

static void await_count(uint64_t least)
{
    uint64_t start = now_ns();
    while (counted() < least) {
        if (atomic_load(&shared->failed))
            give_up("");
        if (now_ns() - start > STALL_MS * 1000000ull)
            give_up("no progress");
        sleep_us(1000);
    }
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
    return x < y ? -1 : x > y;
}

static void print_percentiles(void)
{
    uint64_t n = atomic_load(&shared->samples);
    if (n > MAX_SAMPLES)
        n = MAX_SAMPLES;
    if (n == 0)
        return;
    qsort(shared->sample_ns, n, sizeof *shared->sample_ns, ascending);
    printf(" p50_us=%.2f p99_us=%.2f p999_us=%.2f", shared->sample_ns[n / 2] / 1e3,
           shared->sample_ns[n * 99 / 100] / 1e3, shared->sample_ns[n * 999 / 1000] / 1e3);
}

static void measure_window(void)
{
    await_count(1);
    sleep_us(config.warm_ms * 1000L);
    atomic_store(&shared->measuring, 1);
    uint64_t time = now_ns(), count = counted(), cpu = cpu_ns();
    sleep_us(config.window_ms * 1000L);
    count = counted() - count;
    cpu = cpu_ns() - cpu;
    time = now_ns() - time;
    atomic_store(&shared->measuring, 0);
    if (atomic_load(&shared->failed))
        give_up("");
    if (count == 0)
        give_up("stalled while measured");
    printf("rate=%.3f cpu_ns=%.1f", count * 1e9 / time, (double) cpu / count);
    print_percentiles();
}

/* The server (the first role) counts its connections: one, then all of them. */
static void measure_idle(void)
{
    await_count(1);
    sleep_us(config.warm_ms * 1000L);
    long before = resident_bytes(children[0]);
    atomic_store(&shared->measuring, 1);
    await_count(1 + (uint64_t) config.peers);
    sleep_us(config.warm_ms * 1000L);
    printf("bytes=%.0f", (double) (resident_bytes(children[0]) - before) / config.peers);
}

static void print_library(void)
{
    Dl_info info;
    if (dladdr((void *) zmq_version, &info) && info.dli_fname)
        printf(" library=%s", info.dli_fname);
    printf("\n");
}

static void parse(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench WORKLOAD [KEY=VALUE...]\n");
        exit(2);
    }
    config.workload = argv[1];
    for (int i = 2; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (!value) {
            fprintf(stderr, "not KEY=VALUE: %s\n", argv[i]);
            exit(2);
        }
        *value++ = 0;
        const char *key = argv[i];
        int number = atoi(value);
        if (strcmp(key, "transport") == 0)
            config.transport = value;
        else if (strcmp(key, "api") == 0)
            config.api = value;
        else if (strcmp(key, "size") == 0)
            config.size = (size_t) number;
        else if (strcmp(key, "peers") == 0)
            config.peers = number;
        else if (strcmp(key, "curve") == 0)
            config.curve = number;
        else if (strcmp(key, "busy") == 0)
            config.busy = number;
        else if (strcmp(key, "interval_us") == 0)
            config.interval_us = number;
        else if (strcmp(key, "warm_ms") == 0)
            config.warm_ms = number;
        else if (strcmp(key, "window_ms") == 0)
            config.window_ms = number;
        else {
            fprintf(stderr, "unknown key: %s\n", key);
            exit(2);
        }
    }
}

static void name_endpoints(void)
{
    for (int i = 0; i < 2; i++) {
        char *endpoint = shared->endpoint[i];
        if (strcmp(config.transport, "tcp") == 0)
            snprintf(endpoint, ENDPOINT_SIZE, "tcp://127.0.0.1:*");
        else if (is_inproc())
            snprintf(endpoint, ENDPOINT_SIZE, "inproc://bench-%d", i);
        else {
            const char *dir = getenv("TMPDIR");
            snprintf(endpoint, ENDPOINT_SIZE, "ipc://%s/aught-bench-%d-%d.sock",
                     dir ? dir : "/tmp", (int) getpid(), i);
        }
    }
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    name_endpoints();
    if (config.curve && (zmq_curve_keypair(shared->server_public, shared->server_secret) != 0
                         || zmq_curve_keypair(shared->client_public, shared->client_secret) != 0)) {
        printf("error=zmq_curve_keypair: %s\n", zmq_strerror(zmq_errno()));
        return 1;
    }
    const struct workload *workload = NULL;
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        if (strcmp(workloads[i].name, config.workload) == 0)
            workload = &workloads[i];
    if (!workload) {
        fprintf(stderr, "unknown workload: %s\n", config.workload);
        return 2;
    }
    start_spinners();
    workload->start();
    if (thread_count)
        start_threads();
    if (strcmp(config.workload, "idle") == 0)
        measure_idle();
    else
        measure_window();
    print_library();
    fflush(stdout);
    kill_all();
    return 0;
}
