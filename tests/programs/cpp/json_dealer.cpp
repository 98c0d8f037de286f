// Sends its state as JSON and waits for the action to take. usage: json_dealer CONNECT ROUNDS

#include <iostream>
#include <string>

#include <nlohmann/json.hpp>
#include <zmq.hpp>

using json = nlohmann::json;

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    zmq::context_t context(1);
    zmq::socket_t dealer(context, zmq::socket_type::dealer);
    dealer.connect(argv[1]);

    json state = {
        {"position", {1.0, 2.0}},
        {"velocity", {3.0, 4.0}},
        {"altitude", 1000},
    };
    const int rounds = std::stoi(argv[2]);
    for (int step = 0; step < rounds; ++step) {
        state["step"] = step;
        dealer.send(zmq::buffer(state.dump()), zmq::send_flags::none);

        zmq::message_t response;
        const auto size = dealer.recv(response, zmq::recv_flags::none);
        if (!size)
            return 1;
        const json action = json::parse(response.to_string());
        if (action["step"] != step || action["action"] != "some_action")
            return 1;
    }
    // Nothing more is due: a receive that does not wait comes back empty.
    zmq::message_t none;
    if (dealer.recv(none, zmq::recv_flags::dontwait))
        return 1;
    std::cout << rounds << " actions" << std::endl;
    return 0;
}
