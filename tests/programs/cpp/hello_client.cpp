// A REQ client in C++. usage: hello_client CONNECT REQUESTS

#include <iostream>
#include <string>

#include <zmq.hpp>

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    zmq::context_t context;
    zmq::socket_t request(context, zmq::socket_type::req);
    request.connect(argv[1]);

    const int requests = std::stoi(argv[2]);
    for (int number = 1; number <= requests; ++number) {
        const std::string text = "World " + std::to_string(number);
        if (request.send(text.c_str(), text.size()) != text.size())
            return 1;
        zmq::message_t message;
        request.recv(message);
        std::cout << "client got "
                  << std::string(static_cast<char *>(message.data()), message.size()) << std::endl;
    }
    request.close();
    context.close();
    return 0;
}
