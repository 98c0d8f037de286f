// Takes so many reports of one city. usage: city_sub CONNECT PREFIX MESSAGES

#include <iostream>
#include <string>

#include <zmq.hpp>

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    const std::string prefix = argv[2];
    zmq::context_t context;
    zmq::socket_t sub(context, zmq::socket_type::sub);
    sub.connect(argv[1]);
    sub.set(zmq::sockopt::subscribe, prefix);

    for (int left = std::stoi(argv[3]); left > 0; --left) {
        zmq::message_t message;
        const zmq::recv_result_t size = sub.recv(message);
        if (!size || *size != message.size())
            return 1;
        std::cout << "filter " << prefix << " got " << message.to_string() << std::endl;
    }
    sub.close();
    context.close();
    return 0;
}
