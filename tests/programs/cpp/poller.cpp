// Polling, options, multipart helpers and errors of the C++ binding, in one process.

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <zmq.hpp>
#include <zmq_addon.hpp>

static void check(bool holds, const char *what)
{
    if (!holds) {
        std::cerr << "not so: " << what << std::endl;
        std::exit(1);
    }
}

static void poll_two(zmq::context_t &context)
{
    zmq::socket_t push(context, zmq::socket_type::push);
    zmq::socket_t pull(context, zmq::socket_type::pull);
    zmq::socket_t pair(context, zmq::socket_type::pair);
    push.bind("tcp://127.0.0.1:*");
    pull.connect(push.get(zmq::sockopt::last_endpoint));
    pair.bind("inproc://pair");

    std::vector<zmq::pollitem_t> items{
        {pull.handle(), 0, ZMQ_POLLIN, 0},
        {pair.handle(), 0, ZMQ_POLLIN, 0},
    };
    check(zmq::poll(items, std::chrono::milliseconds(0)) == 0, "nothing yet");
    zmq::message_t none;
    check(!pull.recv(none, zmq::recv_flags::dontwait), "nothing to receive without waiting");
    push.send(zmq::str_buffer("task"), zmq::send_flags::none);
    check(zmq::poll(items, std::chrono::seconds(10)) == 1, "one is ready");
    check(items[0].revents == ZMQ_POLLIN && items[1].revents == 0, "the right one");
    zmq::message_t task;
    check(pull.recv(task, zmq::recv_flags::none) && task.to_string() == "task", "task");
}

static void options(zmq::context_t &context)
{
    zmq::socket_t socket(context, zmq::socket_type::dealer);
    socket.setsockopt(ZMQ_SNDHWM, 10);
    socket.setsockopt(ZMQ_RCVTIMEO, 20);
    socket.setsockopt(ZMQ_SNDTIMEO, 20);
    socket.setsockopt(ZMQ_LINGER, 0);
    check(socket.get(zmq::sockopt::sndhwm) == 10, "sndhwm");
    check(socket.get(zmq::sockopt::linger) == 0, "linger");
    socket.set(zmq::sockopt::routing_id, "dealer_1");
    check(socket.get(zmq::sockopt::routing_id) == "dealer_1", "routing id");
    zmq::message_t nothing;
    socket.bind("inproc://options");
    check(!socket.recv(nothing), "the time limit passes");
}

static void multipart(zmq::context_t &context)
{
    zmq::socket_t router(context, zmq::socket_type::router);
    zmq::socket_t dealer(context, zmq::socket_type::dealer);
    router.bind("tcp://127.0.0.1:*");
    dealer.set(zmq::sockopt::routing_id, "me");
    dealer.connect(router.get(zmq::sockopt::last_endpoint));

    zmq::multipart_t question;
    question.addstr("");
    question.addstr("how many?");
    check(question.send(dealer), "sent");
    std::vector<zmq::message_t> parts;
    const auto count = zmq::recv_multipart(router, std::back_inserter(parts));
    check(count && *count == 3, "three parts");
    check(parts[0].to_string() == "me" && parts[2].to_string() == "how many?", "in order");
    check(zmq::send_multipart(router, parts).has_value(), "returned");
    zmq::multipart_t answer(dealer);
    check(answer.size() == 2 && answer.peekstr(1) == "how many?", "back");
}

static void errors(zmq::context_t &context)
{
    zmq::socket_t server(context, zmq::socket_type::rep);
    server.bind("inproc://errors");
    zmq::socket_t client(context, zmq::socket_type::req);
    client.connect("inproc://errors");
    client.send(zmq::str_buffer("one"), zmq::send_flags::none);
    try {
        client.send(zmq::str_buffer("two"), zmq::send_flags::none);
        check(false, "REQ refuses a second request");
    } catch (const zmq::error_t &error) {
        check(error.num() == EFSM, error.what());
    }
}

int main()
{
    zmq::context_t context;
    poll_two(context);
    options(context);
    multipart(context);
    errors(context);
    std::cout << "C++ binding holds" << std::endl;
    return 0;
}
