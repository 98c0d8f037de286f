/* What fails, and with which number and words. usage: errors TCP_BIND */

#include "check.h"

int main(int argc, char **argv) {
    CHECK(argc == 2);
    void *context = zmq_ctx_new();
    CHECK(context);
    void *first = zmq_socket(context, ZMQ_REP);
    CHECK(first);
    CHECK(zmq_bind(first, argv[1]) == 0);
    void *socket = zmq_socket(context, ZMQ_REP);
    CHECK(socket);
    int rc = zmq_bind(socket, argv[1]);
    if (rc == -1)
        printf("E: bind failed: %s\n", zmq_strerror(errno));
    CHECK(rc == -1 && errno == EADDRINUSE && zmq_errno() == EADDRINUSE);

    char buffer[4];
    CHECK(zmq_bind(socket, "tcp://nowhere") == -1 && errno == EINVAL);
    CHECK(zmq_bind(socket, "pigeon://coop") == -1 && errno == EPROTONOSUPPORT);
    CHECK(zmq_bind(socket, "no address") == -1 && errno == EINVAL);
    CHECK(zmq_connect(socket, "tcp://*:5555") == -1 && errno == EINVAL);
    CHECK(zmq_recv(socket, buffer, 4, ZMQ_DONTWAIT) == -1 && errno == EAGAIN);
    CHECK(zmq_send(socket, "x", 1, 0) == -1 && errno == EFSM);
    CHECK(zmq_unbind(socket, "tcp://127.0.0.1:1") == -1 && errno == ENOENT);
    CHECK(!zmq_socket(context, 99) && errno == EINVAL);
    CHECK(zmq_close(NULL) == -1 && errno == ENOTSOCK);
    CHECK(zmq_ctx_term(NULL) == -1 && errno == EFAULT);
    CHECK(!zmq_socket(NULL, ZMQ_REP) && errno == EFAULT);

    void *pub = zmq_socket(context, ZMQ_PUB);
    CHECK(zmq_recv(pub, buffer, 4, ZMQ_DONTWAIT) == -1 && errno == ENOTSUP);
    void *sub = zmq_socket(context, ZMQ_SUB);
    CHECK(zmq_send(sub, "x", 1, ZMQ_DONTWAIT) == -1 && errno == ENOTSUP);
    printf("ETERM: %s\nEFSM: %s\n", zmq_strerror(ETERM), zmq_strerror(EFSM));

    zmq_close(first);
    zmq_close(socket);
    zmq_close(pub);
    zmq_close(sub);
    CHECK(zmq_ctx_term(context) == 0);
    return 0;
}
