/*
 * PUB to several SUB, PUB to one SUB with many subscriptions, and a ROUTER that echoes to many
 * DEALERs. The publishers set ZMQ_XPUB_NODROP, so that what is published is what is delivered.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOPIC_SIZE 12

static void *publisher(void)
{
    int on = 1;
    void *socket = role_socket(ZMQ_PUB);
    check(zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &on, sizeof on), "ZMQ_XPUB_NODROP");
    bind_to(socket, 0);
    return socket;
}

static void publish(int index)
{
    char *buffer = calloc(1, config.size + 1);
    void *socket = publisher();
    (void) index;
    for (;;)
        check(zmq_send(socket, buffer, config.size, 0), "zmq_send at PUB");
}

static void subscribe(int index)
{
    char *buffer = malloc(config.size + 1);
    void *socket = role_socket(ZMQ_SUB);
    check(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0), "ZMQ_SUBSCRIBE");
    connect_to(socket, 0);
    for (uint64_t done = 1;; done++) {
        if (zmq_recv(socket, buffer, config.size, 0) != (int) config.size)
            fail("zmq_recv at SUB");
        count_to(index, done);
    }
}

void start_pubsub(void)
{
    start_role(publish, 0);
    for (int i = 0; i < config.peers; i++)
        start_role(subscribe, 1 + i);
}

static void topic(char *out, int number)
{
    snprintf(out, TOPIC_SIZE, "topic-%05d", number % 100000);
}

/* Every message is of a topic that somebody wants, each topic in turn. */
static void publish_topics(int index)
{
    char *buffer = calloc(1, config.size + TOPIC_SIZE);
    char(*topics)[TOPIC_SIZE] = calloc((size_t) config.peers, TOPIC_SIZE);
    void *socket = publisher();
    (void) index;
    for (int i = 0; i < config.peers; i++)
        topic(topics[i], i);
    for (int i = 0;; i = (i + 1) % config.peers) {
        memcpy(buffer, topics[i], TOPIC_SIZE);
        check(zmq_send(socket, buffer, config.size, 0), "zmq_send at PUB");
    }
}

/* Counts from the first message of the last topic on: then every subscription is in force. */
static void subscribe_topics(int index)
{
    char *buffer = malloc(config.size + 1);
    char last[TOPIC_SIZE];
    int all = 0, unlimited = 0;
    void *socket = role_socket(ZMQ_SUB);
    /* Subscriptions beyond the high-water mark for sending would be dropped. */
    check(zmq_setsockopt(socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited), "ZMQ_SNDHWM");
    for (int i = 0; i < config.peers; i++) {
        topic(last, i);
        check(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, last, TOPIC_SIZE - 1), "ZMQ_SUBSCRIBE");
    }
    connect_to(socket, 0);
    for (uint64_t done = 1;;) {
        if (zmq_recv(socket, buffer, config.size, 0) != (int) config.size)
            fail("zmq_recv at SUB");
        all = all || memcmp(buffer, last, TOPIC_SIZE) == 0;
        if (all)
            count_to(index, done++);
    }
}

void start_subscriptions(void)
{
    start_role(publish_topics, 0);
    start_role(subscribe_topics, 1);
}

static void echo(int index)
{
    void *socket = role_socket(ZMQ_ROUTER);
    zmq_msg_t part;
    (void) index;
    bind_to(socket, 0);
    zmq_msg_init(&part);
    for (;;) {
        check(zmq_msg_recv(&part, socket, 0), "zmq_msg_recv at ROUTER");
        int flags = zmq_msg_more(&part) ? ZMQ_SNDMORE : 0;
        check(zmq_msg_send(&part, socket, flags), "zmq_msg_send at ROUTER");
    }
}

/* One message of each dealer is under way at any time. */
static void deal(int index)
{
    char *buffer = calloc(1, config.size + 1);
    void **sockets = calloc((size_t) config.peers, sizeof *sockets);
    void *context = role_context();
    for (int i = 0; i < config.peers; i++) {
        sockets[i] = zmq_socket(context, ZMQ_DEALER);
        if (!sockets[i])
            fail("zmq_socket");
        connect_to(sockets[i], 0);
    }
    for (uint64_t done = 1;;) {
        for (int i = 0; i < config.peers; i++)
            check(zmq_send(sockets[i], buffer, config.size, 0), "zmq_send at DEALER");
        for (int i = 0; i < config.peers; i++, done++) {
            if (zmq_recv(sockets[i], buffer, config.size, 0) != (int) config.size)
                fail("zmq_recv at DEALER");
            count_to(index, done);
        }
    }
}

void start_router(void)
{
    start_role(echo, 0);
    start_role(deal, 1);
}
