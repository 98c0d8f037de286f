// A monitor of the C++ binding watches a client come and go.

#include <iostream>
#include <string>

#include <zmq.hpp>

class watcher : public zmq::monitor_t
{
  public:
    bool accepted = false, ready = false, gone = false;

    void on_event_accepted(const zmq_event_t &event, const char *) override
    {
        accepted = event.value > 0;
    }
    void on_event_handshake_succeeded(const zmq_event_t &, const char *) override { ready = true; }
    void on_event_disconnected(const zmq_event_t &, const char *) override { gone = true; }
};

int main()
{
    zmq::context_t context;
    zmq::socket_t server(context, zmq::socket_type::rep);
    watcher events;
    events.init(server, "inproc://events", ZMQ_EVENT_ALL);
    server.bind("tcp://127.0.0.1:*");

    zmq::socket_t client(context, zmq::socket_type::req);
    client.connect(server.get(zmq::sockopt::last_endpoint));
    while (!events.ready)
        events.check_event(-1);
    client.close();
    while (!events.gone)
        events.check_event(-1);
    std::cout << (events.accepted ? "came and went" : "never accepted") << std::endl;
    return events.accepted ? 0 : 1;
}
