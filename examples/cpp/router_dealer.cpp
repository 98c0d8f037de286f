// A ROUTER that talks to several DEALERs, with cppzmq.
//
//   c++ -std=c++17 router_dealer.cpp -o router_dealer $(pkg-config --cflags --libs libzmq) -pthread

#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <zmq.hpp>
#include <zmq_addon.hpp>

static void dealer(zmq::context_t &context, const std::string &endpoint, int number)
{
    zmq::socket_t socket(context, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::routing_id, "dealer " + std::to_string(number));
    socket.connect(endpoint);
    socket.send(zmq::buffer(std::to_string(number)), zmq::send_flags::none);
    zmq::message_t answer;
    if (socket.recv(answer))
        // One string, so that the lines of two threads do not mix.
        std::cout << std::to_string(number) + " squared is " + answer.to_string() + "\n";
}

int main()
{
    zmq::context_t context;
    zmq::socket_t router(context, zmq::socket_type::router);
    router.bind("tcp://127.0.0.1:*");
    const auto endpoint = router.get(zmq::sockopt::last_endpoint);

    std::vector<std::thread> dealers;
    for (int number = 1; number <= 3; ++number)
        dealers.emplace_back([&, number] { dealer(context, endpoint, number); });

    for (std::size_t left = dealers.size(); left > 0; --left) {
        std::vector<zmq::message_t> parts; // who, what
        if (!zmq::recv_multipart(router, std::back_inserter(parts)))
            return 1;
        const int number = std::stoi(parts.at(1).to_string());
        parts[1] = zmq::message_t(std::to_string(number * number));
        zmq::send_multipart(router, parts);
    }
    for (auto &thread : dealers)
        thread.join();
    return 0;
}
