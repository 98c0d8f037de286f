// A REP server in C++, with the plain buffer form of send. usage: hello_server BIND REQUESTS

#include <iostream>
#include <string>

#include <zmq.hpp>

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    zmq::context_t context;
    zmq::socket_t respond(context, zmq::socket_type::rep);
    respond.bind(argv[1]);

    for (int left = std::stoi(argv[2]); left > 0; --left) {
        zmq::message_t message;
        respond.recv(message);
        std::cout << "server got "
                  << std::string(static_cast<char *>(message.data()), message.size()) << std::endl;
        const std::string answer = "Service Receive Success!";
        respond.send(answer.c_str(), answer.size());
    }
    respond.close();
    context.close();
    return 0;
}
