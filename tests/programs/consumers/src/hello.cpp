// One request and one reply over tcp, in one process.

#include <iostream>

#include <zmq.hpp>

int main()
{
    zmq::context_t context;
    zmq::socket_t server(context, zmq::socket_type::rep);
    zmq::socket_t client(context, zmq::socket_type::req);
    server.bind("tcp://127.0.0.1:*");
    client.connect(server.get(zmq::sockopt::last_endpoint));
    zmq::message_t message;
    client.send(zmq::str_buffer("Hello"), zmq::send_flags::none);
    if (!server.recv(message) || message.to_string() != "Hello")
        return 1;
    server.send(zmq::str_buffer("World"), zmq::send_flags::none);
    if (!client.recv(message))
        return 1;
    std::cout << message.to_string() << std::endl;
    return message.to_string() == "World" ? 0 : 1;
}
