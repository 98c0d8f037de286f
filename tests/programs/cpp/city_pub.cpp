// Publishes weather by city, round after round, until it is stopped. usage: city_pub BIND PAUSE_MS

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <zmq.hpp>

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    zmq::context_t context;
    zmq::socket_t pub(context, zmq::socket_type::pub);
    pub.bind(argv[1]);

    const std::vector<std::string> weather{"BJ:rain ", "BJ:snow ", "SY:sunshine ",
                                           "SY:wind ", "HB:cloud ", "HE:storm "};
    const std::chrono::milliseconds pause(std::stoi(argv[2]));
    for (int round = 1;; ++round) {
        for (const auto &text : weather)
            pub.send(zmq::buffer(text + std::to_string(round)));
        std::this_thread::sleep_for(pause);
    }
}
