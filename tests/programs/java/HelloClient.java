// Asks so many times. usage: HelloClient CONNECT REQUESTS

import org.zeromq.ZMQ;

public class HelloClient {
    public static void main(String[] args) {
        int requests = Integer.parseInt(args[1]);
        ZMQ.Context context = ZMQ.context(1);
        ZMQ.Socket requester = context.socket(ZMQ.REQ);
        requester.connect(args[0]);
        for (int number = 0; number != requests; number++) {
            requester.send("Hello".getBytes(), 0);
            byte[] reply = requester.recv(0);
            System.out.println("Received " + new String(reply) + " " + number);
        }
        requester.close();
        context.term();
    }
}
